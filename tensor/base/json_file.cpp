#include "tensor/base/json_file.h"

#include <sstream>

#include "tensor/base/files.h"

namespace arbg {

void read_json_lines(const std::filesystem::path& path,
                     const std::function<bool(const Json&)>& read) {
  std::istringstream lines(read_file(path));
  std::int64_t number = 0;
  bool more = true;
  for (std::string line; more && std::getline(lines, line) && !lines.eof();) {
    const std::string place = path.string() + ", line " + std::to_string(++number);
    const Json value = Json::parse(line, place);
    more = located(place, [&] { return read(value); });
  }
}

}  // namespace arbg
