// One function a reader: any bytes are read, or refused with an Error that says where.
//
// The same functions run under libFuzzer (fuzz_main.cpp) and, over the seeds and damaged copies of
// them, in the default tests (damage_test.cpp). Whatever else happens (a crash, another exception,
// an allocation beyond what the bytes can fill) is a bug of the reader.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arbg::fuzz {

// What bytes are called in messages.
inline constexpr const char* kInputName = "input";

struct Target {
  const char* name;
  void (*read)(const std::string& bytes);  // throws arbg::Error
  std::vector<const char*> seeds;          // good files, below tests/golden
};

std::span<const Target> targets();

// The target's golden seeds and what lies in tests/fuzz/corpus/NAME: small files, and the inputs
// that once broke a reader.
std::vector<std::filesystem::path> seeds_of(const Target& target);

// Runs one input: "" if it is read, or the refusal. Throws std::logic_error, which no reader should
// live to see, if a refusal does not begin with kInputName.
std::string run(const Target& target, const std::string& bytes);

}  // namespace arbg::fuzz
