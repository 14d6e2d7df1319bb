#include "md/forcefields/tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "md/forcefields/known_names.h"
#include "tensor/base/error.h"

namespace arbg::md {

bool TorsionRule::has_wildcard() const {
  return std::find(classes.begin(), classes.end(), kAnyClass) != classes.end();
}

int ResidueTemplate::find(std::string_view atom_name) const {
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (atoms[i].name == atom_name) return static_cast<int>(i);
  }
  return -1;
}

int ForceFieldTables::find_class(std::string_view class_name) const {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].name == class_name) return static_cast<int>(i);
  }
  return -1;
}

namespace {

// One line of the table, taken word by word.
class Line {
 public:
  Line(std::string_view text, std::string place)
      : words_(std::string(text)), place_(std::move(place)) {}

  const std::string& place() const { return place_; }

  bool done() {
    words_ >> std::ws;
    return words_.eof();
  }

  std::string word(const char* what) {
    std::string text;
    require(static_cast<bool>(words_ >> text), place_, ": the line ends where ", what,
            " was expected");
    return text;
  }

  double number(const char* what) {
    const std::string text = word(what);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
            place_, ": expected a number (", what, "), found '", text, "'");
    return value;
  }

 private:
  std::istringstream words_;
  std::string place_;
};

class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  ForceFieldTables parse(std::string_view text) {
    int number = 0;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      Line line(text.substr(0, end), name_ + ":" + std::to_string(++number));
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!line.done()) parse_line(line);
    }
    require(residue_ == nullptr, name_, ": residue ", residue_ ? residue_->name : "",
            " has no 'end'");
    require(!tables_.name.empty(), name_, ": the table has no line 'name NAME'");
    return std::move(tables_);
  }

 private:
  void parse_line(Line& line) {
    const std::string key = line.word("a keyword");
    if (key.starts_with('#')) return;
    const bool known =
        residue_ ? parse_residue(key, line) : parse_rule(key, line) || parse_setting(key, line);
    require(known, line.place(), ": unknown keyword '", key, "'",
            residue_ ? " inside a residue" : "");
    require(line.done(), line.place(), ": more words than '", key, "' takes");
  }

  bool parse_setting(const std::string& key, Line& line) {
    BornModel& born = tables_.born;
    if (key == "name") {
      tables_.name = line.word("the name");
    } else if (key == "cutoff") {
      tables_.cutoff_nm = line.number("cutoff in nm, 0 for none");
    } else if (key == "scale14") {
      tables_.coulomb_scale14 = line.number("Coulomb scale");
      tables_.lennard_jones_scale14 = line.number("Lennard-Jones scale");
    } else if (key == "improper_order") {
      const std::string order = line.word("default or amber");
      require(order == "default" || order == "amber", line.place(),
              ": expected default or amber, found ", order);
      tables_.amber_improper_order = order == "amber";
    } else if (key == "born_obc") {
      born.alpha = line.number("alpha");
      born.beta = line.number("beta");
      born.gamma = line.number("gamma");
    } else if (key == "born_inside") {
      const std::string inside = line.word("counted or left_out");
      require(inside == "counted" || inside == "left_out", line.place(),
              ": expected counted or left_out, found ", inside);
      born.descreens_inside = inside == "counted";
    } else if (key == "born_dielectric") {
      born.solvent_dielectric = line.number("solvent dielectric");
      born.solute_dielectric = line.number("solute dielectric");
    } else if (key == "born_offset") {
      born.offset_nm = line.number("offset in nm");
    } else if (key == "born_surface") {
      born.surface_kj_mol_nm2 = line.number("surface tension in kJ/mol/nm^2");
      born.probe_nm = line.number("probe radius in nm");
    } else if (key == "alias") {
      std::vector<std::string>& names = tables_.aliases[line.word("a residue name")];
      while (!line.done()) names.push_back(line.word("a residue name"));
    } else {
      return false;
    }
    return true;
  }

  bool parse_rule(const std::string& key, Line& line) {
    if (key == "class") {
      const std::string name = line.word("a class name");
      require(tables_.find_class(name) < 0, line.place(), ": class ", name, " is defined twice");
      const std::string element = line.word("an element");
      tables_.classes.push_back({name, element, line.number("mass in amu"),
                                 line.number("sigma in nm"), line.number("epsilon in kJ/mol")});
    } else if (key == "bond_type") {
      tables_.bonds.push_back(
          {classes<2>(line), line.number("length in nm"), line.number("k in kJ/mol/nm^2")});
    } else if (key == "angle_type") {
      tables_.angles.push_back(
          {classes<3>(line), line.number("angle in radians"), line.number("k in kJ/mol/rad^2")});
    } else if (key == "proper") {
      tables_.propers.push_back(torsion(line));
    } else if (key == "improper") {
      tables_.impropers.push_back(torsion(line));
    } else if (key == "residue") {
      const std::string name = line.word("a residue name");
      require(!tables_.residues.contains(name), line.place(), ": residue ", name,
              " is defined twice");
      residue_ = &tables_.residues[name];
      residue_->name = name;
    } else {
      return false;
    }
    return true;
  }

  bool parse_residue(const std::string& key, Line& line) {
    if (key == "atom") {
      const std::string name = line.word("an atom name");
      require(residue_->find(name) < 0, line.place(), ": atom ", name, " is defined twice");
      const int atom_class = class_named(line);
      const double charge = line.number("charge in e");
      const double radius = line.number("Born radius in nm");
      residue_->atoms.push_back({name, atom_class, charge, {radius, line.number("Born scale")}});
    } else if (key == "bond") {
      const int first = atom_named(line);
      residue_->bonds.push_back({first, atom_named(line)});
    } else if (key == "previous") {
      residue_->previous = atom_named(line);
    } else if (key == "next") {
      residue_->next = atom_named(line);
    } else if (key == "disulfide") {
      residue_->disulfide = atom_named(line);
    } else if (key == "end") {
      residue_ = nullptr;
    } else {
      return false;
    }
    return true;
  }

  int class_named(Line& line) const {
    const std::string name = line.word("a class");
    const int index = tables_.find_class(name);
    require(index >= 0, line.place(), ": class ", name, " has not been defined");
    return index;
  }

  int atom_named(Line& line) const {
    const std::string name = line.word("an atom name");
    const int index = residue_->find(name);
    require(index >= 0, line.place(), ": residue ", residue_->name, " has no atom ", name,
            " so far");
    return index;
  }

  template <std::size_t n>
  std::array<int, n> classes(Line& line) const {
    std::array<int, n> result;
    for (int& atom_class : result) atom_class = class_named(line);
    return result;
  }

  TorsionRule torsion(Line& line) const {
    TorsionRule rule;
    for (int& atom_class : rule.classes) {
      const std::string name = line.word("a class or *");
      atom_class = name == "*" ? kAnyClass : tables_.find_class(name);
      require(name == "*" || atom_class >= 0, line.place(), ": class ", name,
              " has not been defined");
    }
    do {
      const double periodicity = line.number("periodicity");
      require(periodicity >= 1 && periodicity <= 6 && periodicity == std::floor(periodicity),
              line.place(), ": expected a periodicity from 1 to 6, found ", periodicity);
      const double phase = line.number("phase in radians");
      rule.terms.push_back({static_cast<int>(periodicity), phase, line.number("k in kJ/mol")});
    } while (!line.done());
    return rule;
  }

  std::string name_;
  ForceFieldTables tables_;
  ResidueTemplate* residue_ = nullptr;  // the one being read, or none
};

}  // namespace

ForceFieldTables parse_tables(std::string_view text, std::string_view name) {
  return Parser(name).parse(text);
}

const ForceFieldTables& tables_named(std::string_view name) {
  static const std::map<std::string, ForceFieldTables, std::less<>> all = [] {
    std::map<std::string, ForceFieldTables, std::less<>> parsed;
    for (const EmbeddedTable& table : embedded_tables()) {
      parsed.emplace(table.name, parse_tables(table.text, std::string(table.name) + ".txt"));
    }
    return parsed;
  }();
  const auto found = all.find(name);
  if (found != all.end()) return found->second;
  std::string list;
  std::vector<std::string> known;
  for (const auto& [known_name, tables] : all) {
    list += (list.empty() ? "" : ", ") + known_name;
    known.push_back(known_name);
  }
  fail("unknown force field '", name, "'; there are: ", list, advice(name, known));
}

const ForceFieldTables& residue_library() { return tables_named("amber99sbildn-obc2"); }

}  // namespace arbg::md
