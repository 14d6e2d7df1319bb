// The network against the published PyTorch implementation (tests/golden/network/README.md).
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "autograd/functions.h"
#include "nn/checkpoint.h"
#include "nn/optimizer/adamw.h"
#include "nn/safetensors.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::nn {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(ARBG_GOLDEN_DIR) / "network" / "single-system";

// Against float32 golden values: their own rounding is what the tolerance of the reference backend
// must allow for.
struct Case {
  Backend backend;
  double tolerance;  // relative to the largest entry
};
constexpr Case kCases[] = {{Backend::reference, 1e-6}, {Backend::cpu, 2e-5}};

Json golden_config() {
  const auto path = kFolder / "config.json";
  Json file = Json::parse(read_file(path), path.string());
  Json config = file.at("network");
  config["num_atoms"] = file.at("num_atoms");
  return config;
}

Transformer golden_network(Backend backend) {
  const auto config = TransformerConfig::from_json(golden_config(), "config.json");
  return Checkpoint::read(kFolder / "weights.safetensors", backend, config).network(backend, false);
}

// The largest difference over the largest expected size.
double relative_error(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(std::isfinite(found[i]));
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(found[i] - expected[i]));
  }
  return difference / largest;
}

// -mean over molecules of the mean over tokens of log P.
Variable loss_of(const Transformer& network, const Tensor& tokens) {
  return autograd::scale(autograd::mean_all(network.log_prob(tokens)), -1.0);
}

TEST_SUITE("golden") {
  TEST_CASE("logits, log likelihood and loss are PyTorch's") {
    const auto io = Safetensors::read(kFolder / "io.safetensors");
    for (const Case& c : kCases) {
      const auto backend = c.backend;
      const double tolerance = c.tolerance;
      INFO("backend ", std::string(name_of(backend)));
      const auto network = golden_network(backend);
      CHECK(network.parameter_count() == 29088);
      const auto tokens = io.tensor("tokens", backend);
      CHECK(relative_error(network.logits(tokens).value().values(), io.values("logits")) <
            tolerance);
      CHECK(relative_error(network.log_likelihood(tokens.indices(), 2),
                           io.values("log_likelihood")) < tolerance);
      CHECK(relative_error({loss_of(network, tokens).value().item()}, io.values("loss")) <
            tolerance);
    }
  }

  TEST_CASE("the gradient of every parameter is PyTorch's") {
    const auto io = Safetensors::read(kFolder / "io.safetensors");
    const auto golden = Safetensors::read(kFolder / "gradients.safetensors");
    for (const Case& c : kCases) {
      const auto backend = c.backend;
      const double tolerance = c.tolerance;
      INFO("backend ", std::string(name_of(backend)));
      const auto network = golden_network(backend);
      autograd::backward(loss_of(network, io.tensor("tokens", backend)));
      REQUIRE(golden.entries().size() == network.parameters().size());
      for (const Parameter& parameter : network.parameters()) {
        const auto& [name, variable, decays] = parameter;
        CAPTURE(parameter.name);
        REQUIRE(variable.grad().defined());
        CHECK(relative_error(variable.grad().values(), golden.values(name)) < tolerance);
      }
    }
  }

  // Adam's first steps divide every gradient by its own size, and so pass the golden values'
  // float32 rounding of the small ones on to the weights: both backends get the float32 tolerance
  // for these. optimizer_test.cpp checks AdamW in double.
  TEST_CASE("three steps of AdamW give PyTorch's weights and losses") {
    constexpr double kWeightTolerance = 2e-5;
    const auto io = Safetensors::read(kFolder / "io.safetensors");
    const auto golden = Safetensors::read(kFolder / "after_3_adamw_steps.safetensors");
    const Json losses = Json::parse(*golden.metadata("losses"), "losses");
    for (const Case& c : kCases) {
      const auto backend = c.backend;
      const double tolerance = c.tolerance;
      INFO("backend ", std::string(name_of(backend)));
      const auto network = golden_network(backend);
      const auto tokens = io.tensor("tokens", backend);
      AdamW optimizer(network.parameters(), {});
      for (std::int64_t step = 1; step <= 3; ++step) {
        network.clear_gradients();
        const Variable loss = loss_of(network, tokens);
        CHECK(std::abs(loss.value().item() /
                           losses.items()[static_cast<std::size_t>(step - 1)].number() -
                       1) < tolerance);
        autograd::backward(loss);
        std::vector<Tensor> gradients;
        for (const auto& parameter : network.parameters())
          gradients.push_back(parameter.variable.grad());
        optimizer.update(gradients, 1.0, 5e-4, step);
      }
      for (const Parameter& parameter : network.parameters()) {
        const auto& [name, variable, decays] = parameter;
        CAPTURE(parameter.name);
        CHECK(relative_error(variable.value().values(), golden.values(name)) < kWeightTolerance);
      }
    }
  }

  TEST_CASE("published options that are not supported are refused by name") {
    for (const auto& option :
         {std::pair{"use_global_cond", Json(true)}, std::pair{"use_swiglu", Json(false)},
          std::pair{"use_rms_norm", Json(false)}, std::pair{"dropout", Json(0.1)},
          std::pair{"pos_embed_type", Json("rotary")}, std::pair{"head_dim", Json(7)},
          std::pair{"no_such_option", Json(1)}}) {
      const std::string key = option.first;
      CAPTURE(key);
      Json config = golden_config();
      config[key] = option.second;
      std::string message;
      try {
        TransformerConfig::from_json(config, "config.json");
      } catch (const Error& error) {
        message = error.what();
      }
      CHECK(message.find(key) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace arbg::nn
