// The network against the published PyTorch implementation (tests/golden/network/README.md).
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <filesystem>

#include "autograd/functions.h"
#include "nn/files/checkpoint.h"
#include "nn/files/molecules_file.h"
#include "nn/files/safetensors.h"
#include "nn/optimizer/adamw.h"
#include "nn/optimizer/muon.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/gemm/precision.h"
#include "tensor/ops/numbers.h"
#include "tests/backends.h"

namespace arbg::nn {
namespace {

using tensor::ProductPrecision;
using tensor::WithPrecision;

struct Network {
  const char* name;
  std::int64_t parameters;
  bool adamw, muon;        // whether there are weights after three steps
  bool in_double = false;  // what the golden values were computed in
};
constexpr Network kNetworks[] = {{"single-system", 29088, true, true},
                                 {"robin-small", 42624, false, false},
                                 {"robin-small-padded", 42624, true, true},
                                 {"options/learned-positions", 1120, true, true, true},
                                 {"options/gelu", 1064, true, true, true},
                                 {"options/input-norm", 1032, true, true, true},
                                 {"options/head-dim", 1152, true, true, true},
                                 {"options/cross", 1882, true, true, true},
                                 {"options/cross-normed-gated", 1635, true, true, true},
                                 {"options/cross-layernorm", 1638, true, true, true},
                                 {"options/published", 2904, true, true, true},
                                 {"options/everything", 3172, true, true, true}};

std::filesystem::path folder(const Network& network) {
  return std::filesystem::path(ARBG_GOLDEN_DIR) / "network" / network.name;
}

// Relative to the largest entry. Against float32 golden values their own rounding is what the
// tolerance of the reference backend must allow for.
double tolerance_of(const Network& network, Backend backend) {
  return backend != Backend::reference ? 2e-5 : network.in_double ? 1e-12 : 1e-6;
}

Json golden_config(const Network& network) {
  const auto path = folder(network) / "config.json";
  const Json file = Json::parse(read_file(path), path.string());
  Json config = Json::object();  // the file says more than the network is made of
  for (const char* member : {"network", "conditioning", "num_atoms"})
    config[member] = file.at(member);
  return config;
}

Transformer golden_network(const Network& network, Backend backend) {
  const auto config = TransformerConfig::from_json(golden_config(network), "config.json");
  Transformer made = Checkpoint::read(folder(network) / "weights.safetensors", backend, config)
                         .network(backend, false);
  made.keep_gradients();
  return made;
}

// A batch of the golden data.
struct Batch {
  Batch(const Network& network, Backend backend)
      : io(Safetensors::read(folder(network) / "io.safetensors")),
        tokens(io.tensor("tokens", backend)),
        molecules(read_molecules(io, backend)) {}

  Safetensors io;
  Tensor tokens;
  Molecules molecules;
};

double largest_size(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// The largest difference over the largest expected size.
double relative_error(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(std::isfinite(found[i]));
    difference = std::max(difference, std::abs(found[i] - expected[i]));
  }
  return difference / largest_size(expected);
}

// The numbers of `rows` [B, n, V] at real positions.
std::vector<double> of_atoms(const Transformer& network, const Batch& batch,
                             const std::vector<double>& rows) {
  if (!batch.molecules.defined()) return rows;
  const auto n = batch.tokens.extent(1), V = network.config().num_bins;
  std::vector<double> out;
  auto from = rows.begin();
  for (const auto real : network.positions_of(batch.molecules, n)) {
    out.insert(out.end(), from, from + real * V);
    from += n * V;
  }
  return out;
}

// -mean over molecules of the mean over their tokens of log P.
Variable loss_of(const Transformer& network, const Batch& batch) {
  const auto B = batch.tokens.extent(0), n = batch.tokens.extent(1);
  std::vector<std::int64_t> real(static_cast<std::size_t>(B), n);
  if (batch.molecules.defined()) real = network.positions_of(batch.molecules, n);
  std::vector<double> weights;
  for (const auto count : real)
    weights.insert(weights.end(), static_cast<std::size_t>(n),
                   -1.0 / static_cast<double>(B * count));
  const Variable log_p = network.log_prob(batch.tokens, batch.molecules);
  return autograd::sum_all(autograd::multiply(
      log_p, Variable(Tensor::from_values(weights, log_p.value().shape(), network.backend()))));
}

// One update from the gradients of a batch; the loss before it.
template <class Optimizer>
double train_step(const Transformer& network, const Batch& batch, Optimizer& optimizer,
                  double learning_rate, std::int64_t step) {
  network.clear_gradients();
  const Variable loss = loss_of(network, batch);
  autograd::backward(loss);
  std::vector<Tensor> gradients;
  for (const auto& parameter : network.parameters()) gradients.push_back(parameter.variable.grad());
  optimizer.set_step(learning_rate, step);
  optimizer.update(gradients, tensor::make_numbers(std::array{1.0}, network.backend()));
  return loss.value().item();
}

// f(golden data, backend and tolerance) for every network and backend.
template <class F>
void for_each_case(const F& f) {
  for (const Network& network : kNetworks) {
    for (const Backend backend : backends_here()) {
      INFO("network ", std::string(network.name), ", backend ", std::string(name_of(backend)));
      f(network, backend, tolerance_of(network, backend));
    }
  }
}

// The norm of a step of all weights, and that of its difference from the golden one.
struct StepError {
  double difference = 0, step = 0;
};
StepError error_of_step(const Transformer& network, const Safetensors& before,
                        const Safetensors& after) {
  StepError error;
  for (const Parameter& parameter : network.parameters()) {
    const auto found = parameter.variable.value().values(), from = before.values(parameter.name),
               to = after.values(parameter.name);
    for (std::size_t i = 0; i < found.size(); ++i) {
      error.difference += (found[i] - to[i]) * (found[i] - to[i]);
      error.step += (to[i] - from[i]) * (to[i] - from[i]);
    }
  }
  return {std::sqrt(error.difference), std::sqrt(error.step)};
}

// What is wrong with a config, or nothing.
std::string complaint(const Json& config) {
  try {
    TransformerConfig::from_json(config, "config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Json without(const Json& object, const std::string& member) {
  Json rest = Json::object();
  for (const auto& [key, value] : object.members()) {
    if (key != member) rest[key] = value;
  }
  return rest;
}

TEST_SUITE("golden") {
  TEST_CASE("a network from a checkpoint does not hold its weights a second time") {
    const auto config = TransformerConfig::from_json(golden_config(kNetworks[0]), "config.json");
    const auto checkpoint =
        Checkpoint::read(folder(kNetworks[0]) / "weights.safetensors", Backend::cpu, config);
    const auto network = checkpoint.network(Backend::cpu, false);
    for (const auto& [name, value] : network.values()) {
      CHECK(value.host_data<float>() == find_tensor(checkpoint.weights, name).host_data<float>());
    }
  }

  TEST_CASE("logits, log likelihood and loss are PyTorch's") {
    for_each_case([](const Network& golden, Backend backend, double tolerance) {
      const auto network = golden_network(golden, backend);
      CHECK(network.parameter_count() == golden.parameters);
      const Batch batch(golden, backend);
      const auto logits = network.logits(batch.tokens, batch.molecules).value().values();
      CHECK(relative_error(of_atoms(network, batch, logits),
                           of_atoms(network, batch, batch.io.values("logits"))) < tolerance);
      CHECK(relative_error(network.log_likelihood(batch.tokens.indices(), 2, batch.molecules),
                           batch.io.values("log_likelihood")) < tolerance);
      CHECK(relative_error({loss_of(network, batch).value().item()}, batch.io.values("loss")) <
            tolerance);
    });
  }

  // Operands of bf16 have 8 significant bits, of tf32 11 (which the emulator cuts off, the worse of
  // what a device may do). Measured there: 8e-4 to 4.0e-3 with tf32, 2.8e-3 to 1.70e-2 with bf16,
  // one network to the other. The bounds are twice the largest and more.
  TEST_CASE("logits with products of tf32 and bf16 are PyTorch's as far as these reach") {
    if (!is_here(Backend::cuda)) return;
    for (const ProductPrecision precision : {ProductPrecision::tf32, ProductPrecision::bf16}) {
      const double tolerance = precision == ProductPrecision::tf32 ? 8e-3 : 4e-2;
      const WithPrecision with(precision);
      for (const Network& golden : kNetworks) {
        INFO("network ", std::string(golden.name), ", products of ", name_of(precision));
        const auto network = golden_network(golden, Backend::cuda);
        const Batch batch(golden, Backend::cuda);
        const auto logits = network.logits(batch.tokens, batch.molecules).value().values();
        CHECK(relative_error(of_atoms(network, batch, logits),
                             of_atoms(network, batch, batch.io.values("logits"))) < tolerance);
      }
    }
  }

  TEST_CASE("the gradient of every parameter is PyTorch's") {
    for_each_case([](const Network& golden, Backend backend, double tolerance) {
      const auto expected = Safetensors::read(folder(golden) / "gradients.safetensors");
      const auto network = golden_network(golden, backend);
      autograd::backward(loss_of(network, Batch(golden, backend)));
      REQUIRE(expected.entries().size() == network.parameters().size());
      for (const Parameter& parameter : network.parameters()) {
        CAPTURE(parameter.name);
        REQUIRE(parameter.variable.grad().defined());
        CHECK(relative_error(parameter.variable.grad().values(), expected.values(parameter.name)) <
              tolerance);
      }
    });
  }

  // Adam's first steps divide every gradient by its own size, and so pass the golden values'
  // rounding, 2^-23 of a gradient's largest entry in float32 and 2^-52 in double, on to the weights
  // whose gradients are small. optimizer_test.cpp checks AdamW itself.
  TEST_CASE("three steps of AdamW give PyTorch's weights and losses") {
    for_each_case([](const Network& golden, Backend backend, double tolerance) {
      if (!golden.adamw) return;
      constexpr double kRate = 5e-4, kEpsilon = 1e-8;
      const bool exact = golden.in_double && backend == Backend::reference;
      const double weight_tolerance = exact ? 1e-12 : 2e-5, precision = exact ? 0x1p-52 : 0x1p-23;
      const auto expected = Safetensors::read(folder(golden) / "after_3_adamw_steps.safetensors");
      const auto gradients = Safetensors::read(folder(golden) / "gradients.safetensors");
      const Json losses = Json::parse(*expected.metadata("losses"), "losses");
      const auto network = golden_network(golden, backend);
      const Batch batch(golden, backend);
      AdamW optimizer(network.parameters(), {});
      for (std::int64_t step = 1; step <= 3; ++step) {
        const double loss = train_step(network, batch, optimizer, kRate, step);
        CHECK(std::abs(loss / losses.items()[static_cast<std::size_t>(step - 1)].number() - 1) <
              tolerance);
      }
      for (const Parameter& parameter : network.parameters()) {
        CAPTURE(parameter.name);
        const auto found = parameter.variable.value().values(),
                   values = expected.values(parameter.name),
                   gradient = gradients.values(parameter.name);
        const double largest = largest_size(values), noise = largest_size(gradient) * precision;
        for (std::size_t i = 0; i < found.size(); ++i) {
          const double rounding = 3 * kRate * noise / (std::abs(gradient[i]) + kEpsilon);
          REQUIRE(std::abs(found[i] - values[i]) < weight_tolerance * largest + rounding);
        }
      }
    });
  }

  // Small singular values are multiplied by up to 485, and with them whatever rounding is there: a
  // step has an error of some 1e5 times the precision. The published code iterates in bfloat16 (8
  // bits): there two programs that order the products differently differ as much from each other as
  // from this one, and little more than the size and direction of the step can be compared.
  TEST_CASE("three steps of Muon give PyTorch's weights and losses") {
    for_each_case([](const Network& golden, Backend backend, double) {
      if (!golden.muon) return;
      const bool exact = golden.in_double && backend == Backend::reference;
      const double of_step = exact ? 2e-11 : golden.in_double ? 1.2e-2 : 0.15;
      const double of_loss = exact ? 1e-12 : golden.in_double ? 1e-4 : 1e-3;
      const auto before = Safetensors::read(folder(golden) / "weights.safetensors"),
                 after = Safetensors::read(folder(golden) / "after_3_muon_steps.safetensors");
      const Json losses = Json::parse(*after.metadata("losses"), "losses");
      const auto network = golden_network(golden, backend);
      const Batch batch(golden, backend);
      Muon optimizer(network.parameters(), {});
      for (std::int64_t step = 1; step <= 3; ++step) {
        const double loss = train_step(network, batch, optimizer, 0.02, step);
        CHECK(std::abs(loss / losses.items()[static_cast<std::size_t>(step - 1)].number() - 1) <
              of_loss);
      }
      const StepError error = error_of_step(network, before, after);
      CHECK(error.difference < of_step * error.step);
    });
  }

  TEST_CASE("options that are not supported are refused by name") {
    for (const auto& option :
         {std::pair{"use_global_cond", Json(true)}, std::pair{"use_cross_attention", Json(true)},
          std::pair{"coordinate_embedding_type", Json("linear")}, std::pair{"dropout", Json(1.5)},
          std::pair{"pos_embed_type", Json("rotary")}, std::pair{"head_dim", Json(0)},
          std::pair{"cross_attention_gate", Json(true)}, std::pair{"no_such_option", Json(1)}}) {
      const std::string key = option.first;
      CAPTURE(key);
      Json config = golden_config(kNetworks[0]);
      config["network"][key] = option.second;
      CHECK(complaint(config).find(key) != std::string::npos);
    }
  }

  TEST_CASE("an option that is missing, misspelt or in the wrong place is refused by name") {
    const Json good = golden_config(kNetworks[1]);
    CHECK(complaint(good).empty());
    for (const std::string key : {"num_bins", "channels", "num_layers", "num_heads"}) {
      Json config = good;
      config["network"] = without(good.at("network"), key);
      CHECK(complaint(config) == "config.json: the network option \"" + key + "\" is missing");
    }
    CHECK(complaint(without(good, "num_atoms")) ==
          "config.json: the network option \"num_atoms\" is missing");
    Json config = good;
    config["conditioning"] = without(good.at("conditioning"), "hidden_dim");
    CHECK(complaint(config) == "config.json: the conditioning option \"hidden_dim\" is missing");
    config = good;
    config["network"]["use_globalcond"] = true;
    CHECK(complaint(config) ==
          "config.json: unknown network option \"use_globalcond\"; the nearest name is "
          "\"use_global_cond\"");
    config = good;
    config["use_swiglu"] = false;
    CHECK(complaint(config).find("\"use_swiglu\" stands beside \"network\"") != std::string::npos);
    config = good;
    config["network"]["head_dim"] = Json();  // as published configs may say it: C / H
    CHECK(complaint(config).empty());
  }
}

}  // namespace
}  // namespace arbg::nn
