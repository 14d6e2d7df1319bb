#include "tensor/base/quoted.h"

namespace arbg {

std::ostream& operator<<(std::ostream& out, Quoted quoted) {
  constexpr char kDigits[] = "0123456789abcdef";
  out << '\'';
  for (const char c : quoted.text.substr(0, quoted.most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      out << c;
    else
      out << "\\x" << kDigits[byte / 16] << kDigits[byte % 16];
  }
  return out << (quoted.text.size() > quoted.most ? "...'" : "'");
}

}  // namespace arbg
