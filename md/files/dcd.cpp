#include "md/files/dcd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "md/molecule/units.h"
#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"

namespace arbg::md {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the DCD code assumes a little-endian machine");

constexpr std::uint32_t kHeaderBytes = 84;  // "CORD" and 20 integers
constexpr std::uint32_t kCellBytes = 48;    // six doubles
constexpr std::size_t kMarkers = 8;         // a record's length, before and after it

std::uint32_t load(std::string_view bytes, std::size_t at, bool swapped) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  Dcd read(int atoms) {
    find_byte_order();
    read_header();
    record("titles");
    const std::string_view count = record("the number of atoms");
    check(count.size() == 4, "expected one integer, the number of atoms, before byte ", at_,
          ", found a record of ", count.size(), " bytes");
    const std::uint32_t found = load(count, 0, swapped_);
    check(atoms > 0 && found == static_cast<std::uint32_t>(atoms), "expected ", atoms,
          " atoms, found ", found);
    axis_bytes_ = std::size_t{4} * found;
    const std::size_t frames = (bytes_.size() - at_) / bytes_of_frame();
    Dcd out{read_frames(frames, found), ""};
    check_rest(frames);
    out.note = note(frames);
    return out;
  }

 private:
  void find_byte_order() {
    check(bytes_.size() >= 8, "not a DCD file: it has ", bytes_.size(), " bytes");
    const std::uint32_t words[2] = {load(bytes_, 0, false), load(bytes_, 4, false)};
    const auto is_length = [](std::uint32_t word) {
      return word == kHeaderBytes || word == __builtin_bswap32(kHeaderBytes);
    };
    check(!(is_length(words[0]) && words[1] == 0) && !(words[0] == 0 && is_length(words[1])),
          "DCD files with 64-bit record lengths are not supported; write it again with 32-bit "
          "lengths (by catdcd or VMD)");
    check(is_length(words[0]), "not a DCD file: expected a record of ", kHeaderBytes,
          " bytes at its beginning", said_kind(bytes_));
    swapped_ = words[0] != kHeaderBytes;
  }

  void read_header() {
    const std::string_view header = record("the header");
    const std::string_view kind = header.substr(0, 4);
    check(kind != "VELD", "this DCD file holds velocities; give one with coordinates");
    check(kind == "CORD", "not a DCD file: expected 'CORD' at byte 4");
    const auto place = [&](std::size_t i) { return load(header, 4 + 4 * i, swapped_); };
    stated_frames_ = place(0);
    const bool charmm = place(19) != 0;  // X-PLOR has part of a double in places 10 and 11
    check(place(8) == 0, "files with fixed atoms (", place(8),
          " here) are not supported; write it again with all atoms in every frame");
    check(!charmm || place(11) == 0, "files with a fourth dimension are not supported");
    check(!charmm || place(10) <= 1, "expected 0 or 1 for the unit cell at byte 48, found ",
          place(10));
    has_cell_ = charmm && place(10) == 1;
  }

  std::size_t bytes_of_frame() const {
    return 3 * (axis_bytes_ + kMarkers) + (has_cell_ ? kCellBytes + kMarkers : 0);
  }

  std::vector<double> read_frames(std::size_t frames, std::size_t atoms) {
    std::vector<double> positions_nm(frames * 3 * atoms);
    for (std::size_t f = 0; f < frames; ++f) {
      if (has_cell_) {
        const auto cell = record("a unit cell");
        check(cell.size() == kCellBytes, "expected a unit cell of ", kCellBytes,
              " bytes before byte ", at_, ", found ", cell.size());
      }
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::string_view values = record("coordinates");
        check(values.size() == axis_bytes_, "expected ", axis_bytes_,
              " bytes of coordinates before byte ", at_, ", found ", values.size());
        for (std::size_t i = 0; i < atoms; ++i) {
          const float angstrom = std::bit_cast<float>(load(values, 4 * i, swapped_));
          positions_nm[(f * atoms + i) * 3 + axis] = static_cast<double>(angstrom) * kNmPerAngstrom;
        }
      }
    }
    return positions_nm;
  }

  // What follows the last whole frame is the beginning of another, or nothing.
  void check_rest(std::size_t frames) const {
    const std::size_t rest = bytes_.size() - at_;
    if (rest == 0) return;
    check(frames > 0, "truncated: a frame has ", bytes_of_frame(), " bytes, from byte ", at_,
          " on the file has ", rest);
    check(rest < 4 || load(bytes_, at_, swapped_) == (has_cell_ ? kCellBytes : axis_bytes_),
          "expected the end or another frame at byte ", at_, ", behind frame ", frames - 1,
          ", found ", rest, " bytes of something else");
  }

  std::string note(std::size_t frames) const {
    const std::size_t rest = bytes_.size() - at_;
    const bool as_stated = stated_frames_ == 0 || stated_frames_ == frames;
    check(frames > 0 || as_stated, "truncated: the header states ", stated_frames_,
          " frames, the file ends before the first");
    if (as_stated && rest == 0) return "";
    std::string out = path_ + ": ";
    if (!as_stated)
      out += "the header states " + std::to_string(stated_frames_) + " frames, the file holds " +
             std::to_string(frames) + ", which are taken";
    if (rest > 0)
      out += std::string(as_stated ? "" : "; ") + "a last frame, of which only " +
             std::to_string(rest) + " bytes are there, is left out";
    return out;
  }

  // The bytes between two equal lengths.
  std::string_view record(const char* what) {
    const std::size_t left = bytes_.size() - at_;
    check(left >= kMarkers, "truncated: expected ", what, " at byte ", at_);
    const std::uint32_t length = load(bytes_, at_, swapped_);
    check(length <= left - kMarkers, "truncated: the record at byte ", at_, " (", what, ") claims ",
          length, " bytes, the file has ", left - kMarkers, " more");
    const std::uint32_t again = load(bytes_, at_ + 4 + length, swapped_);
    check(again == length, "the record at byte ", at_, " (", what, ") has length ", length,
          " at its beginning and ", again, " at its end");
    const std::string_view content = bytes_.substr(at_ + 4, length);
    at_ += kMarkers + length;
    return content;
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, path_, ": ", parts...);
  }

  std::string_view bytes_;
  std::string path_;
  std::size_t at_ = 0;  // byte of the next record
  std::uint32_t stated_frames_ = 0;
  std::size_t axis_bytes_ = 0;  // x of all atoms
  bool swapped_ = false, has_cell_ = false;
};

void append_record(std::string& out, const void* bytes, std::size_t size) {
  const auto length = static_cast<std::uint32_t>(size);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out.append(static_cast<const char*>(bytes), size);
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
}

void append_header(std::string& out, std::uint32_t frames, std::uint32_t atoms) {
  std::array<char, kHeaderBytes> header{'C', 'O', 'R', 'D'};
  const auto set = [&](std::size_t place, std::uint32_t value) {
    std::memcpy(header.data() + 4 + 4 * place, &value, sizeof value);
  };
  set(0, frames);
  set(1, 1);  // number of the first frame
  set(2, 1);  // steps between frames
  set(3, frames);
  set(9, std::bit_cast<std::uint32_t>(1.0f));  // time step, which is not known here
  set(19, 24);                                 // CHARMM version, as other programs write
  append_record(out, header.data(), header.size());

  std::array<char, 84> title{1, 0, 0, 0};  // one line
  constexpr std::string_view kText = "written by arbg; times are not known";
  std::fill(title.begin() + 4, title.end(), ' ');
  std::copy(kText.begin(), kText.end(), title.begin() + 4);
  append_record(out, title.data(), title.size());
  append_record(out, &atoms, sizeof atoms);
}

}  // namespace

Dcd parse_dcd(std::string_view bytes, const std::string& name, int atoms) {
  return Reader(bytes, name).read(atoms);
}

Dcd read_dcd(const std::filesystem::path& path, int atoms) {
  return parse_dcd(read_file(path), path.string(), atoms);
}

void write_dcd(const std::filesystem::path& path, int atoms, std::span<const double> positions_nm) {
  const auto n = static_cast<std::size_t>(atoms);
  require(atoms > 0 && positions_nm.size() % (3 * n) == 0, "cannot write ", path.string(), ": ",
          positions_nm.size(), " coordinates are not whole frames of ", atoms, " atoms");
  const std::size_t frames = positions_nm.size() / (3 * n);
  require(frames <= std::numeric_limits<std::int32_t>::max(), "cannot write ", path.string(), ": ",
          frames, " frames do not fit a DCD file");
  std::string bytes;
  bytes.reserve(300 + frames * 3 * (4 * n + kMarkers));
  append_header(bytes, static_cast<std::uint32_t>(frames), static_cast<std::uint32_t>(atoms));
  std::vector<float> angstrom(n);
  for (std::size_t f = 0; f < frames; ++f) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      for (std::size_t i = 0; i < n; ++i) {
        const double nm = positions_nm[(f * n + i) * 3 + axis];
        angstrom[i] = static_cast<float>(nm / kNmPerAngstrom);
        require(std::isfinite(angstrom[i]), "cannot write ", path.string(), ": frame ", f,
                ", atom ", i, ": the position ", nm, " nm does not fit a float32");
      }
      append_record(bytes, angstrom.data(), 4 * n);
    }
  }
  write_file(path, bytes);
}

}  // namespace arbg::md
