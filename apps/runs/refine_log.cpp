#include "apps/runs/refine_log.h"

#include <cmath>
#include <sstream>

#include "apps/runs/results_json.h"
#include "tensor/base/files.h"

namespace arbg::apps {
std::vector<sampling::RefinementRound> read_refine_log(const std::filesystem::path& path,
                                                       std::int64_t rounds) {
  std::vector<sampling::RefinementRound> out;
  if (!std::filesystem::exists(path)) return out;
  std::istringstream lines(read_file(path));
  for (std::string text;
       static_cast<std::int64_t>(out.size()) < rounds && std::getline(lines, text);) {
    const Json line = Json::parse(text, path.string());
    sampling::RefinementRound r;
    r.round = line.at("round").integer();
    r.energies = line.at("energies").integer();
    r.moved = line.at("moved").number();
    r.exchanged = line.at("exchanged").number();
    r.weights.count = static_cast<std::size_t>(line.at("samples").integer());
    r.weights.zero_count = static_cast<std::size_t>(line.at("zero_weights").integer());
    r.weights.ess = line.at("ess").number();
    r.weights.ess_fraction = line.at("ess_fraction").number();
    r.weights.largest_share = line.at("largest_share").number();
    r.weights.pareto_k = number_or_nan(line.at("pareto_k"));
    r.weights.log_z = line.at("log_z").number();
    r.weights.log_z_error = number_or_nan(line.at("log_z_error"));
    r.nats = line.at("nats_per_coordinate").number();
    r.variance = line.at("variance").number();
    r.seconds = line.at("seconds").number();
    out.push_back(r);
  }
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
