#include "metrics/conformations/shape.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "metrics/weights/shares.h"
#include "tensor/base/error.h"

namespace arbg::metrics {
namespace {

constexpr double kLongestBond = 0.25;                         // nm, from hydrogen to acceptor
constexpr double kLeastAngle = 120 * std::numbers::pi / 180;  // at the hydrogen

using Points = Eigen::Matrix3Xd;

// One column an atom.
Eigen::Map<const Points> frame_of(std::span<const double> positions, std::size_t atom_count,
                                  std::size_t frame) {
  return {positions.data() + 3 * atom_count * frame, 3, static_cast<Eigen::Index>(atom_count)};
}

std::size_t frame_count(std::span<const double> positions, std::size_t atom_count) {
  require(atom_count > 0 && positions.size() % (3 * atom_count) == 0,
          "expected whole conformations of ", atom_count, " atoms, found ", positions.size(),
          " numbers");
  for (std::size_t i = 0; i < positions.size(); ++i) {
    require(std::isfinite(positions[i]), "expected a finite position, found ", positions[i],
            " in frame ", i / (3 * atom_count), ", atom ", i / 3 % atom_count);
  }
  return positions.size() / (3 * atom_count);
}

void check_atom(int atom, std::size_t atom_count) {
  require(atom >= 0 && static_cast<std::size_t>(atom) < atom_count, "expected atoms 0 to ",
          atom_count - 1, ", found ", atom);
}

Points centred(const Eigen::Map<const Points>& frame, std::span<const int> atoms) {
  Points chosen(3, static_cast<Eigen::Index>(atoms.size()));
  for (std::size_t k = 0; k < atoms.size(); ++k) {
    chosen.col(static_cast<Eigen::Index>(k)) = frame.col(atoms[k]);
  }
  return chosen.colwise() - chosen.rowwise().mean();
}

// Its largest eigenvalue is the largest sum of (R x).y over rotations R.
Eigen::Matrix4d quaternion_matrix(const Eigen::Matrix3d& m) {
  Eigen::Matrix4d q;
  q << m(0, 0) + m(1, 1) + m(2, 2), m(1, 2) - m(2, 1), m(2, 0) - m(0, 2), m(0, 1) - m(1, 0),  //
      0, m(0, 0) - m(1, 1) - m(2, 2), m(0, 1) + m(1, 0), m(2, 0) + m(0, 2),                   //
      0, 0, m(1, 1) - m(0, 0) - m(2, 2), m(1, 2) + m(2, 1),                                   //
      0, 0, 0, m(2, 2) - m(0, 0) - m(1, 1);
  return q.selfadjointView<Eigen::Upper>();
}

double superposed_rmsd(const Points& x, const Points& y) {
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix4d> solver(quaternion_matrix(x * y.transpose()),
                                                              Eigen::EigenvaluesOnly);
  const double squares = x.squaredNorm() + y.squaredNorm() - 2 * solver.eigenvalues()[3];
  return std::sqrt(std::max(squares, 0.0) / static_cast<double>(x.cols()));
}

bool is_there(const Eigen::Map<const Points>& frame, const HydrogenBond& bond) {
  const Eigen::Vector3d to_donor = frame.col(bond.donor) - frame.col(bond.hydrogen);
  const Eigen::Vector3d to_acceptor = frame.col(bond.acceptor) - frame.col(bond.hydrogen);
  const double angle = std::atan2(to_donor.cross(to_acceptor).norm(), to_donor.dot(to_acceptor));
  return to_acceptor.norm() < kLongestBond && angle > kLeastAngle;
}

}  // namespace

std::vector<double> radii_of_gyration(std::span<const double> positions, std::size_t atom_count,
                                      std::span<const double> masses) {
  std::vector<double> radii(frame_count(positions, atom_count));
  const std::vector<double> share = shares(masses, atom_count);
  const Eigen::Map<const Eigen::VectorXd> weights(share.data(),
                                                  static_cast<Eigen::Index>(atom_count));
  for (std::size_t t = 0; t < radii.size(); ++t) {
    const auto frame = frame_of(positions, atom_count, t);
    const Eigen::Vector3d centre = frame * weights;
    radii[t] = std::sqrt((frame.colwise() - centre).colwise().squaredNorm().dot(weights));
  }
  return radii;
}

std::vector<double> end_to_end_distances(std::span<const double> positions, std::size_t atom_count,
                                         int first, int last) {
  std::vector<double> distances(frame_count(positions, atom_count));
  check_atom(first, atom_count);
  check_atom(last, atom_count);
  for (std::size_t t = 0; t < distances.size(); ++t) {
    const auto frame = frame_of(positions, atom_count, t);
    distances[t] = (frame.col(first) - frame.col(last)).norm();
  }
  return distances;
}

std::vector<double> rmsd(std::span<const double> positions, std::size_t atom_count,
                         std::span<const double> reference, std::span<const int> atoms) {
  std::vector<double> distances(frame_count(positions, atom_count));
  require(frame_count(reference, atom_count) == 1, "expected a reference of ", atom_count,
          " atoms, found ", reference.size(), " numbers");
  require(!atoms.empty(), "expected atoms to superpose, found none");
  for (const int atom : atoms) check_atom(atom, atom_count);
  const Points at_rest = centred(frame_of(reference, atom_count, 0), atoms);
  for (std::size_t t = 0; t < distances.size(); ++t) {
    distances[t] = superposed_rmsd(centred(frame_of(positions, atom_count, t), atoms), at_rest);
  }
  return distances;
}

double share_below(std::span<const double> values, double limit, std::span<const double> weights) {
  const std::vector<double> share = shares(weights, values.size());
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(!std::isnan(values[i]), "expected numbers to compare, found NaN at index ", i);
    if (values[i] < limit) total += share[i];
  }
  return total;
}

std::vector<HydrogenBond> possible_hydrogen_bonds(std::span<const std::pair<int, int>> donors,
                                                  std::span<const int> acceptors) {
  std::vector<HydrogenBond> bonds;
  for (const auto& [donor, hydrogen] : donors) {
    for (const int acceptor : acceptors) {
      if (acceptor != donor) bonds.push_back({donor, hydrogen, acceptor});
    }
  }
  return bonds;
}

HydrogenBonds hydrogen_bonds(std::span<const double> positions, std::size_t atom_count,
                             std::span<const HydrogenBond> bonds, std::span<const double> weights) {
  const std::vector<double> share = shares(weights, frame_count(positions, atom_count));
  for (const HydrogenBond& bond : bonds) {
    for (const int atom : {bond.donor, bond.hydrogen, bond.acceptor}) check_atom(atom, atom_count);
  }
  HydrogenBonds found{std::vector<double>(bonds.size(), 0.0), std::vector<int>(share.size(), 0)};
  for (std::size_t t = 0; t < share.size(); ++t) {
    const auto frame = frame_of(positions, atom_count, t);
    for (std::size_t k = 0; k < bonds.size(); ++k) {
      if (!is_there(frame, bonds[k])) continue;
      found.shares[k] += share[t];
      ++found.counts[t];
    }
  }
  return found;
}

}  // namespace arbg::metrics
