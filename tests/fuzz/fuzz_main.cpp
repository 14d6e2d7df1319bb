// The entry point that libFuzzer calls; ARBG_FUZZ_TARGET is the name of one target.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const arbg::fuzz::Target& target = *std::ranges::find(
      arbg::fuzz::targets(), std::string_view(ARBG_FUZZ_TARGET), &arbg::fuzz::Target::name);
  arbg::fuzz::run(target, std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
