#include <algorithm>
#include <set>
#include <string_view>

#include "apps/pages/evaluation_pictures.h"
#include "tensor/base/error.h"
#include "tensor/base/nearest_name.h"

namespace arbg::apps {
namespace {

// "radius-of-gyration"; of torsions the residue stands apart: "chi1", "ALA2".
Picture picture_of(const sampling::Spread& spread, const sampling::Evaluation& e) {
  Picture out{spread.name, "", spread_plot(spread, e)};
  const auto blank = spread.name.find(' ');
  if (spread.group == "omega" || spread.group == "chi") {
    out.name = spread.name.substr(0, blank);
    out.residue = spread.name.substr(blank + 1);
  } else if (spread.group != "size") {
    out.name = spread.group + "-" + spread.name;
  }
  std::ranges::replace(out.name, ' ', '-');
  return out;
}

bool is_of(const Picture& picture, const std::string& residue) {
  if (picture.residue == residue) return true;
  const auto number = picture.residue.find_first_of("0123456789");
  return number != std::string::npos && picture.residue.substr(number) == residue;
}

}  // namespace

std::string Picture::title() const {
  return std::visit([](const auto& f) { return f.title; }, figure);
}

std::vector<Picture> pictures_of(const SamplesRun& samples, const sampling::Evaluation& e,
                                 const Dataset& reference) {
  std::vector<Picture> out{{"energies", "", energy_plot(samples, e, reference)}};
  if (e.weight_kind != sampling::WeightKind::none) {
    out.push_back({"weights", "", weight_plot(samples)});
    if (e.populations == 0) {
      out.push_back({"effective-samples", "", effective_samples_plot(samples)});
      out.push_back({"pareto-k", "", pareto_k_plot(samples)});
    }
  }
  constexpr const char* kMaps[] = {"ramachandran-reference", "ramachandran",
                                   "ramachandran-difference"};
  for (const auto& residue : e.angles) {
    const auto maps = torsion_maps(residue, e);
    for (std::size_t k = 0; k < maps.size(); ++k)
      out.push_back({kMaps[k], residue.residue, maps[k]});
  }
  if (!e.slow.timescales.empty()) {
    const auto maps = slow_maps(e);
    out.push_back({"components-reference", "", maps[0]});
    out.push_back({"components", "", maps[1]});
  }
  for (const auto& spread : e.spreads) out.push_back(picture_of(spread, e));
  return out;
}

const Picture& find_picture(const std::vector<Picture>& all, const std::string& name,
                            const std::string& residue) {
  std::set<std::string> residues;
  std::vector<std::string_view> names;
  const Picture* found = nullptr;
  for (const Picture& picture : all) {
    names.push_back(picture.name);
    if (picture.name != name) continue;
    residues.insert(picture.residue);
    if (residue.empty() || is_of(picture, residue)) found = &picture;
  }
  require(!residues.empty(), "there is no picture named \"", name, "\"", nearest_hint(name, names),
          "; arbg plot --list names all");
  require(residue.empty() || *residues.begin() != "", "leave --residue out: ", name,
          " is of no residue");
  std::string choice;
  for (const auto& one : residues) choice += (choice.empty() ? "" : ", ") + one;
  require(found != nullptr, "there is no ", name, " of residue ", residue, "; give one of ",
          choice);
  require(!residue.empty() || residues.size() == 1, name,
          " is of several residues: give --residue, "
          "one of ",
          choice);
  return *found;
}

}  // namespace arbg::apps
