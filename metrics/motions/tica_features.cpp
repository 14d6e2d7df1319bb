#include "metrics/motions/tica_features.h"

#include <cmath>
#include <utility>

#include "tensor/base/error.h"

namespace arbg::metrics {
namespace {

double distance(const double* a, const double* b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return std::sqrt(x * x + y * y + z * z);
}

void check(std::span<const double> positions, std::size_t atom_count,
           const TicaFeatures& features) {
  require(atom_count > 0 && positions.size() % (3 * atom_count) == 0,
          "features expect whole conformations of ", atom_count, " atoms, found ", positions.size(),
          " numbers");
  for (const int atom : features.atoms) {
    require(atom >= 0 && static_cast<std::size_t>(atom) < atom_count, "distances to atom ", atom,
            ": expected an index from 0 to ", atom_count - 1);
  }
}

void write_features(std::span<const double> positions, std::size_t atom_count,
                    const TicaFeatures& features, std::span<double> out) {
  const std::vector<double> angles = dihedrals(positions, atom_count, features.torsions);
  const std::size_t torsions = features.torsions.size();
  std::size_t next = 0;
  for (std::size_t frame = 0; frame < positions.size() / (3 * atom_count); ++frame) {
    const double* x = positions.data() + 3 * atom_count * frame;
    for (std::size_t i = 0; i < features.atoms.size(); ++i) {
      for (std::size_t j = i + 1; j < features.atoms.size(); ++j) {
        out[next++] = distance(x + 3 * features.atoms[i], x + 3 * features.atoms[j]);
      }
    }
    const auto of_frame = std::span(angles).subspan(frame * torsions, torsions);
    for (const double angle : of_frame) out[next++] = std::sin(angle);
    for (const double angle : of_frame) out[next++] = std::cos(angle);
  }
}

}  // namespace

std::vector<double> tica_features(std::span<const double> positions, std::size_t atom_count,
                                  const TicaFeatures& features) {
  check(positions, atom_count, features);
  std::vector<double> out(positions.size() / (3 * atom_count) * features.count());
  write_features(positions, atom_count, features, out);
  return out;
}

FeatureSeries tica_feature_series(std::span<const double> positions, std::size_t atom_count,
                                  TicaFeatures features) {
  check(positions, atom_count, features);
  const std::size_t frame = 3 * atom_count;
  return {
      positions.size() / frame, [=, features = std::move(features)](
                                    std::size_t first, std::size_t count, std::span<double> out) {
        write_features(positions.subspan(first * frame, count * frame), atom_count, features, out);
      }};
}

}  // namespace arbg::metrics
