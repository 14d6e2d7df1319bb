// The options of how tokens are decoded, as every command that samples has them.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/command_line.h"
#include "sampling/proposals/generator.h"
#include "tensor/base/json.h"

namespace arbg::apps {

// `options` with --temperature (its default is given, as the help has it), --top-k, --top-p and
// --full-support.
std::vector<Option> with_decoding(std::vector<Option> options, const char* temperature);

// `temperature`: where none is asked for.
sampling::Decoding decoding_from(const Arguments& arguments, double temperature = 1);

// {temperature, top_k, top_p, full_support, text, and "biased": the sentence, if it is}
Json to_json(const sampling::Decoding& decoding);

}  // namespace arbg::apps
