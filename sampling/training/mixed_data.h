// Conformations of many molecules as training batches for a conditioned network in Cartesian
// coordinates.
//
// Batch s is a function of s: its molecules are a systematic draw, so that each has within one its
// share of the batch, proportional to weight times conformations; conformations are uniform draws
// with replacement, hence visited once an epoch in expectation. A batch is ordered by falling
// number of atoms, so that molecules that share a micro-batch are padded little. Every visit has a
// new random rotation and shift, as published; one scale serves all molecules.
// Frames are read from disk when they are visited: memory holds 12 bytes an atom of each molecule,
// never the trajectories. Their number and size are limited by the disk alone.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "md/coordinates/coordinate_map.h"
#include "md/molecule/stereocentres.h"
#include "md/molecule/topology.h"
#include "nn/heads/binned.h"
#include "nn/training/trainer.h"
#include "sampling/proposals/encodings.h"
#include "sampling/training/mixture_file.h"
#include "tensor/base/npy.h"

namespace arbg::sampling {

struct MixedOptions {
  double scale_nm = 0.35, range = 4.5;  // bins cover +-range times the scale
  std::int64_t bins = 8192;
  std::int64_t batch = 512;
  double held_out = 0.05;  // fraction of each molecule's frames, the last ones, never trained on
  std::uint64_t seed = 1;
};

struct MixedMolecule {
  std::string name;
  md::Topology topology;
  std::vector<md::Stereocentre> centres;
  MoleculeEncoding encoding;
  NpyFrames frames;        // all, held out or not
  std::vector<int> order;  // of the file's atoms, where it is not that of the encoding
  std::string note;        // one sentence for the user if they were matched by names, or empty
  std::int64_t train = 0;  // the first ones
  double weight = 1;

  std::int64_t held_out() const { return frames.frames() - train; }
};

class MixedData : public nn::TrainingBatchSource {
 public:
  // A PDB file beside a trajectory (md/files/trajectory_order.h) says in which order it has its
  // atoms. Throws Error with the line of the mixture file and the file that does not fit: no such
  // sequence, a residue without code, other atoms, bonds of wrong lengths, a D residue (in the
  // frames that are looked at; in others when they are visited).
  MixedData(const std::vector<MixtureEntry>& entries, const MixedOptions& options);

  // By falling number of atoms.
  const std::vector<MixedMolecule>& molecules() const { return molecules_; }
  std::int64_t most_atoms() const { return molecules_.front().encoding.atom_count(); }
  std::int64_t frames() const;  // to train on

  // The coordinates of a molecule of that many atoms.
  const md::CoordinateMap& map(std::int64_t atoms) const { return *maps_.at(atoms); }
  // Of the longest molecule; its first coordinates are those of the others.
  const nn::BinnedHead& head() const { return *head_; }

  // Coordinates [F, 3N] of at most `most` held-out frames of a molecule, evenly spaced.
  std::vector<double> held_out_coordinates(const MixedMolecule& molecule, std::int64_t most) const;

  // Rows of 3 most_atoms coordinates, 0 behind those of the molecule. There is no log target.
  void fill(std::int64_t step, std::span<double> z, std::span<double> log_target) override;
  nn::Molecules molecules(std::int64_t step, nn::Backend backend) override;

  // What row b of a batch is of.
  struct Visit {
    const MixedMolecule* molecule;
    std::int64_t frame;
  };
  std::vector<Visit> visits(std::int64_t step) const;

 private:
  void encode(const Visit& visit, const Random& random, std::span<double> z) const;

  MixedOptions options_;
  std::vector<MixedMolecule> molecules_;
  std::vector<double> cumulative_;  // of weight times conformations, [molecules]
  std::map<std::int64_t, std::unique_ptr<md::CoordinateMap>> maps_;  // by number of atoms
  std::optional<nn::BinnedHead> head_;
};

}  // namespace arbg::sampling
