#include "md/files/pdb_bonds.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>

#include "md/files/trimmed.h"
#include "tensor/base/error.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

std::optional<int> whole_number(std::string_view columns) {
  columns = trimmed(columns);
  int value = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), value);
  if (error != std::errc() || end != columns.data() + columns.size()) return {};
  return value;
}

// Columns of a record as a number; the first character has column 0.
int number_at(std::string_view record, std::size_t column, std::size_t width, const char* what,
              const std::string& place) {
  const std::string_view text =
      column < record.size() ? record.substr(column, width) : std::string_view();
  const auto value = whole_number(text);
  require(value.has_value(), place, ": expected a ", what, " in columns ", column + 1, " to ",
          column + width, ", found ", Quoted(text));
  return *value;
}

}  // namespace

void PdbBonds::add_atom(std::string_view serial_columns) {
  if (const auto serial = whole_number(serial_columns))
    atom_of_serial_.emplace(*serial, atom_count_);
  ++atom_count_;
}

void PdbBonds::read(std::string_view record, const std::string& place) {
  if (record.starts_with("SSBOND")) {
    // Chain, blank, four columns of number, insertion code.
    const auto residue_at = [&](std::size_t column) -> NamedResidue {
      Residue residue;
      residue.number = number_at(record, column + 2, 4, "residue number", place);
      if (column + 6 < record.size()) residue.insertion_code = record[column + 6];
      return {residue.place(), record[column], place};
    };
    residue_pairs_.emplace_back(residue_at(15), residue_at(29));
    return;
  }
  const int from = number_at(record, 6, 5, "serial number", place);
  for (std::size_t column = 11; column < std::min<std::size_t>(record.size(), 31); column += 5) {
    if (record.substr(column, 5).find_first_not_of(' ') == std::string_view::npos) continue;
    serial_pairs_.emplace_back(from, number_at(record, column, 5, "serial number", place));
  }
}

std::vector<std::pair<int, int>> PdbBonds::disulfides(const Topology& topology, char chain) const {
  std::set<std::pair<int, int>> pairs;
  for (const auto& [from, to] : serial_pairs_) {
    const auto a = atom_of_serial_.find(from), b = atom_of_serial_.find(to);
    if (a == atom_of_serial_.end() || b == atom_of_serial_.end()) continue;
    const Atom& first = topology.atoms.at(static_cast<std::size_t>(a->second));
    const Atom& second = topology.atoms.at(static_cast<std::size_t>(b->second));
    if (first.name == "SG" && second.name == "SG" && first.residue != second.residue)
      pairs.insert(std::minmax(first.residue, second.residue));
  }
  const auto index_of = [&](const NamedResidue& named) {
    const auto found = std::ranges::find(topology.residues, named.residue, &Residue::place);
    const bool other_chain = named.chain != ' ' && chain != ' ' && named.chain != chain;
    require(found != topology.residues.end() && !other_chain, named.line, ": there is no residue ",
            named.residue, other_chain ? " of chain " : "",
            other_chain ? std::string(1, named.chain) : "",
            " for this SSBOND to link; remove the record or add the residue");
    return static_cast<int>(found - topology.residues.begin());
  };
  for (const auto& [first, second] : residue_pairs_)
    pairs.insert(std::minmax({index_of(first), index_of(second)}));
  return {pairs.begin(), pairs.end()};
}

std::string conect_records(const Topology& topology) {
  const auto residue_of = [&](int atom) -> const Residue& {
    const int r = topology.atoms[static_cast<std::size_t>(atom)].residue;
    return topology.residues[static_cast<std::size_t>(r)];
  };
  const auto unusual = [&](int atom) {
    return residue_of(atom).name == "LYN" || residue_of(atom).name == "CYM";
  };
  const auto is_sulfur = [&](int atom) {
    return topology.atoms[static_cast<std::size_t>(atom)].name == "SG";
  };
  const auto neighbours = topology.neighbours();
  std::string text;
  for (int i = 0; i < topology.atom_count(); ++i) {
    std::string line;
    for (const int j : neighbours[static_cast<std::size_t>(i)]) {
      if (!(is_sulfur(i) && is_sulfur(j)) && !unusual(i) && !unusual(j)) continue;
      char field[16];
      std::snprintf(field, sizeof field, "%5d", j + 1);
      line += field;
    }
    if (line.empty()) continue;
    char start[32];
    std::snprintf(start, sizeof start, "CONECT%5d", i + 1);
    text += start + line + "\n";
  }
  return text;
}

}  // namespace arbg::md
