#include "sampling/training/mixed_data.h"

#include <algorithm>
#include <cmath>

#include "md/files/pdb.h"
#include "md/files/trajectory_order.h"
#include "md/forcefields/forcefield.h"
#include "md/molecule/stereocentres.h"
#include "md/molecule/structure_check.h"
#include "sampling/proposals/generator.h"
#include "sampling/training/training_data.h"
#include "tensor/base/error.h"
#include "tensor/base/json.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

md::Topology topology_of(const MixtureEntry& entry) {
  if (entry.topology.empty()) return md::Topology::from_sequence(entry.name);
  md::Pdb pdb = md::read_pdb(entry.topology);
  require(pdb.note.empty(), pdb.note, ": a topology for training must have one place an atom");
  md::require_natural_hands(pdb.topology,
                            std::span(pdb.positions_nm).first(3 * pdb.topology.atoms.size()),
                            entry.topology.string());
  return std::move(pdb.topology);
}

void read_frame(const MixedMolecule& molecule, std::int64_t frame, std::span<double> out) {
  const std::string& file = molecule.frames.path().string();
  molecule.frames.read(frame, out);
  const auto fault = md::conformation_fault(out);
  require(fault.empty(), file, ": frame ", frame, " ", fault, "; remove the frame");
  if (!molecule.order.empty()) std::ranges::copy(md::reordered(out, molecule.order), out.begin());
  if (std::ranges::any_of(molecule.centres, [&](const auto& c) { return c.volume(out) < 0; }))
    md::require_natural_hands(molecule.topology, out, file + ": frame " + std::to_string(frame));
}

// Where the trajectory has another order than the molecule, by a PDB file beside it.
void match_atoms(MixedMolecule& molecule) {
  const auto& trajectory = molecule.frames.path();
  const auto pdb = md::pdb_beside(trajectory);
  if (pdb.empty()) return;
  try {
    molecule.order = md::atom_order(md::read_pdb(pdb).topology, molecule.topology);
  } catch (const Error& error) {
    fail(trajectory.string(), ": its atoms, by ", pdb.string(),
         ", are not those of the molecule: ", error.what());
  }
  const bool same = md::is_same_order(molecule.order);
  if (same) molecule.order.clear();
  molecule.note = md::order_note(trajectory, pdb, !same);
}

// By evenly spaced frames, against lengths that all force fields nearly share.
void check_bonds(const MixedMolecule& molecule) {
  constexpr std::int64_t kMostFrames = 20;
  const md::Topology& topology = molecule.topology;
  const std::int64_t all = molecule.frames.frames(), count = std::min(all, kMostFrames);
  const std::size_t size = 3 * topology.atoms.size();
  std::vector<double> some(static_cast<std::size_t>(count) * size);
  for (std::int64_t k = 0; k < count; ++k)
    read_frame(molecule, k * all / count,
               std::span(some).subspan(static_cast<std::size_t>(k) * size, size));
  md::require_bonded(topology, md::ForceField::named("amber14-obc1").create_system(topology), some,
                     molecule.frames.path().string());
}

MixedMolecule load(const MixtureEntry& entry, double held_out) {
  const md::Topology topology = topology_of(entry);
  require(
      entry.trajectory.extension() != ".npz", entry.trajectory.string(),
      ": a mixture reads frames one at a time, from .npy files only; write one by arbg convert");
  MixedMolecule out{entry.name,
                    topology,
                    md::stereocentres(topology),
                    encode_molecule(topology),
                    NpyFrames(entry.trajectory),
                    {},
                    "",
                    0,
                    entry.weight};
  match_atoms(out);
  const auto& shape = out.frames.shape();
  require(shape.size() == 3 && shape[1] == topology.atom_count() && shape[2] == 3,
          entry.trajectory.string(), ": expected positions of shape [frames, ",
          topology.atom_count(), ", 3] in nm, found ",
          Json(Json::List(shape.begin(), shape.end())).dump());
  const auto count = out.frames.frames();
  out.train = count - static_cast<std::int64_t>(held_out * static_cast<double>(count));
  require(out.train > 0, entry.trajectory.string(), ": there are no frames to train on");
  check_bonds(out);
  return out;
}

}  // namespace

MixedData::MixedData(const std::vector<MixtureEntry>& entries, const MixedOptions& options)
    : options_(options) {
  require(!entries.empty(), "a mixed data set needs a molecule");
  for (const auto& entry : entries) {
    try {
      molecules_.push_back(load(entry, options.held_out));
    } catch (const Error& error) {
      fail(entry.where, ": ", error.what());
    }
  }
  std::ranges::stable_sort(molecules_, std::greater{},
                           [](const MixedMolecule& m) { return m.encoding.atom_count(); });
  double sum = 0;
  for (const auto& molecule : molecules_) {
    cumulative_.push_back(sum += molecule.weight * static_cast<double>(molecule.train));
    const auto atoms = molecule.encoding.atom_count();
    if (maps_.contains(atoms)) continue;
    maps_[atoms] = md::make_cartesian_map(static_cast<int>(atoms), options.scale_nm, options.range);
  }
  head_.emplace(bins_of(map(most_atoms()), options.bins));
}

std::int64_t MixedData::frames() const {
  std::int64_t sum = 0;
  for (const auto& molecule : molecules_) sum += molecule.train;
  return sum;
}

// One uniform places B points, a B-th of the whole apart, on the shares laid end to end.
std::vector<MixedData::Visit> MixedData::visits(std::int64_t step) const {
  const Random random(options_.seed,
                      stream_id(streams::kMixedBatch, static_cast<std::uint64_t>(step)));
  const double first = random.uniform(0);
  std::vector<Visit> out;
  std::size_t m = 0;
  for (std::int64_t b = 0; b < options_.batch; ++b) {
    const double point =
        (static_cast<double>(b) + first) / static_cast<double>(options_.batch) * cumulative_.back();
    while (m + 1 < molecules_.size() && cumulative_[m] <= point) ++m;
    out.push_back(
        {&molecules_[m], random.below(molecules_[m].train, static_cast<std::uint64_t>(b) + 1)});
  }
  return out;
}

void MixedData::encode(const Visit& visit, const Random& random, std::span<double> z) const {
  std::vector<double> x(z.size());
  read_frame(*visit.molecule, visit.frame, x);
  try {
    encode_inside(map(visit.molecule->encoding.atom_count()), head(), x, random, z);
  } catch (const Error& error) {
    fail(visit.molecule->frames.path().string(), ": frame ", visit.frame, ": ", error.what());
  }
}

void MixedData::fill(std::int64_t step, std::span<double> z, std::span<double> log_target) {
  require(log_target.empty(), "a mixed data set has no energies for the variance term");
  const auto rows = visits(step);
  const std::size_t length = z.size() / rows.size();
  require(z.size() == rows.size() * length && length == static_cast<std::size_t>(3 * most_atoms()),
          "expected rows for ", rows.size(), " molecules of at most ", most_atoms(), " atoms");
  std::ranges::fill(z, 0);
  parallel_for(options_.batch, [&](std::int64_t i) {
    const auto b = static_cast<std::size_t>(i);
    const auto visit = static_cast<std::uint64_t>(step * options_.batch + i);
    const auto own = static_cast<std::size_t>(3 * rows[b].molecule->encoding.atom_count());
    encode(rows[b], Random(options_.seed, stream_id(streams::kFrame, visit)),
           z.subspan(b * length, own));
  });
}

nn::Molecules MixedData::molecules(std::int64_t step, nn::Backend backend) {
  std::vector<const MoleculeEncoding*> rows;
  for (const auto& visit : visits(step)) rows.push_back(&visit.molecule->encoding);
  return stack_molecules(rows, most_atoms(), backend);
}

std::vector<double> MixedData::held_out_coordinates(const MixedMolecule& molecule,
                                                    std::int64_t most) const {
  const auto count = std::min(most, molecule.held_out());
  const auto length = static_cast<std::size_t>(3 * molecule.encoding.atom_count());
  std::vector<double> z(static_cast<std::size_t>(count) * length);
  parallel_for(count, [&](std::int64_t i) {
    const Visit visit{&molecule, molecule.train + i * molecule.held_out() / count};
    encode(visit,
           Random(options_.seed, stream_id(streams::kHeldOut, static_cast<std::uint64_t>(i))),
           std::span(z).subspan(static_cast<std::size_t>(i) * length, length));
  });
  return z;
}

}  // namespace arbg::sampling
