// The sub-commands of arbg. Each takes its words, does its work and returns the exit status. Those
// that also take ranks share the work among these; what they write and print is the first one's.
#pragma once

#include <string>
#include <vector>

#include "tensor/base/ranks.h"

namespace arbg::apps {

using Words = std::vector<std::string>;

int md_command(const Words& words, const Ranks& ranks);
int train_command(const Words& words, const Ranks& ranks);
int refine_command(const Words& words, const Ranks& ranks);
int sample_command(const Words& words, const Ranks& ranks);
int evaluate_command(const Words& words, const Ranks& ranks);
int audit_command(const Words& words);
int build_command(const Words& words);
int minimize_command(const Words& words);
int energy_command(const Words& words);
int convert_command(const Words& words);
int logits_command(const Words& words);
int demo_command(const Words& words);
int view_command(const Words& words);
int plot_command(const Words& words);
int info_command(const Words& words);

}  // namespace arbg::apps
