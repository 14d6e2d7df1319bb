// A force field: text tables compiled into the program that turn a Topology into a System.
//
// Parameters and the choice between rules agree with OpenMM's ForceField class for the files named
// in each table; the tables' grammar is in md/forcefields/README.md. Objects live as long as the
// program and may be shared by threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "md/molecule/system.h"
#include "md/molecule/topology.h"

namespace arbg::md {

struct ForceFieldTables;  // md/forcefields/tables.h

class ForceField {
 public:
  // "amber99sbildn-obc2" or "amber14-obc1". Throws Error listing the known names.
  static const ForceField& named(std::string_view name);
  static std::vector<std::string> names();

  // Every parameter of the molecule. Throws Error naming the residue, atom or term that has no
  // parameters, and atoms that are missing from a residue or do not belong to it.
  System create_system(const Topology& topology) const;

 private:
  explicit ForceField(const ForceFieldTables& tables) : tables_(&tables) {}
  const ForceFieldTables* tables_;
};

}  // namespace arbg::md
