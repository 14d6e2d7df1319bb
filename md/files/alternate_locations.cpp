#include "md/files/alternate_locations.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>

#include "tensor/base/error.h"

namespace arbg::md {

namespace {

using Atoms = std::span<const PdbAtom>;

// The atoms of a residue by name, and of a name by location; twice at one place: the first.
class Places {
 public:
  explicit Places(Atoms residue) : residue_(residue) {
    for (const PdbAtom& atom : residue) places_[atom.name].emplace(atom.location, &atom);
  }

  const PdbAtom& first() const { return residue_.front(); }
  Atoms atoms() const { return residue_; }
  const auto& names() const { return places_; }

  bool common(const std::string& name) const {
    constexpr double kFull = 0.995;  // two decimals in the file
    const auto& [location, atom] = *places_.at(name).begin();
    return places_.at(name).size() == 1 && (location == ' ' || atom->occupancy >= kFull);
  }

  bool has_choice() const {
    return std::ranges::any_of(places_, [&](const auto& entry) { return !common(entry.first); });
  }

  // The location that this letter takes an atom from: its own, or ' '; '\0' if there is neither.
  char location(const std::string& name, char letter) const {
    const auto& places = places_.at(name);
    if (common(name)) return places.begin()->first;
    return places.contains(letter) ? letter : places.contains(' ') ? ' ' : '\0';
  }

 private:
  Atoms residue_;
  std::map<std::string, std::map<char, const PdbAtom*>> places_;
};

// One letter for a whole group.
struct Candidate {
  char letter;
  double occupancy = 0;  // mean of the atoms that are not common
  std::string lacks;     // the first atom it has no place for, "SER3:HG"
};

Candidate candidate(std::span<const Places> group, char letter) {
  Candidate result{letter, 0, ""};
  int count = 0;
  for (const Places& residue : group) {
    for (const auto& [name, places] : residue.names()) {
      if (residue.common(name)) continue;
      const char location = residue.location(name, letter);
      if (location == '\0') {
        if (result.lacks.empty()) result.lacks = residue.first().residue.label() + ":" + name;
        continue;
      }
      result.occupancy += places.at(location)->occupancy;
      ++count;
    }
  }
  if (count > 0) result.occupancy /= count;
  return result;
}

std::vector<Candidate> candidates_of(std::span<const Places> group) {
  std::set<char> letters;
  for (const Places& residue : group) {
    for (const auto& [name, places] : residue.names()) {
      if (residue.common(name)) continue;
      for (const auto& [letter, atom] : places) letters.insert(letter);
    }
  }
  std::vector<Candidate> result;
  for (const char letter : letters) result.push_back(candidate(group, letter));
  return result;
}

std::string letter_text(char letter) { return letter == ' ' ? "blank" : std::string(1, letter); }

std::string occupancy_text(double occupancy) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", occupancy);
  return text;
}

// "SER3 B (occupancy 0.70; A 0.30)", "SER3 to ALA5 ...".
std::string describe(std::span<const Places> group, const Candidate& taken,
                     const std::vector<Candidate>& all) {
  std::string text = group.front().first().residue.label();
  if (group.size() > 1) text += " to " + group.back().first().residue.label();
  text += " " + letter_text(taken.letter) + " (occupancy " + occupancy_text(taken.occupancy);
  for (const Candidate& other : all) {
    if (other.letter == taken.letter) continue;
    text += "; " + letter_text(other.letter) + " " + occupancy_text(other.occupancy);
    if (!other.lacks.empty()) text += ", which lacks " + other.lacks;
  }
  return text + ")";
}

std::string key(const Places& places) {
  const Residue& residue = places.first().residue;
  return residue.name + " " + residue.place();
}

std::vector<Places> residues_of(Atoms model, const std::string& path) {
  std::vector<Places> residues;
  for (auto first = model.begin(); first != model.end();) {
    const auto last = std::find_if(first, model.end(),
                                   [&](const PdbAtom& atom) { return !atom.same_residue(*first); });
    require(last == model.end() || first->location == ' ' || last->location == ' ' ||
                !last->same_place(*first),
            path, ":", first->line, ": residue ", first->residue.place(),
            " has other names at its alternate locations; keep one");
    residues.emplace_back(Atoms(first, last));
    first = last;
  }
  return residues;
}

// The most occupied of the complete ones, the first of equal ones.
Candidate best(std::span<const Places> group, const std::vector<Candidate>& all,
               const std::string& path) {
  const Candidate* taken = nullptr;
  for (const Candidate& other : all) {
    if (other.lacks.empty() && (!taken || other.occupancy > taken->occupancy)) taken = &other;
  }
  require(taken != nullptr, path, ":", group.front().first().line, ": no alternate location of ",
          group.front().first().residue.label(), group.size() > 1 ? " and its neighbours" : "",
          " has all atoms (", letter_text(all.front().letter), " lacks ", all.front().lacks,
          "); keep one location of each atom");
  return *taken;
}

}  // namespace

std::vector<PdbAtom> AlternateLocations::choose(std::span<const PdbAtom> model,
                                                const std::string& path) {
  const std::vector<Places> residues = residues_of(model, path);
  std::vector<PdbAtom> atoms;
  for (std::size_t first = 0; first < residues.size();) {
    std::size_t last = first;
    while (last < residues.size() && residues[last].has_choice()) ++last;
    if (last > first) {
      const std::span group = std::span(residues).subspan(first, last - first);
      const auto known = taken_.find(key(group.front()));
      char letter = known == taken_.end() ? ' ' : known->second;
      if (known == taken_.end()) {
        const auto all = candidates_of(group);
        const Candidate taken = best(group, all, path);
        letter = taken.letter;
        if (all.size() > 1) note_ += (note_.empty() ? "" : ", ") + describe(group, taken, all);
      }
      for (const Places& residue : group) {
        taken_[key(residue)] = letter;
        std::ranges::copy_if(residue.atoms(), std::back_inserter(atoms), [&](const PdbAtom& atom) {
          return atom.location == residue.location(atom.name, letter);
        });
      }
      first = last;
    } else {
      std::ranges::copy(residues[first++].atoms(), std::back_inserter(atoms));
    }
  }
  return atoms;
}

}  // namespace arbg::md
