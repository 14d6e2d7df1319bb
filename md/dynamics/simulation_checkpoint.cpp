#include "md/dynamics/simulation_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::md {

namespace {

namespace fs = std::filesystem;

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

// All but the arrays.
SimulationCheckpoint standing_of(const Json& header) {
  const auto integer = [&](const char* name) { return member(header, name, &Json::integer); };
  require(integer("version") == 1, "expected version 1, found ", integer("version"));
  SimulationCheckpoint c;
  c.state.step = integer("step");
  c.saves = integer("saves");
  c.sweeps = integer("sweeps");
  c.swapped = member(header, "swapped", [](const Json& list) {
    std::vector<std::int64_t> counts;
    for (const Json& count : list.items()) counts.push_back(count.integer());
    return counts;
  });
  if (header.has("turn_tries")) {
    c.turn_tries = integer("turn_tries");
    c.turned = integer("turned");
  }
  return c;
}

}  // namespace

// Real numbers as the backend computes them, so that nothing is lost.
void write_checkpoint(const fs::path& path, Backend backend, const SimulationCheckpoint& c) {
  Json header = Json::object();
  header["version"] = 1;
  header["step"] = c.state.step;
  header["saves"] = c.saves;
  header["sweeps"] = c.sweeps;
  header["swapped"] = Json::list();
  for (const std::int64_t count : c.swapped) header["swapped"].push_back(count);
  if (c.turn_tries > 0) {
    header["turn_tries"] = c.turn_tries;
    header["turned"] = c.turned;
  }
  std::string bytes = header.dump() + "\n";
  for (const auto* array : {&c.state.positions_nm, &c.state.velocities_nm_ps}) {
    backend == Backend::reference ? append_bytes<double>(*array, bytes)
                                  : append_bytes<float>(*array, bytes);
  }
  write_file(path, bytes);
}

SimulationCheckpoint read_checkpoint(const fs::path& path, Backend backend, std::size_t numbers,
                                     std::size_t neighbours) {
  const bool in_double = backend == Backend::reference;
  const std::size_t array_size = numbers * (in_double ? sizeof(double) : sizeof(float));
  const std::string bytes = read_file(path);
  const std::size_t line = bytes.find('\n');
  require(line != std::string::npos && bytes.size() == line + 1 + 2 * array_size, path.string(),
          ": expected one line of JSON and 2 x ", numbers, in_double ? " float64" : " float32",
          " numbers, found ", bytes.size(), " bytes");
  const Json header = Json::parse(std::string_view(bytes).substr(0, line), path.string());
  SimulationCheckpoint c = located(path.string(), [&] { return standing_of(header); });
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

void require_of_run(const fs::path& path, const SimulationCheckpoint& c, const SimulationOptions& o,
                    const SimulationFile& there) {
  const std::int64_t since = std::max<std::int64_t>(0, c.state.step - o.steps_before_saves());
  const std::int64_t saves = since / o.save_interval, most_swaps = c.sweeps * o.replicas;
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
  require(c.turned >= 0 && c.turned <= c.turn_tries, path.string(), ": expected at most ",
          c.turn_tries, " turns, found ", c.turned, advice);
  for (const auto* array : {&c.state.positions_nm, &c.state.velocities_nm_ps})
    require(std::ranges::all_of(*array, [](double x) { return std::isfinite(x); }), path.string(),
            ": a position or velocity is not a finite number", advice);
}

}  // namespace arbg::md
