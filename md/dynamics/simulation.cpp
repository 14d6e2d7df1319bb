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

// Where a run stands.
struct Checkpoint {
  DynamicsState state;
  std::int64_t saves = 0, sweeps = 0;
  std::vector<std::int64_t> swapped;  // [ladder - 1], over all ladders
};

void require_sensible(const SimulationOptions& o) {
  require(o.replicas >= 1 && o.ladder >= 1,
          "expected at least one replica and one temperature, found ", o.replicas, " and ",
          o.ladder);
  require(o.steps >= 0 && o.warmup_steps >= 0, "expected no negative numbers of steps, found ",
          o.steps, " and ", o.warmup_steps);
  require(o.save_interval >= 1 && o.swap_interval >= 1 && o.checkpoint_interval >= 1,
          "expected intervals of at least 1, found ", o.save_interval, " (save), ", o.swap_interval,
          " (swap), ", o.checkpoint_interval, " (checkpoint)");
  require(o.top_temperature_kelvin >= o.temperature_kelvin,
          "expected a top temperature of at least ", o.temperature_kelvin,
          " K, that of the run, found ", o.top_temperature_kelvin, " K");
}

std::vector<double> swap_acceptance(const SimulationOptions& o, const Checkpoint& c) {
  std::vector<double> rates;
  const double tried = static_cast<double>(std::max<std::int64_t>(1, c.sweeps * o.replicas));
  for (const std::int64_t count : c.swapped) rates.push_back(static_cast<double>(count) / tried);
  return rates;
}

// Saves that a run has made after so many steps.
std::int64_t saves_at(const SimulationOptions& o, std::int64_t step) {
  return std::max<std::int64_t>(0, step - o.warmup_steps) / o.save_interval;
}

// What run.json says at a checkpoint.
SimulationFile file_of(const SimulationOptions& o, int atoms, const std::vector<double>& rungs,
                       const Checkpoint& c) {
  SimulationFile out;
  out.options = o;
  out.atoms = atoms;
  out.ladder_kelvin = rungs;
  out.swap_acceptance = swap_acceptance(o, c);
  out.step = c.state.step;
  out.frames = c.saves * o.replicas;
  return out;
}

template <class Real>
void append_bytes(std::span<const double> values, std::string& bytes) {
  const std::vector<Real> stored(values.begin(), values.end());
  bytes.append(reinterpret_cast<const char*>(stored.data()), stored.size() * sizeof(Real));
}

template <class Real>
std::vector<double> numbers_in(std::string_view bytes) {
  std::vector<Real> stored(bytes.size() / sizeof(Real));
  std::memcpy(stored.data(), bytes.data(), stored.size() * sizeof(Real));
  return {stored.begin(), stored.end()};
}

// Real numbers as the backend computes them, so that nothing is lost.
void write_checkpoint(const fs::path& path, Backend backend, const Checkpoint& c) {
  Json header = Json::object();
  header["version"] = 1;
  header["step"] = c.state.step;
  header["saves"] = c.saves;
  header["sweeps"] = c.sweeps;
  header["swapped"] = Json::list();
  for (const std::int64_t count : c.swapped) header["swapped"].push_back(count);
  std::string bytes = header.dump() + "\n";
  for (const auto* array : {&c.state.positions_nm, &c.state.velocities_nm_ps}) {
    backend == Backend::reference ? append_bytes<double>(*array, bytes)
                                  : append_bytes<float>(*array, bytes);
  }
  write_file(path, bytes);
}

// All but the arrays.
Checkpoint standing_of(const Json& header) {
  const auto integer = [&](const char* name) { return member(header, name, &Json::integer); };
  require(integer("version") == 1, "expected version 1, found ", integer("version"));
  Checkpoint c;
  c.state.step = integer("step");
  c.saves = integer("saves");
  c.sweeps = integer("sweeps");
  c.swapped = member(header, "swapped", [](const Json& list) {
    std::vector<std::int64_t> counts;
    for (const Json& count : list.items()) counts.push_back(count.integer());
    return counts;
  });
  return c;
}

Checkpoint read_checkpoint(const fs::path& path, Backend backend, std::size_t numbers,
                           std::size_t neighbours) {
  const bool in_double = backend == Backend::reference;
  const std::size_t array_size = numbers * (in_double ? sizeof(double) : sizeof(float));
  const std::string bytes = read_file(path);
  const std::size_t line = bytes.find('\n');
  require(line != std::string::npos && bytes.size() == line + 1 + 2 * array_size, path.string(),
          ": expected one line of JSON and 2 x ", numbers, in_double ? " float64" : " float32",
          " numbers, found ", bytes.size(), " bytes");
  const Json header = Json::parse(std::string_view(bytes).substr(0, line), path.string());
  Checkpoint c = located(path.string(), [&] { return standing_of(header); });
  require(c.swapped.size() == neighbours, path.string(), ": expected ", neighbours,
          " swap counts, found ", c.swapped.size());
  std::string_view rest = std::string_view(bytes).substr(line + 1);
  for (auto* array : {&c.state.positions_nm, &c.state.velocities_nm_ps}) {
    const std::string_view stored = rest.substr(0, array_size);
    *array = in_double ? numbers_in<double>(stored) : numbers_in<float>(stored);
    rest.remove_prefix(array_size);
  }
  return c;
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

// Whether a checkpoint can be of the run whose run.json is beside it.
void require_of_run(const fs::path& path, const Checkpoint& c, const SimulationOptions& o,
                    const SimulationFile& there) {
  const std::int64_t saves = saves_at(o, c.state.step), most_swaps = c.sweeps * o.replicas;
  const char* const advice = "; bring back that of this run or choose another folder";
  require(c.state.step >= there.step, path.string(), ": expected step ", there.step,
          " of the run.json beside it or a later one, found ", c.state.step, advice);
  require(c.saves == saves, path.string(), ": expected ", saves, " saves at step ", c.state.step,
          ", found ", c.saves, advice);
  require(c.sweeps >= 0 && c.sweeps <= c.state.step / o.swap_interval, path.string(),
          ": expected at most ", c.state.step / o.swap_interval, " sweeps at step ", c.state.step,
          ", found ", c.sweeps, advice);
  for (const std::int64_t count : c.swapped)
    require(count >= 0 && count <= most_swaps, path.string(), ": expected at most ", most_swaps,
            " swaps in ", c.sweeps, " sweeps, found ", count, advice);
  for (const auto* array : {&c.state.positions_nm, &c.state.velocities_nm_ps})
    require(std::ranges::all_of(*array, [](double x) { return std::isfinite(x); }), path.string(),
            ": a position or velocity is not a finite number", advice);
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
         const Checkpoint& checkpoint, const std::function<void()>& require_ours)
      : engine_(engine),
        options_(options),
        open_(folder),
        positions_((require_ours(), folder / "positions.npy"), {engine.system().atom_count(), 3},
                   checkpoint.saves * options.replicas, open_.fd()),
        energy_(folder / "energy.npy", {}, checkpoint.saves * options.replicas, open_.fd()) {
    require_ours();
    require_sound(folder);
    const std::int64_t since = checkpoint.state.step - options.warmup_steps;
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

// Steps of the hot start.
std::int64_t hot_steps(const SimulationOptions& o) {
  return o.top_temperature_kelvin > o.temperature_kelvin ? o.warmup_steps / 5 : 0;
}

// Steps from `step` to the next one where something is due: a swap, a save, the end of the hot
// start, of the warm-up or of the run.
std::int64_t steps_until_due(const SimulationOptions& o, std::int64_t step) {
  const std::int64_t end = step < o.warmup_steps ? o.warmup_steps : o.warmup_steps + o.steps;
  const std::int64_t since = step < o.warmup_steps ? step : step - o.warmup_steps;
  std::int64_t due = std::min(end - step, o.save_interval - since % o.save_interval);
  if (step < hot_steps(o)) due = std::min(due, hot_steps(o) - step);
  if (o.ladder > 1) due = std::min(due, o.swap_interval - step % o.swap_interval);
  return due;
}

// Where all replicas stand, of which this rank has a share: of the first rank alone.
DynamicsState state_of_all(const DynamicsState& own, const Ranks& ranks) {
  return {ranks.gather_at_first(std::span(own.positions_nm)),
          ranks.gather_at_first(std::span(own.velocities_nm_ps)), own.step};
}

// [ladder - 1] over all ladders, at the first rank; zeros at the others, which begin anew.
std::vector<std::int64_t> swaps_of_all(const std::vector<std::int64_t>& own, const Ranks& ranks) {
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
  Checkpoint c;
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
  } else {
    minimize(engine, start);
  }
  std::int64_t total = o.warmup_steps + o.steps;
  require(c.state.step <= total, folder.string(), " already holds ", c.state.step,
          " steps (warm-up included), more than the ", total, " asked for");
  const Share share = ranks.share(o.replicas);
  const auto own_temperatures = own_part(temperatures, o.replicas, share);
  DynamicsOptions options{o.timestep_ps, o.friction_per_ps, o.seed, own_temperatures, o.backend};
  options.first_replica = static_cast<std::size_t>(share.first * o.ladder);
  options.all_replicas = temperatures.size();
  if (c.state.step < hot_steps(o))
    options.temperatures_kelvin.assign(own_temperatures.size(), o.top_temperature_kelvin);
  Dynamics dynamics(system, options, start);
  if (resumes)
    dynamics.restore({own_part(c.state.positions_nm, o.replicas, share),
                      own_part(c.state.velocities_nm_ps, o.replicas, share), c.state.step});
  ranks.agree("a start", std::as_bytes(std::span(resumes ? c.state.positions_nm : start)));
  if (!ranks.is_first()) c.swapped.assign(c.swapped.size(), 0);  // the first has those of before
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
    return {c.saves * o.replicas, true, swap_acceptance(o, c)};

  // Swaps of the other ranks' ladders are with them until now.
  const auto checkpoint = [&] {
    c.swapped = swaps_of_all(c.swapped, ranks);
    if (!ranks.is_first()) return;
    frames->sync();  // may take long: whose folder it is is asked afterwards
    require_ours();
    write_checkpoint(checkpoint_path, o.backend, c);
    require_ours();
    write_simulation_file(folder, file());
  };
  SharedInterrupt stop(ranks);
  while (c.state.step < total && !stop.heard(c.state.step, interrupted())) {
    dynamics.run(std::min(steps_until_due(o, c.state.step), stop.steps_left(c.state.step)));
    const std::int64_t step = dynamics.step();
    if (step == hot_steps(o)) dynamics.set_temperatures(own_temperatures);
    if (o.ladder > 1 && step > hot_steps(o) && step % o.swap_interval == 0) {
      const std::vector<int> swapped = dynamics.swap_neighbours(o.ladder);
      for (std::size_t k = 0; k < swapped.size(); ++k) c.swapped[k] += swapped[k];
      ++c.sweeps;
    }
    c.state.step = step;
    const std::int64_t since = step - o.warmup_steps;
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
  return {c.saves * o.replicas, c.state.step == total, swap_acceptance(o, c)};
}

}  // namespace arbg::md
