// A force field: text tables compiled into the program that turn a Topology into a System.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "md/system.h"
#include "md/topology.h"

namespace arbg::md {

class ForceField {
 public:
  // "amber99sbildn-obc2" (amber14-obc1 follows). Throws Error listing the known names.
  static const ForceField& named(std::string_view name);
  static std::vector<std::string> names();

  // Every parameter of the molecule. Throws Error naming the residue, atom or term that has no parameters, and
  // atoms that are missing from a residue or do not belong to it.
  System create_system(const Topology& topology) const;

  ~ForceField();

 private:
  struct Tables;
  explicit ForceField(const Tables* tables) : tables_(tables) {}
  const Tables* tables_;
};

}  // namespace arbg::md
