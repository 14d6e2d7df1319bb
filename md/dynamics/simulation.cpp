#include "md/dynamics/simulation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <optional>

#include "md/dynamics/dynamics.h"
#include "md/dynamics/scramble.h"
#include "md/dynamics/simulation_checkpoint.h"
#include "md/dynamics/simulation_file.h"
#include "md/dynamics/temperature_ladder.h"
#include "md/energy/engine.h"
#include "md/files/pdb.h"
#include "md/molecule/structure_check.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/json_file.h"
#include "tensor/base/npy.h"
#include "tensor/base/shared_interrupt.h"

namespace arbg::md {

namespace {

namespace fs = std::filesystem;

void require_sensible(const SimulationOptions& o) {
  require(o.replicas >= 1 && o.ladder >= 1,
          "expected at least one replica and one temperature, found ", o.replicas, " and ",
          o.ladder);
  require(o.steps >= 0 && o.warmup_steps >= 0 && o.scramble_steps >= 0,
          "expected no negative numbers of steps, found ", o.steps, ", ", o.warmup_steps, " and ",
          o.scramble_steps);
  require(o.scramble_steps == 0 || (std::isfinite(o.scramble_kelvin) && o.scramble_kelvin > 0),
          "expected a temperature above 0 K to scramble at, found ", o.scramble_kelvin, " K");
  require(o.save_interval >= 1 && o.swap_interval >= 1 && o.checkpoint_interval >= 1,
          "expected intervals of at least 1, found ", o.save_interval, " (save), ", o.swap_interval,
          " (swap), ", o.checkpoint_interval, " (checkpoint)");
  require(o.turn_interval >= 0, "expected no negative interval of turns, found ", o.turn_interval);
  require(o.top_temperature_kelvin >= o.temperature_kelvin,
          "expected a top temperature of at least ", o.temperature_kelvin,
          " K, that of the run, found ", o.top_temperature_kelvin, " K");
}

std::vector<double> swap_acceptance(const SimulationOptions& o, const SimulationCheckpoint& c) {
  std::vector<double> rates;
  const double tried = static_cast<double>(std::max<std::int64_t>(1, c.sweeps * o.replicas));
  for (const std::int64_t count : c.swapped) rates.push_back(static_cast<double>(count) / tried);
  return rates;
}

std::optional<double> turn_acceptance(const SimulationCheckpoint& c) {
  if (c.turn_tries == 0) return {};
  return static_cast<double>(c.turned) / static_cast<double>(c.turn_tries);
}

// What run.json says at a checkpoint.
SimulationFile file_of(const SimulationOptions& o, int atoms, const std::vector<double>& rungs,
                       const SimulationCheckpoint& c) {
  SimulationFile out;
  out.options = o;
  out.atoms = atoms;
  out.ladder_kelvin = rungs;
  out.swap_acceptance = swap_acceptance(o, c);
  out.turn_acceptance = turn_acceptance(c);
  out.step = c.state.step;
  out.frames = c.saves * o.replicas;
  return out;
}

// A run writes run.json, then frames, then a checkpoint of them, then run.json again. Throws Error
// if a file is missing that was written before what is there: the run would start over and replace
// the frames, or go on under other settings.
void require_whole(const fs::path& folder, const std::optional<SimulationFile>& there) {
  const std::int64_t step = there ? there->step : 0;
  for (const char* name : {"checkpoint.bin", "positions.npy", "energy.npy"}) {
    const fs::path path = folder / name;
    const bool exists = fs::exists(path);
    require(there || !exists, path.string(), " has no run.json beside it, which is written first: ",
            "bring it back or choose another folder");
    require(exists || step == 0, path.string(),
            " is missing, and the run.json beside it is at step ", step,
            ": bring it back or choose another folder");
  }
}

// An open folder.
class OpenFolder {
 public:
  explicit OpenFolder(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    require(fd_ >= 0, "cannot open ", folder.string(), ": ", std::strerror(errno));
  }
  ~OpenFolder() { ::close(fd_); }
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The two trajectories; what they hold beyond the checkpoint is cut off. Throws Error naming file
// and frame of what is no conformation or no energy, which would spoil what is said of the whole
// run, and if a checkpoint of a save is not where the frames end: they are of two runs.
class Frames {
 public:
  // require_ours() throws if the folder under that name is another's. It is asked once the folder
  // is open, in which the files are then made, and again before they are read by name.
  Frames(const fs::path& folder, const EnergyEngine& engine, const SimulationOptions& options,
         const SimulationCheckpoint& checkpoint, const std::function<void()>& require_ours)
      : engine_(engine),
        options_(options),
        open_(folder),
        positions_((require_ours(), folder / "positions.npy"), {engine.system().atom_count(), 3},
                   checkpoint.saves * options.replicas, open_.fd()),
        energy_(folder / "energy.npy", {}, checkpoint.saves * options.replicas, open_.fd()) {
    require_ours();
    require_sound(folder);
    const std::int64_t since = checkpoint.state.step - options.steps_before_saves();
    if (since > 0 && since % options.save_interval == 0) require_ends_at(folder, checkpoint.state);
  }

  // One frame of the coldest temperature of each ladder.
  void append(const DynamicsState& state) {
    const std::vector<float> frames = coldest(state);
    const EnergyResult result =
        engine_.evaluate(std::vector<double>(frames.begin(), frames.end()), false);
    std::vector<float> reduced;
    for (std::size_t r = 0; r < result.energy_kj_mol.size(); ++r) {
      const double u = result.energy_kj_mol[r] / thermal_energy(options_.temperature_kelvin);
      require(std::isfinite(u), "the energy of replica ", r, " is not finite at step ", state.step);
      reduced.push_back(static_cast<float>(u));
    }
    positions_.append(frames);
    energy_.append(reduced);
  }

  void sync() {
    positions_.sync();
    energy_.sync();
  }

 private:
  static constexpr const char* kAdvice = "; bring back the file as it was or choose another folder";

  std::size_t frame_size() const {
    return 3 * static_cast<std::size_t>(engine_.system().atom_count());
  }

  std::vector<float> coldest(const DynamicsState& state) const {
    const auto ladder = static_cast<std::size_t>(options_.ladder),
               replicas = static_cast<std::size_t>(options_.replicas);
    std::vector<float> frames;
    for (std::size_t r = 0; r < replicas; ++r) {
      const auto one =
          std::span(state.positions_nm).subspan(r * ladder * frame_size(), frame_size());
      frames.insert(frames.end(), one.begin(), one.end());
    }
    return frames;
  }

  void require_sound(const fs::path& folder) const {
    const NpyFrames positions(folder / "positions.npy");
    const Array<double> energy = read_npy(folder / "energy.npy");
    std::vector<double> frame(frame_size());
    for (std::int64_t f = 0; f < positions_.frames(); ++f) {
      positions.read(f, frame);
      const std::string fault = conformation_fault(frame);
      require(fault.empty(), positions.path().string(), ": frame ", f, " ", fault, kAdvice);
      const double u = energy.data[static_cast<std::size_t>(f)];
      require(std::isfinite(u), (folder / "energy.npy").string(), ": the energy of frame ", f,
              " is not a finite number", kAdvice);
    }
  }

  void require_ends_at(const fs::path& folder, const DynamicsState& state) const {
    const NpyFrames positions(folder / "positions.npy");
    const std::vector<float> expected = coldest(state);
    std::vector<double> frame(frame_size());
    for (int r = 0; r < options_.replicas; ++r) {
      const std::int64_t f = positions_.frames() - options_.replicas + r;
      positions.read(f, frame);
      require(
          std::ranges::equal(frame, std::span(expected).subspan(
                                        static_cast<std::size_t>(r) * frame_size(), frame_size())),
          positions.path().string(), ": frame ", f,
          " is not where the checkpoint.bin beside it stands, that is of another run", kAdvice);
    }
  }

  const EnergyEngine& engine_;
  const SimulationOptions& options_;
  OpenFolder open_;
  NpyAppender positions_, energy_;
};

// The step at which the hot start ends: a fifth of the warm-up after its beginning.
std::int64_t hot_start_ends(const SimulationOptions& o) {
  const bool is_hotter = o.top_temperature_kelvin > o.temperature_kelvin;
  return o.scramble_steps + (is_hotter ? o.warmup_steps / 5 : 0);
}

ScrambleOptions scramble_of(const SimulationOptions& o) {
  return {o.scramble_steps, o.scramble_kelvin, o.timestep_ps};
}

// Of thermostats that warm up: during the hot start the top temperature, then those of the run.
std::vector<double> warm_kelvin(const SimulationOptions& o, std::int64_t step,
                                const std::vector<double>& of_run) {
  if (step >= hot_start_ends(o)) return of_run;
  return std::vector<double>(of_run.size(), o.top_temperature_kelvin);
}

// Of all thermostats at a step.
std::vector<double> kelvin_at(const SimulationOptions& o, std::int64_t step,
                              const std::vector<double>& of_run) {
  std::vector<double> kelvin = warm_kelvin(o, std::max(step, o.scramble_steps), of_run);
  if (step >= o.scramble_steps) return kelvin;
  for (double& now : kelvin) now = scramble_kelvin(scramble_of(o), step, now);
  return kelvin;
}

// Steps from the last beginning: that of the warm-up, or of what is saved.
std::int64_t since_beginning(const SimulationOptions& o, std::int64_t step) {
  return step - (step < o.steps_before_saves() ? o.scramble_steps : o.steps_before_saves());
}

// Steps from `step` to the next one where something is due: a swap, a turn, a save, the end of the
// hot start, of the warm-up or of the run.
std::int64_t steps_until_due(const SimulationOptions& o, std::int64_t step) {
  const std::int64_t lead = o.steps_before_saves(), end = step < lead ? lead : lead + o.steps;
  std::int64_t due =
      std::min(end - step, o.save_interval - since_beginning(o, step) % o.save_interval);
  if (step < hot_start_ends(o)) due = std::min(due, hot_start_ends(o) - step);
  if (o.ladder > 1) due = std::min(due, o.swap_interval - step % o.swap_interval);
  if (o.turn_interval > 0) due = std::min(due, o.turn_interval - step % o.turn_interval);
  return due;
}

// Where all replicas stand, of which this rank has a share: of the first rank alone.
DynamicsState state_of_all(const DynamicsState& own, const Ranks& ranks) {
  return {ranks.gather_at_first(std::span(own.positions_nm)),
          ranks.gather_at_first(std::span(own.velocities_nm_ps)), own.step};
}

// Counts over all replicas, at the first rank; zeros at the others, which begin anew.
std::vector<std::int64_t> counts_of_all(const std::vector<std::int64_t>& own, const Ranks& ranks) {
  std::vector<std::int64_t> sum(own.size());
  const auto all = ranks.gather_at_first(std::span(own));
  for (std::size_t i = 0; i < all.size(); ++i) sum[i % sum.size()] += all[i];
  return sum;
}

// The part of all replicas that is this rank's: of `total` rows.
std::vector<double> own_part(const std::vector<double>& all, std::int64_t total,
                             const Share& share) {
  const std::int64_t row = std::ssize(all) / total;
  return {all.begin() + share.first * row, all.begin() + share.last * row};
}

}  // namespace

SimulationResult run_simulation(const fs::path& folder, const Topology& topology,
                                const System& system, const SimulationOptions& asked,
                                std::span<const double> start_nm,
                                const std::function<void(std::int64_t, std::int64_t)>& progress,
                                const Ranks& ranks) {
  const auto begin = std::chrono::steady_clock::now();
  SimulationOptions o = asked;
  require_sensible(o);
  require(ranks.count() <= o.replicas, "expected a replica for each of ", ranks.count(),
          " processes, found ", o.replicas);
  const fs::path checkpoint_path = folder / "checkpoint.bin";
  std::optional<SimulationFile> there;
  if (fs::exists(folder / "run.json")) there = read_simulation_file(folder);
  const std::vector<double> rungs =
      temperature_ladder(o.temperature_kelvin, o.top_temperature_kelvin, o.ladder);
  std::vector<double> temperatures;
  for (int r = 0; r < o.replicas; ++r)
    temperatures.insert(temperatures.end(), rungs.begin(), rungs.end());

  const EnergyEngine engine(system, o.backend);
  std::vector<double> start(start_nm.begin(), start_nm.end());
  SimulationCheckpoint c;
  c.swapped.assign(rungs.size() - 1, 0);
  const auto file = [&] { return file_of(o, system.atom_count(), rungs, c); };
  const auto require_ours = [&] {
    if (o.before_writing) o.before_writing();
  };
  if (there) require_same_settings(folder, *there, file());
  require_whole(folder, there);
  const bool resumes = fs::exists(checkpoint_path);
  if (resumes) {
    c = read_checkpoint(checkpoint_path, o.backend, start.size() * temperatures.size(),
                        rungs.size() - 1);
    require_of_run(checkpoint_path, c, o, *there);
  }
  if (!resumes || c.state.step < o.scramble_steps) minimize(engine, start);  // hands as they were
  std::int64_t total = o.steps_before_saves() + o.steps;
  require(c.state.step <= total, folder.string(), " already holds ", c.state.step,
          " steps (warm-up included), more than the ", total, " asked for");
  const Share share = ranks.share(o.replicas);
  const auto own_temperatures = own_part(temperatures, o.replicas, share);
  DynamicsOptions options{o.timestep_ps, o.friction_per_ps, o.seed,
                          kelvin_at(o, c.state.step, own_temperatures), o.backend};
  options.first_replica = static_cast<std::size_t>(share.first * o.ladder);
  options.all_replicas = temperatures.size();
  Dynamics dynamics(system, options, start);
  const std::vector<PeptideTurn> turns = peptide_turns(topology);
  const Walls walls(topology, system, start);
  if (resumes)
    dynamics.restore({own_part(c.state.positions_nm, o.replicas, share),
                      own_part(c.state.velocities_nm_ps, o.replicas, share), c.state.step});
  ranks.agree("a start", std::as_bytes(std::span(resumes ? c.state.positions_nm : start)));
  if (!ranks.is_first()) {  // the first has the counts of before
    c.swapped.assign(c.swapped.size(), 0);
    c.turn_tries = c.turned = 0;
  }
  require_ours();
  if (!resumes && ranks.is_first()) {  // nothing is written before everything has been checked
    create_folder(folder);
    write_pdb(folder / "topology.pdb", topology, start);
    require_ours();
    write_simulation_file(folder, file());
  }
  std::optional<Frames> frames;  // of the first rank
  if (ranks.is_first()) frames.emplace(folder, engine, o, c, require_ours);

  // run.json stays, with the convergence that was added since.
  if (c.state.step == total && there && there->complete() && there->options.steps == o.steps)
    return {c.saves * o.replicas, true, swap_acceptance(o, c), turn_acceptance(c)};

  // Counts of the other ranks' replicas are with them until now.
  const auto checkpoint = [&] {
    c.swapped = counts_of_all(c.swapped, ranks);
    const auto counts = counts_of_all({c.turn_tries, c.turned}, ranks);
    c.turn_tries = counts[0], c.turned = counts[1];
    if (!ranks.is_first()) return;
    frames->sync();  // may take long: whose folder it is is asked afterwards
    require_ours();
    write_checkpoint(checkpoint_path, o.backend, c);
    require_ours();
    write_simulation_file(folder, file());
  };
  if (progress) progress(c.state.step, total);
  SharedInterrupt stop(ranks);
  while (c.state.step < total && !stop.heard(c.state.step, interrupted())) {
    if (c.state.step < o.scramble_steps)
      scramble_segment(scramble_of(o), walls, warm_kelvin(o, o.scramble_steps, own_temperatures),
                       dynamics);
    else
      dynamics.run(std::min(steps_until_due(o, c.state.step), stop.steps_left(c.state.step)));
    const std::int64_t step = dynamics.step();
    if (step == o.scramble_steps)
      walls.require_natural(dynamics.state().positions_nm, options.first_replica);
    if (step == hot_start_ends(o)) dynamics.set_temperatures(own_temperatures);
    if (o.turn_interval > 0 && step > hot_start_ends(o) && step % o.turn_interval == 0) {
      c.turned += dynamics.try_turns(turns);
      if (!turns.empty()) c.turn_tries += std::ssize(own_temperatures);
    }
    if (o.ladder > 1 && step > hot_start_ends(o) && step % o.swap_interval == 0) {
      const std::vector<int> swapped = dynamics.swap_neighbours(o.ladder);
      for (std::size_t k = 0; k < swapped.size(); ++k) c.swapped[k] += swapped[k];
      ++c.sweeps;
    }
    c.state.step = step;
    const std::int64_t since = step - o.steps_before_saves();
    if (since > 0 && since % o.save_interval == 0) {
      c.state = state_of_all(dynamics.state(), ranks);
      require_ours();
      if (frames) frames->append(c.state);
      ++c.saves;
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
      if (o.most_seconds > 0 && ranks.broadcast(elapsed.count()) >= o.most_seconds)
        o.steps = since, total = step;
      if (c.saves % o.checkpoint_interval == 0) checkpoint();
    }
    if (progress) progress(step, total);
  }
  c.state = state_of_all(dynamics.state(), ranks);
  checkpoint();
  return {c.saves * o.replicas, c.state.step == total, swap_acceptance(o, c), turn_acceptance(c)};
}

}  // namespace arbg::md
