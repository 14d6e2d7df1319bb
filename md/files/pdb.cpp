#include "md/files/pdb.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "md/files/alternate_locations.h"
#include "md/files/pdb_bonds.h"
#include "md/files/pdb_names.h"
#include "md/files/trimmed.h"
#include "md/forcefields/known_names.h"
#include "md/forcefields/templates.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

class Reader {
 public:
  explicit Reader(std::string name) : path_(std::move(name)) {}

  Pdb read(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // of editors on Windows
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    const std::string_view kind = kind_of_file(text);
    require(kind.empty() || kind == "a PDB file", path_, ": expected a PDB file; it is ", kind);
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++line_number_;
      read_line(line);
    }
    if (!model_.empty()) finish_model();
    require(pdb_.models > 0, path_, ": expected ATOM records, found none; is this a PDB file?");
    if (!locations_.note().empty())
      pdb_.note = path_ + ": of alternate locations one is read: " + locations_.note();
    with_path([&] { adopt_template_names(pdb_.topology); });
    const auto disulfides = bonds_.disulfides(pdb_.topology, chain_);
    with_path([&] { complete_topology(pdb_.topology, disulfides); });
    return std::move(pdb_);
  }

 private:
  // For steps that do not know the file.
  template <class Step>
  void with_path(const Step& step) const {
    try {
      step();
    } catch (const Error& error) {
      fail(path_, ": ", error.what(),
           ended_ ? "" : "; or is the file cut short? It has neither TER nor END");
    }
  }

  void read_line(std::string_view line) {
    const std::string_view record = trimmed(line.substr(0, 6));
    if (record == "ATOM" || record == "HETATM") {
      model_.push_back(read_atom(line));
      chain_ = model_.back().chain;
    } else if (record == "TER") {
      ended_ = true;
      chain_ended_ = !model_.empty();
    } else if (record == "MODEL") {
      check(model_.empty(), "expected ENDMDL before the next MODEL");
    } else if (record == "ENDMDL") {
      check(!model_.empty(), "expected ATOM records before ENDMDL, found none");
      ended_ = true;
      finish_model();
    } else if (record == "SSBOND" || record == "CONECT") {
      bonds_.read(line, path_ + ":" + std::to_string(line_number_));
    } else if (record == "END") {
      ended_ = true;
      if (!model_.empty()) finish_model();
    }
  }

  PdbAtom read_atom(std::string_view line) const {
    check(line.size() >= 54, "expected coordinates up to column 54, the line ends at column ",
          line.size());
    PdbAtom atom{line_number_,
                 std::string(line.substr(6, 5)),
                 std::string(trimmed(line.substr(12, 4))),
                 {std::string(trimmed(line.substr(17, 4))),
                  number<int>(line.substr(22, 4), "residue number"), 0, 0, line[26]},
                 line[21],
                 line[16],
                 0,
                 {}};
    check(!atom.name.empty() && !atom.residue.name.empty(),
          "expected an atom name and a residue name");
    const bool water = is_water(atom.residue.name);
    check(!water && !is_ion(atom.residue.name), "found ", water ? "water" : "an ion", " (",
          atom.residue.name, ' ', atom.residue.place(),
          "); expected one molecule, whose solvent is implicit: remove water and ions");
    check(!chain_ended_, "expected one molecule, found atoms after TER");
    check(line[26] == ' ' || is_letter(line[26]), "expected a letter or nothing as insertion code ",
          "(column 27), found ", Quoted(line.substr(26, 1)));
    const bool is_first = pdb_.models == 0 && model_.empty();
    check(is_first || atom.chain == chain_, "expected one chain, found ", Quoted({&chain_, 1}),
          " and ", Quoted({&atom.chain, 1}));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::string_view columns = line.substr(30 + 8 * axis, 8);
      atom.angstrom[axis] = number<double>(columns, "coordinate");
      check(std::isfinite(atom.angstrom[axis]), "expected a finite coordinate, found ",
            Quoted(columns));
    }
    const std::string_view occupancy = line.size() > 54 ? line.substr(54, 6) : "";
    if (atom.location != ' ' && !trimmed(occupancy).empty())
      atom.occupancy = number<double>(occupancy, "number (occupancy)");
    else
      read_number(occupancy, atom.occupancy);
    return atom;
  }

  // The atoms since the last model are one conformation; the first makes the topology.
  void finish_model() {
    const std::vector<PdbAtom> atoms = locations_.choose(model_, path_);
    const bool same_size = pdb_.models == 0 || static_cast<int>(atoms.size()) == atom_count();
    check(same_size, "model ", pdb_.models + 1, " has ", atoms.size(), " atoms, the first has ",
          atom_count());
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      if (pdb_.models == 0)
        add_atom(atoms[i]);
      else
        check_atom(atoms[i], static_cast<int>(i));
      for (const double angstrom : atoms[i].angstrom)
        pdb_.positions_nm.push_back(angstrom * kNmPerAngstrom);
    }
    ++pdb_.models;
    model_.clear();
    chain_ended_ = false;
  }

  void add_atom(const PdbAtom& atom) {
    Topology& topology = pdb_.topology;
    auto& residues = topology.residues;
    const auto is_its_residue = [&](const Residue& residue) {
      return residue.name == atom.residue.name && residue.number == atom.residue.number &&
             residue.insertion_code == atom.residue.insertion_code;
    };
    if (residues.empty() || !is_its_residue(residues.back())) {
      check_at(atom.line, std::ranges::none_of(residues, is_its_residue), "residue ",
               atom.residue.label(),
               " stands in two places; expected its atoms one after the other");
      residues.push_back(atom.residue);
      residues.back().first_atom = topology.atom_count();
    }
    bonds_.add_atom(atom.serial);
    ++residues.back().atom_count;
    topology.atoms.push_back({atom.name, "", static_cast<int>(residues.size()) - 1});
  }

  void check_atom(const PdbAtom& atom, int index) const {
    const std::string found = atom.residue.label() + ":" + atom.name;
    const std::string expected = pdb_.topology.describe(index);
    check_at(atom.line, found == expected, "expected ", expected, " as in the first model, found ",
             found);
  }

  template <class Number>
  Number number(std::string_view columns, const char* what) const {
    Number value = 0;
    check(read_number(columns, value), "expected a ", what, ", found ", Quoted(columns));
    return value;
  }

  // Whether the columns hold a number and nothing else.
  template <class Number>
  static bool read_number(std::string_view columns, Number& value) {
    const std::string_view text = trimmed(columns);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  }

  int atom_count() const { return pdb_.topology.atom_count(); }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    check_at(line_number_, condition, parts...);
  }
  template <class... Parts>
  void check_at(int line, bool condition, const Parts&... parts) const {
    require(condition, path_, ":", line, ": ", parts...);
  }

  std::string path_;
  Pdb pdb_;
  PdbBonds bonds_;
  AlternateLocations locations_;
  std::vector<PdbAtom> model_;  // atoms since the last model
  int line_number_ = 0;
  char chain_ = ' ';
  bool chain_ended_ = false;
  bool ended_ = false;  // there was a TER, ENDMDL or END
};

// ATOM records of one conformation [N, 3].
std::string atom_records(const std::filesystem::path& path, const Topology& topology,
                         std::span<const double> positions_nm) {
  std::string text;
  for (std::size_t i = 0; i < topology.atoms.size(); ++i) {
    const Atom& atom = topology.atoms[i];
    const Residue& residue = topology.residues[static_cast<std::size_t>(atom.residue)];
    require(i < 99999 && residue.number <= 9999 && residue.number >= -999 &&
                atom.name.size() <= 4 && residue.name.size() <= 3,
            "cannot write ", path.string(), ": ", topology.describe(static_cast<int>(i)),
            " does not fit the columns of a PDB file");
    double angstrom[3];
    for (std::size_t axis = 0; axis < 3; ++axis) {
      angstrom[axis] = positions_nm[3 * i + axis] / kNmPerAngstrom;
      require(angstrom[axis] > -999.9995 && angstrom[axis] < 9999.9995, "cannot write ",
              path.string(), ": the position ", positions_nm[3 * i + axis], " nm of ",
              topology.describe(static_cast<int>(i)), " does not fit the columns of a PDB file");
    }
    // Names of up to three letters start in the second of their four columns.
    const std::string name = atom.name.size() < 4 ? " " + atom.name : atom.name;
    char line[96];
    std::snprintf(line, sizeof line,
                  "ATOM  %5zu %-4s %3s A%4d%c   %8.3f%8.3f%8.3f  1.00  0.00          %2s\n", i + 1,
                  name.c_str(), residue.name.c_str(), residue.number, residue.insertion_code,
                  angstrom[0], angstrom[1], angstrom[2], atom.element.c_str());
    text += line;
  }
  return text + "TER\n";
}

}  // namespace

Pdb parse_pdb(std::string_view text, const std::string& name) { return Reader(name).read(text); }

Pdb read_pdb(const std::filesystem::path& path) {
  return parse_pdb(read_file(path), path.string());
}

bool is_pdb_path(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending == ".pdb" || ending == ".ent";
}

std::string pdb_text(const Topology& topology, std::span<const double> positions_nm,
                     const std::filesystem::path& path) {
  const std::size_t size = 3 * topology.atoms.size();
  require(size > 0 && !positions_nm.empty() && positions_nm.size() % size == 0, "cannot write ",
          path.string(), ": ", topology.atom_count(), " atoms need ", size,
          " coordinates a model, found ", positions_nm.size());
  const std::size_t models = positions_nm.size() / size;
  std::string text;
  for (std::size_t m = 0; m < models; ++m) {
    const std::string atoms = atom_records(path, topology, positions_nm.subspan(m * size, size));
    char start[32];
    std::snprintf(start, sizeof start, "MODEL     %4zu\n", m + 1);
    text += models == 1 ? atoms : start + atoms + "ENDMDL\n";
  }
  return text + conect_records(topology) + "END\n";
}

void write_pdb(const std::filesystem::path& path, const Topology& topology,
               std::span<const double> positions_nm) {
  write_file(path, pdb_text(topology, positions_nm, path));
}

}  // namespace arbg::md
