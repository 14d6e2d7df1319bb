#include "md/files/inpcrd.h"

#include <charconv>
#include <cmath>
#include <sstream>

#include "md/files/trimmed.h"
#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/quoted.h"

namespace arbg::md {

namespace {

constexpr std::size_t kColumns = 12;

// Without line ends, and without empty lines at the end.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    lines.push_back(line.substr(0, line.find_last_not_of(" \t\r") + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// Three lengths, maybe with three angles.
bool is_box(std::string_view line) {
  std::istringstream numbers{std::string(line)};
  int count = 0;
  for (double value = 0; numbers >> value;) ++count;
  return numbers.eof() && (count == 3 || count == 6);
}

}  // namespace

std::vector<double> parse_inpcrd(std::string_view text, const std::string& name, int atoms) {
  const std::string_view kind = kind_of_file(text);  // the title may look like some other kind
  require(kind.find("NetCDF") == kind.npos, name, ": it is ", kind,
          ", which is not supported; write it as text (ntxo=1 in AMBER, or a .rst7 by cpptraj's "
          "trajout with the keyword restart)");
  require(kind.find("prmtop") == kind.npos, name, ": it is ", kind,
          "; expected the coordinates that belong to it (inpcrd or rst7)");
  const std::vector<std::string_view> lines = split_lines(text);
  require(!lines.empty(), name, ": the file is empty; expected AMBER coordinates");
  require(
      lines.size() >= 2, name,
      ": expected a title, the number of atoms and coordinates, each on lines of its own; is this "
      "an inpcrd file, and whole?");
  const std::string_view counts = trimmed(lines[1]);
  int found = 0;
  const auto parsed = std::from_chars(counts.data(), counts.data() + counts.size(), found);
  require(parsed.ec == std::errc() &&
              (parsed.ptr == counts.data() + counts.size() || *parsed.ptr == ' '),
          name, ":2: expected the number of atoms, found ", Quoted(lines[1]));
  require(found == atoms, name, ":2: expected ", atoms, " atoms, found ", found,
          "; is it of another molecule?");

  const std::size_t numbers = 3 * static_cast<std::size_t>(atoms);
  const std::size_t rows = (numbers + 5) / 6;  // lines of coordinates, and of velocities
  const std::size_t given = lines.size() - 2;
  require(given >= rows, name, ":", lines.size(), ": expected ", rows, " lines of coordinates for ",
          atoms, " atoms, found ", given, "; they are missing or cut short");
  const bool has_velocities = given == 2 * rows;
  require(atoms > 2 || given == rows, name, ":", 3 + rows,
          ": a line after the coordinates of one or two atoms may be velocities or a box; remove "
          "it");
  const bool extra_line = given == rows + 1 || given == 2 * rows + 1;
  require(!extra_line || !is_box(lines.back()), name, ":", lines.size(),
          ": periodic boxes are not supported; for a molecule in implicit solvent remove this last "
          "line");
  require(given == rows || has_velocities, name, ":", lines.size(), ": expected ", rows,
          " lines of coordinates, or twice as many with velocities, found ", given);

  std::vector<double> positions_nm(numbers);
  for (std::size_t i = 0; i < numbers; ++i) {
    const std::size_t row = 2 + i / 6, column = i % 6 * kColumns;
    const std::string_view line = lines[row];
    const auto field = trimmed(line.substr(std::min(column, line.size()), kColumns));
    double angstrom = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), angstrom);
    require(error == std::errc() && end == field.data() + field.size() && std::isfinite(angstrom),
            name, ":", row + 1, ": expected a coordinate in columns ", column + 1, " to ",
            column + kColumns, ", found ", Quoted(field));
    positions_nm[i] = angstrom * kNmPerAngstrom;
  }
  return positions_nm;
}

std::vector<double> read_inpcrd(const std::filesystem::path& path, int atoms) {
  return parse_inpcrd(read_file(path), path.string(), atoms);
}

}  // namespace arbg::md
