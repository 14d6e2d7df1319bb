#include "tensor/base/npz.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>

#include "tensor/base/crc32.h"
#include "tensor/base/error.h"
#include "tensor/base/file_kind.h"
#include "tensor/base/files.h"
#include "tensor/base/inflate.h"
#include "tensor/base/quoted.h"

namespace arbg {
namespace {

constexpr std::size_t kEndBytes = 22, kLongestComment = 65535;
constexpr std::uint64_t kIn64Bits = 0xffffffff;  // the number stands where 64 bits are

struct Member {
  std::string name;
  std::uint64_t flags, method, checksum, packed, size, header_at;
};

std::uint32_t crc32(std::string_view bytes) {
  Crc32 sum;
  sum.add(std::as_bytes(std::span(bytes)));
  return sum.value();
}

class Archive {
 public:
  Archive(std::string_view bytes, const std::filesystem::path& path)
      : bytes_(bytes), path_(path.string()) {
    check(bytes.starts_with("PK"), "not a .npz file (it does not begin with PK)", said_kind(bytes));
    const std::size_t end = end_record();
    const std::uint64_t disk = number(end + 4, 2);
    check(disk == 0 || disk == 0xffff, "archives in several parts are not supported");
    part(end + kEndBytes, number(end + 20, 2));  // the comment
    std::uint64_t count = number(end + 10, 2), at = number(end + 16, 4);
    if (count == 0xffff || at == kIn64Bits) {
      check(end >= 20 && part(end - 20, 4) == "PK\x06\x07",
            "damaged: the place of its 64-bit list is missing");
      const std::uint64_t large_end = number(end - 12, 8);
      check(part(large_end, 4) == "PK\x06\x06", "damaged: its 64-bit list is missing");
      count = number(large_end + 32, 8);
      at = number(large_end + 48, 8);
    }
    for (std::uint64_t i = 0; i < count; ++i) members_.push_back(read_member(at));
  }

  const std::vector<Member>& members() const { return members_; }

  std::string content(const Member& member) const {
    const std::string where = path_ + ":" + member.name;
    require(member.flags % 2 == 0, where, ": encrypted members are not supported");
    require(member.method == 0 || member.method == 8, where, ": compressed by method ",
            member.method, "; save it by numpy.savez or numpy.savez_compressed");
    check(part(member.header_at, 4) == "PK\x03\x04", "damaged: the member ", Quoted(member.name),
          " is not at byte ", member.header_at);
    const std::uint64_t begin =
        member.header_at + 30 + number(member.header_at + 26, 2) + number(member.header_at + 28, 2);
    const std::string_view packed = part(begin, member.packed);
    require(member.method == 8 || member.size == member.packed, where, ": damaged: stored ",
            member.packed, " bytes are said to be ", member.size);
    std::string out = member.method == 8
                          ? inflate(packed, static_cast<std::size_t>(member.size), where)
                          : std::string(packed);
    require(crc32(out) == member.checksum, where, ": damaged: its checksum is another than stated");
    return out;
  }

 private:
  // The record at the end, before a comment of any length.
  std::size_t end_record() const {
    const std::size_t begin = bytes_.size() - std::min(bytes_.size(), kEndBytes + kLongestComment);
    const std::size_t at = bytes_.substr(begin).rfind("PK\x05\x06");
    check(at != std::string_view::npos,
          "truncated: the archive's list of members, which ends it, is missing");
    return begin + at;
  }

  // The entry of the list at `at`, which then is behind it.
  Member read_member(std::uint64_t& at) const {
    check(part(at, 4) == "PK\x01\x02", "damaged: expected an entry of its list at byte ", at);
    Member out{"",
               number(at + 8, 2),
               number(at + 10, 2),
               number(at + 16, 4),
               number(at + 20, 4),
               number(at + 24, 4),
               number(at + 42, 4)};
    const std::uint64_t name = number(at + 28, 2), extra = number(at + 30, 2);
    out.name = part(at + 46, name);
    read_large_numbers(out, at + 46 + name, extra);
    at += 46 + name + extra + number(at + 32, 2);
    return out;
  }

  // Extra field 1: size, packed size and place of a member, those of them that need 64 bits.
  void read_large_numbers(Member& member, std::uint64_t at, std::uint64_t extra) const {
    for (const std::uint64_t end = at + extra; at + 4 <= end; at += 4 + number(at + 2, 2)) {
      if (number(at, 2) != 1) continue;
      std::uint64_t from = at + 4;
      for (std::uint64_t* value : {&member.size, &member.packed, &member.header_at}) {
        if (*value != kIn64Bits) continue;
        *value = number(from, 8);
        from += 8;
      }
      return;
    }
  }

  std::uint64_t number(std::uint64_t at, std::size_t bytes) const {  // little-endian
    std::uint64_t value = 0;
    const std::string_view digits = part(at, bytes);
    for (std::size_t i = bytes; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(digits[i]);
    return value;
  }

  std::string_view part(std::uint64_t at, std::uint64_t size) const {
    check(at <= bytes_.size() && size <= bytes_.size() - at, "truncated or damaged: it refers to ",
          size, " bytes from byte ", at, " on, it has ", bytes_.size());
    return bytes_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, path_, ": ", parts...);
  }

  std::string_view bytes_;
  std::string path_;
  std::vector<Member> members_;
};

std::vector<std::string> names_of(const Archive& archive) {
  std::vector<std::string> out;
  for (const Member& member : archive.members()) {
    if (member.name.ends_with(".npy")) out.push_back(member.name.substr(0, member.name.size() - 4));
  }
  return out;
}

// The first of them: a hostile archive may have thousands.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  std::ostringstream out;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    out << (i == 0 ? "" : ", ") << Quoted(names[i]);
  if (names.size() > kMost) out << " and " << names.size() - kMost << " more";
  return names.empty() ? "no array" : out.str();
}

}  // namespace

std::vector<std::string> npz_arrays(std::string_view bytes, const std::filesystem::path& path) {
  return names_of(Archive(bytes, path));
}

Array<double> parse_npz(std::string_view bytes, const std::string& name,
                        const std::filesystem::path& path) {
  const Archive archive(bytes, path);
  const auto member = std::ranges::find(archive.members(), name + ".npy", &Member::name);
  if (member == archive.members().end()) {
    fail(path.string(), ": expected an array named ", name, ", found ", listed(names_of(archive)));
  }
  return parse_npy(archive.content(*member), path.string() + ":" + member->name);
}

Array<double> read_npz(const std::filesystem::path& path, const std::string& name) {
  return parse_npz(read_file(path), name, path);
}

}  // namespace arbg
