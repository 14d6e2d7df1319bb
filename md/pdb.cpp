#include "md/pdb.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>

#include "md/forcefields/templates.h"
#include "md/pdb_bonds.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"

namespace arbg::md {

namespace {

constexpr double kNmPerAngstrom = 0.1;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

class Reader {
 public:
  explicit Reader(std::string name) : path_(std::move(name)) {}

  Pdb read(std::string_view text) {
    while (!text.empty() && !ended_) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++line_number_;
      read_record(line);
    }
    if (model_atom_ > 0) finish_model();
    require(pdb_.models > 0, path_, ": expected ATOM records, found none");
    try {
      complete_topology(pdb_.topology, bonds_.disulfides(pdb_.topology));
    } catch (const Error& error) {
      fail(path_, ": ", error.what());
    }
    return std::move(pdb_);
  }

 private:
  void read_record(std::string_view line) {
    const std::string_view record = trimmed(line.substr(0, 6));
    if (record == "ATOM" || record == "HETATM") {
      check(!chain_ended_, "expected one molecule, found atoms after TER");
      read_atom(line);
    } else if (record == "TER") {
      chain_ended_ = model_atom_ > 0;
    } else if (record == "MODEL") {
      check(model_atom_ == 0, "expected ENDMDL before the next MODEL");
    } else if (record == "ENDMDL") {
      finish_model();
    } else if (record == "SSBOND" || record == "CONECT") {
      bonds_.read(line, path_ + ":" + std::to_string(line_number_));
    } else if (record == "END") {
      ended_ = true;
    }
  }

  void read_atom(std::string_view line) {
    check(line.size() >= 54, "expected coordinates up to column 54, the line ends at column ",
          line.size());
    check(line[16] == ' ' || line[16] == 'A', "alternate location '", line[16],
          "' is not supported; keep one");
    check(line[26] == ' ', "insertion code '", line[26],
          "' is not supported; renumber the residues");
    const std::string name(trimmed(line.substr(12, 4))), residue_name(trimmed(line.substr(17, 3)));
    check(!name.empty() && !residue_name.empty(), "expected an atom name and a residue name");
    const int residue_number = number<int>(line.substr(22, 4), "residue number");
    if (pdb_.models == 0) {
      bonds_.add_atom(line.substr(6, 5));
      add_atom(name, residue_name, residue_number, line[21]);
    } else {
      check_atom(name, residue_name, residue_number);
    }
    for (const std::size_t column : {30u, 38u, 46u}) {
      const double angstrom = number<double>(line.substr(column, 8), "coordinate");
      check(std::isfinite(angstrom), "expected a finite coordinate, found '",
            line.substr(column, 8), "'");
      pdb_.positions_nm.push_back(angstrom * kNmPerAngstrom);
    }
    ++model_atom_;
  }

  void add_atom(const std::string& name, const std::string& residue_name, int residue_number,
                char chain) {
    Topology& topology = pdb_.topology;
    check(topology.residues.empty() || chain == chain_, "expected one chain, found '", chain_,
          "' and '", chain, "'");
    chain_ = chain;
    if (topology.residues.empty() || topology.residues.back().number != residue_number ||
        topology.residues.back().name != residue_name) {
      topology.residues.push_back({residue_name, residue_number, topology.atom_count(), 0});
    }
    ++topology.residues.back().atom_count;
    topology.atoms.push_back({name, "", static_cast<int>(topology.residues.size()) - 1});
  }

  void check_atom(const std::string& name, const std::string& residue_name,
                  int residue_number) const {
    check(model_atom_ < pdb_.topology.atom_count(), "model ", pdb_.models + 1,
          " has more atoms than the first, which has ", pdb_.topology.atom_count());
    const std::string found = residue_name + std::to_string(residue_number) + ":" + name;
    const std::string expected = pdb_.topology.describe(model_atom_);
    check(found == expected, "expected ", expected, " as in the first model, found ", found);
  }

  void finish_model() {
    check(model_atom_ > 0, "expected ATOM records before ENDMDL, found none");
    check(model_atom_ == pdb_.topology.atom_count(), "model ", pdb_.models + 1, " has ",
          model_atom_, " atoms, the first has ", pdb_.topology.atom_count());
    ++pdb_.models;
    model_atom_ = 0;
    chain_ended_ = false;
  }

  template <class Number>
  Number number(std::string_view columns, const char* what) const {
    const std::string_view text = trimmed(columns);
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(error == std::errc() && end == text.data() + text.size(), "expected a ", what,
          ", found '", columns, "'");
    return value;
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, path_, ":", line_number_, ": ", parts...);
  }

  std::string path_;
  Pdb pdb_;
  PdbBonds bonds_;
  int line_number_ = 0;
  int model_atom_ = 0;  // atoms of this model so far
  char chain_ = ' ';
  bool chain_ended_ = false, ended_ = false;
};

}  // namespace

Pdb parse_pdb(std::string_view text, const std::string& name) { return Reader(name).read(text); }

Pdb read_pdb(const std::filesystem::path& path) {
  return parse_pdb(read_file(path), path.string());
}

void write_pdb(const std::filesystem::path& path, const Topology& topology,
               std::span<const double> positions_nm) {
  require(positions_nm.size() == 3 * topology.atoms.size(), "cannot write ", path.string(), ": ",
          topology.atom_count(), " atoms need ", 3 * topology.atoms.size(), " coordinates, found ",
          positions_nm.size());
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
                  "ATOM  %5zu %-4s %3s A%4d    %8.3f%8.3f%8.3f  1.00  0.00          %2s\n", i + 1,
                  name.c_str(), residue.name.c_str(), residue.number, angstrom[0], angstrom[1],
                  angstrom[2], atom.element.c_str());
    text += line;
  }
  write_file(path, text + "TER\n" + conect_records(topology) + "END\n");
}

}  // namespace arbg::md
