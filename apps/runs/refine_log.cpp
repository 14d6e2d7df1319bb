#include "apps/runs/refine_log.h"

#include "apps/runs/results_json.h"
#include "tensor/base/files.h"
#include "tensor/base/json_file.h"

namespace arbg::apps {
namespace {

sampling::RefinementRound round_of(const Json& line) {
  sampling::RefinementRound r;
  r.round = member(line, "round", &Json::integer);
  r.energies = member(line, "energies", &Json::integer);
  r.moved = member(line, "moved", &Json::number);
  r.exchanged = member(line, "exchanged", &Json::number);
  r.weights = summary_from_json(line);
  r.nats = member(line, "nats_per_coordinate", &Json::number);
  r.variance = member(line, "variance", &Json::number);
  r.seconds = member(line, "seconds", &Json::number);
  return r;
}

}  // namespace

std::vector<sampling::RefinementRound> read_refine_log(const std::filesystem::path& path,
                                                       std::int64_t rounds) {
  std::vector<sampling::RefinementRound> out;
  if (!std::filesystem::exists(path)) return out;
  read_json_lines(path, [&](const Json& line) {
    if (std::ssize(out) == rounds) return false;
    out.push_back(round_of(line));
    require(out.back().round == std::ssize(out) - 1, "expected round ", std::ssize(out) - 1,
            ", found ", out.back().round);
    return true;
  });
  return out;
}

void write_refine_log(const std::filesystem::path& path,
                      const std::vector<sampling::RefinementRound>& history) {
  std::string text;
  for (const auto& r : history) {
    Json line = Json::object();
    line["round"] = r.round;
    line["energies"] = r.energies;
    line["moved"] = r.moved;
    line["exchanged"] = r.exchanged;
    const Json weights = summary_json(r.weights);
    for (const auto& [name, value] : weights.members()) line[name] = value;
    line["nats_per_coordinate"] = r.nats;
    line["variance"] = r.variance;
    line["seconds"] = r.seconds;
    text += line.dump() + "\n";
  }
  write_file(path, text);
}

}  // namespace arbg::apps
