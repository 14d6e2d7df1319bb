// A checkpoint: a safetensors file with weights under their published names and all that is needed
// to use them; older files of ours have other names (parameter_names.h).
//
// `__metadata__` holds JSON texts: "config" (TransformerConfig), "bins" (CoordinateBins),
// "description" (the caller's: coordinate map, data set, molecule) and, while training, "trainer"
// (options and position). Averaged weights are named "ema.NAME", the optimiser's moments
// "adamw.m.NAME" and "adamw.v.NAME". Random numbers are a function of (seed, step), so that nothing
// else is needed to go on bit for bit. Number types are kept (F32, or F64 of the reference).
#pragma once

#include <filesystem>
#include <optional>

#include "nn/heads/coordinate_bins.h"
#include "nn/transformer/module.h"
#include "nn/transformer/transformer.h"

namespace arbg::nn {

class Safetensors;

struct Checkpoint {
  TransformerConfig config;
  std::optional<CoordinateBins> bins;
  Json description = Json::object();
  NamedTensors weights;
  NamedTensors averaged_weights;  // empty: none

  // Training state; trainer is null in a file that is only a model.
  Json trainer;
  NamedTensors first_moments, second_moments;

  // Throws Error on anything malformed, naming the file and the tensor or member. Reads published
  // weights too, if `config` is given (their files carry none); otherwise the file's own config is
  // used.
  static Checkpoint read(const std::filesystem::path& path, Backend backend,
                         const std::optional<TransformerConfig>& config = {});
  // The same from bytes already in memory; `name` stands for the path in messages.
  static Checkpoint parse(std::string bytes, const std::string& name, Backend backend,
                          const std::optional<TransformerConfig>& config = {});
  void write(const std::filesystem::path& path) const;

  // The network, with the averaged weights if wanted and present. It shares their storage with
  // this checkpoint if they are of that backend.
  Transformer network(Backend backend, bool averaged) const;

 private:
  static Checkpoint from(const Safetensors& file, const std::string& name, Backend backend,
                         const std::optional<TransformerConfig>& config);
};

}  // namespace arbg::nn
