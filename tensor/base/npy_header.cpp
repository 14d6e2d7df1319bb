#include "tensor/base/npy_header.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/quoted.h"

namespace arbg {
namespace {

// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 22, 3), }
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  void read(NpyHeader& header) {
    bool has_dtype = false, has_order = false, has_shape = false;
    check(take('{'), "is not a dictionary");
    while (!take('}')) {
      const std::string_view key = quoted("holds a key that is not text");
      check(take(':'), "has no ':' after a key");
      if (key == "descr") {
        header.dtype = quoted("has a dtype that is not a plain number type");
        has_dtype = true;
      } else if (key == "fortran_order") {
        require(take("False"), path_.string(),
                ": column-major (Fortran order) arrays are not supported; save "
                "numpy.ascontiguousarray(x)");
        has_order = true;
      } else if (key == "shape") {
        read_shape(header);
        has_shape = true;
      } else {
        check(false, "has a key that .npy files do not have: ", Quoted(key));
      }
      if (take(',')) continue;
      check(take('}'), "does not end with '}'");
      break;
    }
    skip_blanks();
    check(text_.empty(), "goes on behind its dictionary");
    check(has_dtype, "has no key 'descr'");
    check(has_order, "has no key 'fortran_order'");
    check(has_shape, "has no key 'shape'");
  }

 private:
  void read_shape(NpyHeader& header) {
    header.shape.clear();
    header.elements = 1;
    check(take('('), "has a shape that is not a tuple");
    while (!take(')')) {
      check(!text_.empty() && std::isdigit(static_cast<unsigned char>(text_.front())),
            "has a shape with something else than whole numbers from 0: ", Quoted(text_));
      std::int64_t extent = 0;
      const auto parsed = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      check(parsed.ec == std::errc{} &&
                !__builtin_mul_overflow(header.elements, extent, &header.elements),
            "has a shape that is too large");
      header.shape.push_back(extent);
      text_.remove_prefix(static_cast<std::size_t>(parsed.ptr - text_.data()));
      take('L');  // a long integer of Python 2
      if (take(',')) continue;
      check(header.shape.size() > 1, "has a shape that is not a tuple");
      check(take(')'), "has a shape without ')'");
      break;
    }
  }

  std::string_view quoted(const char* otherwise) {
    take('u');
    const char quote = take('"') ? '"' : '\'';
    check(quote == '"' || take('\''), otherwise);
    const std::size_t end = text_.find(quote);
    check(end != std::string_view::npos, otherwise);
    const std::string_view content = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return content;
  }

  // Whether that comes next, behind blanks; it is then behind us.
  bool take(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  bool take(char token) { return take(std::string_view(&token, 1)); }

  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, path_.string(), ": the .npy header ", parts...);
  }

  std::string_view text_;  // what is still to be read
  const std::filesystem::path& path_;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view bytes, const std::filesystem::path& path) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  require(bytes.starts_with(kMagic), path.string(),
          ": not a .npy file (it does not begin with \\x93NUMPY)", said_kind(bytes));
  require(bytes.size() >= 12, path.string(), ": truncated: the file has ", bytes.size(), " bytes");
  const int version = static_cast<unsigned char>(bytes[6]);
  require(version >= 1 && version <= 3, path.string(), ": .npy format version ", version,
          " is not 1, 2 or 3");
  const auto byte = [&](std::size_t i) {
    return std::size_t{static_cast<unsigned char>(bytes[i])};
  };
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  NpyHeader header;
  header.data_offset = 8 + length_bytes + length;
  require(header.data_offset <= bytes.size(), path.string(),
          ": truncated: the header says it ends at byte ", header.data_offset, ", the file has ",
          bytes.size());
  Dictionary(bytes.substr(8 + length_bytes, length), path).read(header);
  return header;
}

}  // namespace arbg
