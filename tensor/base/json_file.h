// JSON of files, read so that an error says where it is: the file, the line, the member.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "tensor/base/error.h"
#include "tensor/base/json.h"

namespace arbg {

// What `read` returns; an Error that it throws begins with the place.
template <class Read>
auto located(const std::string& place, const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    fail(place, ": ", error.what());
  }
}

// A member as a type: member(run, "step", &Json::integer). Throws Error naming the member that is
// missing or of another type.
template <class Read>
auto member(const Json& json, std::string_view name, const Read& read) {
  const Json& value = json.at(name);
  return located('"' + std::string(name) + '"', [&] { return std::invoke(read, value); });
}

// A file of one JSON value a line: `read` gets them in turn, until it returns false. A last line
// without its end, of a writer that was killed, is none. Throws Error naming file and line of what
// is not JSON, or what `read` throws for.
void read_json_lines(const std::filesystem::path& path,
                     const std::function<bool(const Json&)>& read);

}  // namespace arbg
