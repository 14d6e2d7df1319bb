#include "apps/pages/viewer.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/pages/coordinate_words.h"
#include "apps/pages/viewer_embedded.h"
#include "apps/pages/viewer_numbers.h"
#include "tensor/base/error.h"

namespace arbg::apps {
namespace {

constexpr std::int64_t kMostColumns = 256;  // of a distribution: a column is a pixel or two

std::int64_t frame_size(const View& view) { return 3 * view.topology.atom_count(); }

template <class Values>
Json list(const Values& values) {
  Json out = Json::list();
  for (const auto& value : values) out.push_back(value);
  return out;
}

// The step of positions: what is farthest from the centre of its frame has the largest int16.
double unit_of(const View& view) {
  double extent = std::max(extent_of_positions(view.frames.positions_nm, frame_size(view)),
                           extent_of_positions(view.reference_nm, frame_size(view)));
  for (const auto& one : view.roll_outs)
    extent = std::max(extent, extent_of_positions(one.positions_nm, frame_size(view)));
  return std::max(extent, 0.01) * (1 + 1e-9) / 32767;
}

Json molecule_json(const View& view) {
  const md::Topology& topology = view.topology;
  Json out = Json::object();
  out["title"] = view.title;
  for (const auto& atom : topology.atoms) {
    out["elements"].push_back(atom.element);
    out["names"].push_back(atom.name);
    out["residue"].push_back(atom.residue);
  }
  for (const auto& residue : topology.residues) out["residues"].push_back(residue.label());
  out["bonds"] = Json::list();
  for (const auto& [a, b] : topology.bonds) {
    out["bonds"].push_back(a);
    out["bonds"].push_back(b);
  }
  return out;
}

Json frames_json(const View& view, double unit_nm) {
  const ShownFrames& frames = view.frames;
  Json out = Json::object();
  out["names"] = list(frames.names);
  out["positions"] = base64_of_positions(frames.positions_nm, frame_size(view), unit_nm);
  if (!frames.reduced_energy.empty()) out["energy"] = list(frames.reduced_energy);
  if (!frames.log_q.empty()) out["log_q"] = list(frames.log_q);
  if (!frames.weight.empty()) out["weight"] = list(frames.weight);
  return out;
}

// nm or degrees in one unit of the map, which has nm, radians or scaled lengths.
double shown_unit(const md::CoordinateMap& map, const md::Coordinate& coordinate) {
  if (map.tree().empty()) return map.to_json().at("scale_nm").number();
  return coordinate.kind == 0 ? 1 : 180 / std::numbers::pi;
}

Json coordinates_json(const View& view) {
  const auto& generator = view.model->generator;
  const auto& map = generator.map();
  Json out = Json::object();
  for (std::int64_t j = 0; j < map.size(); ++j) {
    const auto& coordinate = map.coordinates()[static_cast<std::size_t>(j)];
    const double unit = shown_unit(map, coordinate);
    out["atom"].push_back(coordinate.atom);
    out["kind"].push_back(coordinate_kind(map, j));
    out["text"].push_back(coordinate_words(map, view.topology, j));
    out["unit"].push_back(map.tree().empty() || coordinate.kind == 0 ? "nm" : "degree");
    out["low"].push_back(unit * coordinate.low);
    out["high"].push_back(unit * coordinate.high);
    out["log_width"].push_back(generator.bins().log_width(j));
    out["curve"].push_back(view.roll_outs[0].steps.curve[static_cast<std::size_t>(j)]);
    if (map.tree().empty()) continue;
    const auto& row = map.tree()[static_cast<std::size_t>(coordinate.order)];
    out["axis"].push_back(Json(Json::List{row.grandparent, row.parent}));
  }
  return out;
}

Json roll_out_json(const View& view, const GrownSample& sample, std::int64_t together,
                   double unit_nm) {
  const auto& map = view.model->generator.map();
  const std::int64_t V = view.model->generator.bins().bins();
  const auto& steps = sample.steps;
  Json out = Json::object();
  out["name"] = sample.name;
  out["log_q"] = sample.log_q;
  out["positions"] = base64_of_positions(sample.positions_nm, frame_size(view), unit_nm);
  for (std::size_t j = 0; j < sample.z.size(); ++j) {
    const auto& coordinate = map.coordinates()[j];
    const auto token = static_cast<std::size_t>(steps.token[j]);
    out["value"].push_back(shown_unit(map, coordinate) * sample.z[j]);
    out["column"].push_back(steps.token[j] / together);
    out["log_p"].push_back(steps.log_p[j * static_cast<std::size_t>(V) + token]);
    out["log_drawn"].push_back(steps.log_drawn[j]);
  }
  out["probability"] = base64_of_log_p(steps.log_p, V, together);
  out["placed"] = base64_of_log_p(steps.log_placed, V, together);
  return out;
}

// No end of a script in it, whatever the names of atoms are.
std::string script_text(const Json& data) {
  std::string out;
  for (const char letter : data.dump()) {
    if (letter == '<')
      out += "\\u003c";
    else
      out += letter;
  }
  return out;
}

}  // namespace

double position_error_nm(const View& view) { return unit_of(view) / 2; }

Json viewer_data(const View& view) {
  const double unit_nm = unit_of(view);
  Json out = molecule_json(view);
  out["nm_per_unit"] = unit_nm;
  out["frames"] = frames_json(view, unit_nm);
  out["reference"]["name"] = view.reference_name;
  out["reference"]["positions"] = base64_of_positions(view.reference_nm, frame_size(view), unit_nm);
  out["nats_per_unit"] = kNatsPerUnit;
  out["roll_outs"] = Json::list();
  out["coordinates"] = Json();
  if (view.roll_outs.empty()) return out;
  const std::int64_t V = view.model->generator.bins().bins();
  const std::int64_t together = (V + kMostColumns - 1) / kMostColumns;
  out["columns"] = (V + together - 1) / together;
  out["bins_a_column"] = together;
  out["coordinates"] = coordinates_json(view);
  for (const auto& sample : view.roll_outs)
    out["roll_outs"].push_back(roll_out_json(view, sample, together, unit_nm));
  return out;
}

std::string viewer(const View& view) {
  std::string markup = kViewerMarkup;
  const auto end = markup.rfind("</section>");
  return std::string("<style>\n") + kViewerStyle + "</style>\n" + markup.substr(0, end) +
         "<script type=\"application/json\">" + script_text(viewer_data(view)) + "</script>\n" +
         markup.substr(end) + "<script>(() => {\n'use strict';\n" + kViewerScript +
         "})();</script>\n";
}

}  // namespace arbg::apps
