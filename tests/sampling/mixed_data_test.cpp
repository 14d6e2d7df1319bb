// Mixed data: a text file of molecules becomes batches that are a function of the step.
#include "sampling/training/mixed_data.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "md/dynamics/builder.h"
#include "md/files/pdb.h"
#include "md/files/trajectory_order.h"
#include "md/forcefields/forcefield.h"
#include "tensor/base/files.h"
#include "tensor/base/threads.h"
#include "tests/md/error_message.h"
#include "tests/tensor/temporary_folder.h"

using namespace arbg;
using namespace arbg::sampling;

namespace {

// `frames` copies of an idealised geometry, the whole moved by f nm in frame f: conformations that
// centring makes equal.
void write_trajectory(const std::filesystem::path& path, const std::string& sequence, int frames) {
  const auto topology = md::Topology::from_sequence(sequence);
  const auto system = md::ForceField::named("amber14-obc1").create_system(topology);
  const auto x = md::ideal_geometry(topology, system);
  std::vector<float> all;
  for (int f = 0; f < frames; ++f) {
    for (const double value : x) all.push_back(static_cast<float>(value + f));
  }
  const std::int64_t shape[] = {frames, topology.atom_count(), 3};
  write_npy(path, shape, std::span<const float>(all));
}

// GG (14 + 3 atoms), GA and AG (both 20) and AA (23): three files and a folder.
struct Mixture {
  Mixture() {
    write_trajectory(folder / "GG_310K_train.npy", "GG", 40);
    write_trajectory(folder / "GA_310K_train.npy", "GA", 20);
    write_trajectory(folder / "AG.npy", "AG", 20);
    create_folder(folder / "aa-md");
    write_trajectory(folder / "aa-md/positions.npy", "AA", 80);
    const auto topology = md::Topology::from_sequence("AG");
    const auto system = md::ForceField::named("amber14-obc1").create_system(topology);
    md::write_pdb(folder / "ag.pdb", topology, md::ideal_geometry(topology, system));
    write(
        "# dipeptides\n\nGG GG_310K_train.npy built   # published\nGA\tGA_310K_train.npy built 2\n"
        "anything AG.npy ag.pdb\n  AA aa-md built 0.5\n");
  }
  void write(const std::string& text) const { write_file(folder / "mix.txt", text); }
  MixedData data(MixedOptions options) const {
    return MixedData(read_mixture_file(folder / "mix.txt"), options);
  }
  std::string refusal(const std::string& text) const {
    write(text);
    return error_message([&] { data({}); });
  }
  TemporaryFolder folder;
};

MixedOptions options_for(std::int64_t batch) {
  MixedOptions options;
  options.bins = 256;
  options.batch = batch;
  return options;
}

std::vector<double> batch_of(MixedData& data, std::int64_t step, std::int64_t batch) {
  std::vector<double> z(static_cast<std::size_t>(batch * 3 * data.most_atoms()));
  data.fill(step, z, {});
  return z;
}

}  // namespace

TEST_SUITE_BEGIN("fast");

TEST_CASE("a mixture file gives names, paths beside it, topologies and weights") {
  const Mixture mixture;
  const auto entries = read_mixture_file(mixture.folder / "mix.txt");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].name == "GG");
  CHECK(entries[0].trajectory == mixture.folder / "GG_310K_train.npy");
  CHECK(entries[0].topology.empty());
  CHECK(entries[0].weight == 1);
  CHECK(entries[1].weight == 2);
  CHECK(entries[2].topology == mixture.folder / "ag.pdb");
  CHECK(entries[3].trajectory == mixture.folder / "aa-md/positions.npy");
  CHECK(entries[3].where == (mixture.folder / "mix.txt").string() + ":6");
}

TEST_CASE("what a mixture file says wrongly is refused with its line") {
  const Mixture mixture;
  const auto has = [&](const std::string& text, const std::string& part) {
    const std::string message = mixture.refusal(text);
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  };
  has("# nothing\n", "mix.txt: expected a line NAME TRAJECTORY TOPOLOGY");
  has("GG GG_310K_train.npy\n", "mix.txt:1: expected NAME TRAJECTORY TOPOLOGY [WEIGHT], found 2");
  has("\nGG GG_310K_train.npy built -1\n", "mix.txt:2: expected a weight above 0, found '-1'");
  has("GG GG_310K_train.npy built 1x\n", "found '1x'");
  has("GG GG_310K_train.npy built nan\n", "found 'nan'");
  has("GG GG_310K_train.npy built\nGG AG.npy ag.pdb\n", "mix.txt:2: the molecule 'GG' is on line 1");
  has("GX GG_310K_train.npy built\n", "mix.txt:1: sequence 'GX'");
  has("GG none.npy built\n", "mix.txt:1: cannot open ");
  has("GG GG_310K_train.npy none.pdb\n", "none.pdb");
  has("AA GG_310K_train.npy built\n",
      "expected positions of shape [frames, 23, 3] in nm, found [40");
  has("Ace-G-Nme GG_310K_train.npy built\n", "mix.txt:1:");
  has("GA AG.npy built\n", "must have the order of the topology");
  write_npy(mixture.folder / "none.npy", Array<float>{{0, 17, 3}, {}});
  has("GG none.npy built\n", "no frames");
  std::vector<float> bad(2 * 17 * 3, NAN);
  write_npy(mixture.folder / "bad.npy", Array<float>{{2, 17, 3}, bad});
  has("GG bad.npy built\n", "frame 0 holds a number that is not finite");
  has("GG bad.npz built\n", "frames one at a time, from .npy files only");
  std::vector<float> hole(3 * 17 * 3);
  write_npy(mixture.folder / "hole.npy", Array<float>{{3, 17, 3}, hole});
  has("GG hole.npy built\n", "frame 0 has all atoms at one place");
  const auto right = read_npy(mixture.folder / "aa-md/positions.npy").data;
  std::vector<float> wrong(right.begin(), right.end());
  for (std::size_t i = 40 * 69; i < 41 * 69; i += 3) wrong[i] = -wrong[i];
  write_npy(mixture.folder / "wrong.npy", Array<float>{{80, 23, 3}, wrong});
  has("AA wrong.npy built\n", "wrong.npy: frame 40: ALA1 is a D residue");
  write_file(mixture.folder / "GG_310K.pdb", read_file(mixture.folder / "ag.pdb"));
  has("GG GG_310K_train.npy built\n",
      "GG_310K.pdb, are not those of the molecule: expected the atom GLY1:");
  write_trajectory(mixture.folder / "ace.npy", "Ace-G-Nme", 3);
  has("Ace-G-Nme ace.npy built\n", "residue ACE1 has no code");
}

TEST_CASE("a trajectory in the order of a PDB file beside it is matched by names") {
  const Mixture mixture;
  MixedData plain = mixture.data(options_for(32));
  CHECK(std::ranges::all_of(plain.molecules(), [](const auto& m) { return m.note.empty(); }));
  const auto expected = batch_of(plain, 5, 32);

  // The same conformations with the atoms of every residue turned round.
  const auto topology = md::Topology::from_sequence("GG");
  md::Topology turned = topology;
  std::vector<int> order;  // of the turned file
  for (const auto& residue : topology.residues) {
    for (int k = residue.atom_count; k-- > 0;) order.push_back(residue.first_atom + k);
  }
  const auto path = mixture.folder / "GG_310K_train.npy";
  const auto frames = read_npy(path);
  const auto moved = md::reordered(frames.data, order);
  write_npy(path, Array<float>{frames.shape, {moved.begin(), moved.end()}});
  for (std::size_t i = 0; i < order.size(); ++i)
    turned.atoms[i] = topology.atoms[static_cast<std::size_t>(order[i])];
  const std::span<const double> first(moved);
  md::write_pdb(mixture.folder / "GG_310K.pdb", turned, first.first(3 * order.size()));

  MixedData matched = mixture.data(options_for(32));
  CHECK(batch_of(matched, 5, 32) == expected);
  const auto& gg = matched.molecules().back();
  CHECK(gg.note == path.string() + ": atoms are ordered as in " +
                       (mixture.folder / "GG_310K.pdb").string() + ", and matched by names");
}

TEST_CASE("batch s is a function of s, whatever was asked before and with any number of threads") {
  const Mixture mixture;
  const int threads = thread_count();
  auto data = mixture.data(options_for(9));
  std::vector<std::vector<double>> batches;
  for (std::int64_t step = 0; step < 6; ++step) batches.push_back(batch_of(data, step, 9));
  for (const int used : {1, 2}) {
    set_thread_count(used);
    auto fresh = mixture.data(options_for(9));
    for (const std::int64_t step : {5, 0, 3})
      CHECK(batch_of(fresh, step, 9) == batches[static_cast<std::size_t>(step)]);
  }
  set_thread_count(threads);
  CHECK(batches[0] != batches[1]);
  auto options = options_for(9);
  options.seed = 2;
  auto other = mixture.data(options);
  CHECK(batch_of(other, 0, 9) != batches[0]);
}

TEST_CASE("molecules have their share of every batch within one, conformations uniform shares") {
  const Mixture mixture;
  constexpr std::int64_t kBatch = 32, kSteps = 2000;
  const auto data = mixture.data(options_for(kBatch));
  // Frames to train on (95 %) times weight: GG 38, GA 19 x 2, AG 19, AA 76 / 2.
  const std::map<std::string, double> shares = {
      {"GG", 38 / 133.}, {"GA", 38 / 133.}, {"anything", 19 / 133.}, {"AA", 38 / 133.}};
  std::map<std::string, std::vector<double>> counts;
  for (const auto& molecule : data.molecules())
    counts[molecule.name].resize(static_cast<std::size_t>(molecule.train));
  for (std::int64_t step = 0; step < kSteps; ++step) {
    std::map<std::string, double> in_batch;
    std::int64_t atoms = data.most_atoms();
    for (const auto& [molecule, frame] : data.visits(step)) {
      in_batch[molecule->name] += 1;
      counts[molecule->name].at(static_cast<std::size_t>(frame)) += 1;
      CHECK(molecule->encoding.atom_count() <= atoms);  // longest first
      atoms = molecule->encoding.atom_count();
    }
    for (const auto& [name, share] : shares) CHECK(std::abs(in_batch[name] - kBatch * share) < 1);
  }
  for (const auto& [name, count] : counts) {
    const double total = std::accumulate(count.begin(), count.end(), 0.0);
    CHECK(std::abs(total / (kBatch * kSteps) - shares.at(name)) < 0.002);
    const double mean = total / static_cast<double>(count.size());
    double chi_square = 0;
    for (const double n : count) chi_square += (n - mean) * (n - mean) / mean;
    const double freedom = static_cast<double>(count.size() - 1);
    CHECK(std::abs(chi_square - freedom) < 4 * std::sqrt(2 * freedom));
  }
}

TEST_CASE(
    "coordinates are those of the molecule in its random frame, padding is zero and told so") {
  const Mixture mixture;
  auto data = mixture.data(options_for(16));
  REQUIRE(data.most_atoms() == 23);
  const auto z = batch_of(data, 3, 16);
  const auto visits = data.visits(3);
  const auto molecules = static_cast<nn::TrainingBatchSource&>(data).molecules(3, nn::Backend::cpu);
  molecules.check();
  for (std::size_t b = 0; b < 16; ++b) {
    const auto& molecule = *visits[b].molecule;
    const auto own = static_cast<std::size_t>(3 * molecule.encoding.atom_count());
    CHECK(molecules.atom_count.indices()[b] == molecule.encoding.atom_count());
    const auto row = std::span(z).subspan(b * 69, 69);
    for (std::size_t j = own; j < 69; ++j) CHECK(row[j] == 0);
    // Distances between atoms survive rotation and shift.
    std::vector<double> x(own), y;
    molecule.frames.read(visits[b].frame, x);
    CHECK(data.head().inside(row.first(own)));
    for (std::size_t j = 0; j < own; ++j) y.push_back(0.35 * row[j]);
    const auto distance = [](const std::vector<double>& at, std::size_t i) {
      return std::hypot(at[i] - at[0], at[i + 1] - at[1], at[i + 2] - at[2]);
    };
    for (std::size_t i = 3; i < own; i += 3)
      CHECK(std::abs(distance(x, i) - distance(y, i)) < 1e-4);  // float32 far from zero
  }
}

TEST_CASE("held-out frames are the last ones and never trained on") {
  const Mixture mixture;
  auto options = options_for(8);
  options.held_out = 0.25;
  const auto data = mixture.data(options);
  CHECK(data.frames() == 30 + 15 + 15 + 60);
  for (const auto& molecule : data.molecules()) {
    CHECK(4 * molecule.train == 3 * molecule.frames.frames());
    const auto width = static_cast<std::size_t>(3 * molecule.encoding.atom_count());
    CHECK(data.held_out_coordinates(molecule, 3).size() == 3 * width);
    CHECK(data.held_out_coordinates(molecule, 1000).size() ==
          static_cast<std::size_t>(molecule.held_out()) * width);
  }
}

TEST_SUITE_END();
