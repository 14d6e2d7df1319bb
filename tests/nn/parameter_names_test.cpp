// Published names and shapes, and files from before we had them; names that are wrong.
#include "nn/files/parameter_names.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "nn/files/safetensors.h"
#include "nn/training/trainer.h"
#include "tensor/base/error.h"
#include "tests/nn/cells.h"

namespace arbg::nn {
namespace {

// Checkpoints that the version before the published names wrote, after two and after four of six
// steps (tests/golden/network/README.md).
constexpr const char* kOldNetworks[] = {"learned-positions", "gelu", "cross-attention"};

Checkpoint old_checkpoint(const std::string& network, const std::string& file) {
  return Checkpoint::read(
      std::filesystem::path(ARBG_GOLDEN_DIR) / "network/old-names" / network / file,
      Backend::reference);
}

// What those runs were trained on.
struct OldSource : TokenSource {
  bool conditioned = false;
  Molecules molecules(std::int64_t, Backend backend) override {
    if (!conditioned) return {};
    const Tensor atoms = Tensor::from_indices(std::vector{0, 1, 1, 2, 2, 0, 1, 1}, {4, 2}, backend);
    const Tensor counts = Tensor::from_indices(std::vector{2, 2, 2, 2}, {4}, backend);
    return {atoms, atoms, atoms, counts, counts};
  }
  void fill_tokens(std::int64_t step, std::span<std::int32_t> tokens, std::span<double>) override {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      tokens[i] =
          static_cast<std::int32_t>((i * i + 3 * i / 2 + static_cast<std::size_t>(step)) % 5);
  }
};

void check_near(const NamedTensors& found, const NamedTensors& expected) {
  REQUIRE(found.size() == expected.size());
  for (const auto& entry : found) {
    CAPTURE(entry.first);
    const auto a = entry.second.values(), b = find_tensor(expected, entry.first).values();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) < 1e-13);
  }
}

template <class F>
std::string complaint(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TransformerConfig cross_config() {
  TransformerConfig config;
  config.num_bins = 5;
  config.channels = 4;
  config.num_layers = 1;
  config.num_heads = 2;
  config.set_cartesian(1);
  config.conditioning = ConditioningConfig{4, 3, 3, true};
  config.cross_attention = true;
  return config;
}

Tensor ones(const Shape& shape) {
  Tensor tensor = Tensor::zeros(shape, DType::f32, Backend::cpu);
  tensor.fill(1.0);
  return tensor;
}

TEST_SUITE("golden") {
  TEST_CASE("a network with the older names is the same network") {
    for (const std::string name : kOldNetworks) {
      CAPTURE(name);
      OldSource source;
      source.conditioned = name == "cross-attention";
      const Checkpoint old = old_checkpoint(name, "step-2.safetensors");
      std::vector<std::int32_t> tokens(24);
      source.fill_tokens(100, tokens, {});
      const auto found = old.network(Backend::reference, true)
                             .log_likelihood(tokens, 4, source.molecules(0, Backend::reference));
      const auto& expected = old.description.at("log_likelihood").items();
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(std::abs(found[i] - expected[i].number()) < 1e-12);
    }
  }

  TEST_CASE("a run that was begun with the older names goes on as it would have gone") {
    for (const std::string name : kOldNetworks) {
      CAPTURE(name);
      OldSource source;
      source.conditioned = name == "cross-attention";
      const Checkpoint from = old_checkpoint(name, "step-2.safetensors"),
                       to = old_checkpoint(name, "step-4.safetensors");
      Transformer network(from.config, Backend::reference, 1);
      const BinnedHead head = make_cells(from.config.num_bins, from.config.length());
      Trainer trainer(network, head, source, TrainerOptions::from_json(from.trainer.at("options")));
      trainer.resume(from);
      CHECK(trainer.best().best_nats == 1.5);
      trainer.train_step();
      trainer.train_step();
      const Checkpoint found = trainer.checkpoint();
      check_near(found.weights, to.weights);
      check_near(found.averaged_weights, to.averaged_weights);
      check_near(found.first_moments, to.first_moments);
      check_near(found.second_moments, to.second_moments);
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE(
      "learned positions are written as published, [1, T, C], their average and moments too") {
    const auto path = std::filesystem::temp_directory_path() /
                      ("arbg_parameter_names_test_" + std::to_string(::getpid()));
    const Checkpoint old = old_checkpoint("learned-positions", "step-2.safetensors");
    old.write(path);
    const auto file = Safetensors::read(path);
    for (const char* prefix : {"", "ema.", "adamw.m.", "adamw.v."})
      CHECK(file.entry(prefix + std::string("pos_embed")).shape ==
            std::vector<std::int64_t>{1, 6, 4});
    const Checkpoint again = Checkpoint::read(path, Backend::reference);
    std::filesystem::remove(path);
    check_near(again.weights, old.weights);
    check_near(again.second_moments, old.second_moments);
  }

  TEST_CASE("keys and values that do not fit together are left, and refused by their names") {
    const std::string block = "blocks.0.cross_attn.";
    NamedTensors fits{{block + "v_proj.weight", ones({4, 4})},
                      {block + "k_proj.weight", ones({4, 4})}};
    take_file_names(fits, cross_config());
    REQUIRE(fits.size() == 1);
    CHECK(fits[0].first == block + "kv_proj.weight");
    CHECK(fits[0].second.shape() == Shape{8, 4});
    for (const Shape& other : {Shape{3, 4}, Shape{4}}) {
      NamedTensors bad{{block + "k_proj.weight", ones({4, 4})},
                       {block + "v_proj.weight", ones(other)}};
      take_file_names(bad, cross_config());
      CHECK(bad.size() == 2);
    }
    NamedTensors alone{{block + "v_proj.weight", ones({4, 4})}};
    take_file_names(alone, cross_config());
    CHECK(alone[0].first == block + "v_proj.weight");
  }

  TEST_CASE("an older and a published name of one parameter in one file are refused") {
    NamedTensors both{{"pos_embed", ones({1, 3, 4})}, {"pos_embed.weight", ones({3, 4})}};
    const auto message = complaint([&] { take_file_names(both, cross_config()); });
    CHECK(has(message,
              "two tensors for \"pos_embed\", one with the older name \"pos_embed.weight\""));
  }

  TEST_CASE("a parameter that is missing or unknown is refused with the nearest name") {
    const auto config = cross_config();
    const auto values = Transformer(config, Backend::cpu, 1).values();
    const auto renamed = [&](const std::string& from, const std::string& to) {
      NamedTensors list = values;
      for (auto& [name, tensor] : list) {
        if (name == from) name = to;
      }
      return complaint([&] { Transformer(config, Backend::cpu, list); });
    };
    CHECK(renamed("", "").empty());
    const auto missing =
        renamed("blocks.0.cross_attn.kv_proj.weight", "blocks.0.cross_attn.kvproj.weight");
    CHECK(has(missing,
              "no tensor named \"blocks.0.cross_attn.kv_proj.weight\"; the nearest name is "
              "\"blocks.0.cross_attn.kvproj.weight\""));
    NamedTensors more = values;
    more.emplace_back("final_norm.bias", ones({4}));
    const auto unknown = complaint([&] { Transformer(config, Backend::cpu, more); });
    CHECK(has(unknown, "\"final_norm.bias\""));
    CHECK(has(unknown, "the nearest name is \"final_norm.weight\""));
  }
}

}  // namespace
}  // namespace arbg::nn
