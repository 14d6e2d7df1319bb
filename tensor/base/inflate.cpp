#include "tensor/base/inflate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tensor/base/error.h"

namespace arbg {
namespace {

constexpr std::size_t kMostExpansion = 1032;  // 258 bytes from two bits
constexpr int kLongestCode = 15;
constexpr int kEndOfBlock = 256;

// A canonical Huffman code as a table of all that the next bits can be.
class HuffmanCode {
 public:
  // Bits of each symbol's code, 0: it has none. Codes are in order of length, then of symbol.
  HuffmanCode(std::span<const std::uint8_t> lengths, const std::string& where) {
    std::array<int, kLongestCode + 1> count{}, next{};
    for (const auto length : lengths) ++count[length];
    count[0] = 0;
    int code = 0;
    for (std::size_t length = 1; length <= kLongestCode; ++length) {
      if (count[length] > 0) longest_ = static_cast<int>(length);
      next[length] = code = (code + count[length - 1]) * 2;
      require(code + count[length] <= (1 << length), where,
              ": damaged: a Huffman code has more codes of ", length, " bits than there are");
    }
    table_.resize(std::size_t{1} << longest_);
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      const int length = lengths[symbol];
      if (length == 0) continue;
      const std::size_t first = reversed(next[static_cast<std::size_t>(length)]++, length);
      for (std::size_t bits = first; bits < table_.size(); bits += std::size_t{1} << length)
        table_[bits] = static_cast<std::uint16_t>(symbol << 4 | static_cast<std::size_t>(length));
    }
  }

  int longest() const { return longest_; }
  // Of the code that the bits begin with: its length, 0 if there is none, and its symbol.
  int length(std::uint32_t bits) const { return table_[bits] & 15; }
  int symbol(std::uint32_t bits) const { return table_[bits] >> 4; }

 private:
  static std::size_t reversed(int code, int length) {
    std::size_t out = 0;
    for (int bit = 0; bit < length; ++bit)
      out = out << 1 | (static_cast<unsigned>(code) >> bit & 1);
    return out;
  }

  int longest_ = 0;
  std::vector<std::uint16_t> table_;
};

// Lengths and distances: symbol s stands for base[s] and as many more as its extra bits say.
constexpr std::array<std::uint16_t, 29> kLengthBase = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<std::uint8_t, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<std::uint16_t, 30> kDistanceBase = {
    1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
    193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};

class Inflater {
 public:
  Inflater(std::string_view bytes, std::size_t size, const std::string& where)
      : bytes_(bytes), size_(size), where_(where) {}

  std::string read() {
    check(size_ / kMostExpansion <= bytes_.size(), bytes_.size(), " bytes cannot stand for ",
          size_);
    out_.reserve(size_);
    for (bool last = false; !last;) {
      last = take(1) == 1;
      switch (take(2)) {
        case 0:
          stored_block();
          break;
        case 1:
          fixed_block();
          break;
        case 2:
          dynamic_block();
          break;
        default:
          check(false, "a block of unknown kind");
      }
    }
    check(out_.size() == size_, "it stands for ", out_.size(), " bytes, not for ", size_);
    return std::move(out_);
  }

 private:
  void stored_block() {
    take(bits_ % 8);
    const std::uint32_t length = take(16);
    check((length ^ 0xffffu) == take(16), "a stored block whose length is not said twice");
    for (std::uint32_t i = 0; i < length; ++i) put(static_cast<char>(take(8)));
  }

  void fixed_block() {
    std::array<std::uint8_t, 288> lengths;
    std::fill(lengths.begin(), lengths.end(), std::uint8_t{8});
    std::fill(lengths.begin() + 144, lengths.begin() + 256, std::uint8_t{9});
    std::fill(lengths.begin() + 256, lengths.begin() + 280, std::uint8_t{7});
    std::array<std::uint8_t, 30> distances;
    distances.fill(5);
    coded_block({lengths, where_}, {distances, where_});
  }

  // The lengths of both codes come coded by a third.
  void dynamic_block() {
    constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                     11, 4,  12, 3, 13, 2, 14, 1, 15};
    const std::size_t symbols = take(5) + 257, distances = take(5) + 1, sent = take(4) + 4;
    std::array<std::uint8_t, 19> short_lengths{};
    for (std::size_t i = 0; i < sent; ++i)
      short_lengths[kOrder[i]] = static_cast<std::uint8_t>(take(3));
    const HuffmanCode code(short_lengths, where_);
    std::vector<std::uint8_t> lengths;
    while (lengths.size() < symbols + distances) {
      const int symbol = take_symbol(code);
      check(symbol != 16 || !lengths.empty(), "the first code's length repeats one before it");
      const std::uint8_t value = symbol < 16    ? static_cast<std::uint8_t>(symbol)
                                 : symbol == 16 ? lengths.back()
                                                : std::uint8_t{0};
      const std::size_t times = symbol < 16    ? 1
                                : symbol == 16 ? 3 + take(2)
                                : symbol == 17 ? 3 + take(3)
                                               : 11 + take(7);
      lengths.insert(lengths.end(), times, value);
    }
    check(lengths.size() == symbols + distances, "more codes are sent than announced");
    const std::span<const std::uint8_t> all(lengths);
    coded_block({all.first(symbols), where_}, {all.subspan(symbols), where_});
  }

  void coded_block(const HuffmanCode& symbols, const HuffmanCode& distances) {
    for (int symbol; (symbol = take_symbol(symbols)) != kEndOfBlock;) {
      if (symbol < kEndOfBlock) {
        put(static_cast<char>(symbol));
        continue;
      }
      const auto s = static_cast<std::size_t>(symbol - kEndOfBlock - 1);
      check(s < kLengthBase.size(), "a length that does not exist");
      const std::size_t length = kLengthBase[s] + take(kLengthBits[s]);
      const auto d = static_cast<std::size_t>(take_symbol(distances));
      check(d < kDistanceBase.size(), "a distance that does not exist");
      const std::size_t distance = kDistanceBase[d] + take(d < 4 ? 0 : static_cast<int>(d) / 2 - 1);
      check(distance <= out_.size(), "a distance beyond what has been written");
      for (std::size_t i = 0; i < length; ++i) put(out_[out_.size() - distance]);
    }
  }

  void put(char byte) {
    check(out_.size() < size_, "it stands for more than ", size_, " bytes");
    out_.push_back(byte);
  }

  int take_symbol(const HuffmanCode& code) {
    const std::uint32_t bits = peek(code.longest());
    check(code.length(bits) > 0, "a code without a meaning");
    take(code.length(bits));
    return code.symbol(bits);
  }

  std::uint32_t take(int count) {
    const std::uint32_t value = peek(count);
    check(count <= bits_, "truncated");
    buffer_ >>= count;
    bits_ -= count;
    return value;
  }

  // The next bits, least first; behind the end there are zeros.
  std::uint32_t peek(int count) {
    while (bits_ < count && at_ < bytes_.size()) {
      buffer_ |= std::uint64_t{static_cast<unsigned char>(bytes_[at_++])} << bits_;
      bits_ += 8;
    }
    return static_cast<std::uint32_t>(buffer_ & ((std::uint64_t{1} << count) - 1));
  }

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (!condition) fail(where_, ": damaged compression: ", parts...);
  }

  std::string_view bytes_;
  std::size_t size_, at_ = 0;  // at_: byte that enters the buffer next
  std::string where_, out_;
  std::uint64_t buffer_ = 0;
  int bits_ = 0;  // in the buffer
};

}  // namespace

std::string inflate(std::string_view deflated, std::size_t size, const std::string& where) {
  return Inflater(deflated, size, where).read();
}

}  // namespace arbg
