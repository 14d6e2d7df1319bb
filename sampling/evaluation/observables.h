// The numbers of a conformation that samples are to spread as the reference does, besides phi and
// psi.
//
//   size            radius of gyration of the heavy atoms, each counted alike; the distance from
//                   the N of the first amino acid to the C of the last; hydrogen bonds
//                   (metrics/conformations/shape.h) of every N-H and O-H with every N and O
//   C-alpha RMSD    to a structure, where one is given
//   omega, chi      of every residue that has them (md/molecule/torsion_atoms.h), in degrees
//   bonds, angles   of all bonds between these two elements, of all angles of these three
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "md/molecule/topology.h"

namespace arbg::sampling {

struct Observable {
  std::string group, name, unit;
  bool turns = false;   // an angle of the whole circle, in degrees
  bool counts = false;  // whole numbers
  // All numbers of conformations [rows, N, 3] in nm, as many of each, row by row.
  std::function<std::vector<double>(std::span<const double> positions_nm)> measure;
};

// `structure_nm`: of C-alpha atoms [residues, 3], or empty. The topology must outlive the result.
// Throws Error for a structure of fewer than three or of another number of atoms.
std::vector<Observable> observables_of(const md::Topology& topology,
                                       std::span<const double> structure_nm);

// The C-alpha atoms, one of each amino acid.
std::vector<int> c_alphas(const md::Topology& topology);

// The RMSD of C-alpha atoms to these of a structure, of each conformation, in nm.
std::vector<double> c_alpha_rmsd(const md::Topology& topology, std::span<const double> structure_nm,
                                 std::span<const double> positions_nm);

}  // namespace arbg::sampling
