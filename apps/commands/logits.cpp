// arbg logits: what a network says about given tokens.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "apps/cli/command_line.h"
#include "apps/cli/common_options.h"
#include "apps/commands/commands.h"
#include "autograd/variable.h"
#include "nn/files/checkpoint.h"
#include "nn/files/molecules_file.h"
#include "nn/files/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::apps {
namespace {

const CommandSpec kSpec{
    "logits",
    "logits and log likelihoods of given tokens, by any network of the published form",
    "",
    {{"weights", "FILE", "",
      "safetensors: published weights, or a checkpoint of arbg train (its average, if any)"},
     {"config", "FILE", "", "JSON: the network, for weights that do not describe it themselves"},
     {"input", "FILE", "",
      "safetensors: tokens [B, T]; for conditioned networks atom_type, aa_type, aa_pos [B, N], "
      "seq_len [B], and mask [B, N] where there is padding"},
     {"output", "FILE", "", "safetensors to write: logits [B, T, V], log_likelihood [B]"}},
    {"arbg logits --weights robin.safetensors --config robin.json --input peptides.safetensors "
     "--output logits.safetensors"},
    {"seed"}};

constexpr std::int64_t kRows = 16;  // of a forward pass

std::optional<nn::TransformerConfig> read_config(const std::string& path) {
  if (path.empty()) return {};
  return nn::TransformerConfig::from_json(Json::parse(read_file(path), path), path);
}

// [B, T, V], a few rows at a time.
nn::Tensor logits_of(const nn::Transformer& network, const nn::Tensor& tokens,
                     const nn::Molecules& molecules) {
  const autograd::NoGradient no_graph;
  const auto B = tokens.extent(0);
  nn::Tensor all = nn::Tensor::empty({B, tokens.extent(1), network.config().num_bins},
                                     tensor::real_dtype(network.backend()), network.backend());
  for (std::int64_t first = 0; first < B; first += kRows) {
    const auto rows = std::min(kRows, B - first);
    const auto part = molecules.defined() ? molecules.rows(first, rows) : molecules;
    all.rows(first, rows).copy_from(network.logits(tokens.rows(first, rows), part).value());
  }
  return all;
}

}  // namespace

int logits_command(const Words& words) {
  const Arguments arguments(kSpec, words);
  if (arguments.wants_help()) return std::fputs(arguments.help().c_str(), stdout), 0;
  const CommonOptions common = apply_common_options(arguments);
  const std::string weights = arguments.required("weights"), input = arguments.required("input"),
                    output = arguments.required("output");
  require_writable(output, {weights, input, arguments.text("config")});
  const auto checkpoint =
      nn::Checkpoint::read(weights, common.backend, read_config(arguments.text("config")));
  const auto file = nn::Safetensors::read(input);
  try {
    const nn::Transformer network = checkpoint.network(common.backend, true);
    const nn::Tensor tokens = file.tensor("tokens", common.backend);
    require(tokens.dtype() == nn::DType::i32 && tokens.shape().rank() == 2,
            "expected integer tokens [B, T], found shape ", tokens.shape());
    const std::int64_t last = network.config().num_bins - 1;
    const auto found = tokens.index_bounds();
    require(found.inside(0, last), "expected tokens from 0 to ", last, ", found ", found.least,
            " to ", found.largest);
    const nn::Molecules molecules = nn::read_molecules(file, common.backend);
    const nn::Tensor logits = logits_of(network, tokens, molecules);
    const auto log_q = network.log_likelihood(tokens.indices(), kRows, molecules);
    const auto bad = std::ranges::find_if_not(log_q, [](double one) { return std::isfinite(one); });
    require(bad == log_q.end(), "the log likelihood of molecule ", bad - log_q.begin(),
            " is not finite; do the weights hold NaN or infinity?");
    const auto B = tokens.extent(0);
    const nn::Tensor sums = nn::Tensor::from_values(log_q, {B}, nn::Backend::reference);
    nn::write_safetensors(output, {{"logits", logits}, {"log_likelihood", sums}}, {});
    double mean = 0;
    for (const double one : log_q) mean += one / static_cast<double>(B);
    if (common.json) {
      Json out = Json::object();
      out["output"] = output;
      out["molecules"] = B;
      out["mean_log_likelihood"] = mean;
      std::puts(out.dump().c_str());
    } else {
      std::printf("%s: logits of %lld molecules, mean log likelihood %.6f nats\n", output.c_str(),
                  static_cast<long long>(B), mean);
    }
  } catch (const Error& error) {
    fail(weights, " and ", input, ": ", error.what());
  }
  return 0;
}

}  // namespace arbg::apps
