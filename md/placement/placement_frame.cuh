// What the kernels of placement_cuda.cu read, and the terms of one atom that need no pairs.
#pragma once

#include "md/placement/placement_device_memory.h"
#include "md/terms/device_vector.cuh"

namespace arbg::md::cuda {

constexpr int kOrders = 2 * kMostPeriodicity;
constexpr double kPi = 3.14159265358979323846;

using Vector3d = Vector<double>;
using Vector3f = Vector<float>;

// The tables of a molecule.
struct PlacementView {
  Span<const DevicePlacementRow> rows;
  Span<const DeviceCurve> curves;
  Span<const PlacedSpring> springs;
  Span<const PlacedAxisTorsion> axis_torsions;
  Span<const PlacedSibling> siblings;
  Span<const PlacedPair> pairs;
  Span<const PlacedBond> bonds;
  Span<const PlacedAngle> angles;
  Span<const PlacedTorsion> torsions;
  Span<const PlacedPhi> phis;
  Span<const PlacedTheta> thetas;
  Span<const float> weights;
  Span<const PlacedCoupling> couplings;
  Span<const int> by_level, level_ends;
  Span<const float> functions;
  DevicePlacementSizes sizes;
};

inline PlacementView view_of(const DevicePlacementMemory& m) {
  return {elements(m.rows),
          elements(m.curves),
          elements(m.springs),
          elements(m.axis_torsions),
          elements(m.siblings),
          elements(m.pairs),
          elements(m.bonds),
          elements(m.angles),
          elements(m.torsions),
          elements(m.phis),
          elements(m.thetas),
          elements(m.weights),
          elements(m.couplings),
          elements(m.by_level),
          elements(m.level_ends),
          elements(m.functions),
          m.sizes};
}

template <class T>
Span<T> span_of(const OnDevice<T>& numbers) {
  return {numbers.address, numbers.size};
}

// Coordinate j of row b.
template <class Numbers>
struct Coordinates {
  Numbers z;
  std::int64_t row, coordinate;

  __device__ double at(std::int64_t b, std::int64_t j) const { return z[b * row + j * coordinate]; }
};

inline Coordinates<Span<const double>> coordinates_of(const DeviceCoordinates& from) {
  return {span_of(from.z), from.row, from.coordinate};
}

// The positions of one conformation.
template <class Numbers>
struct Atoms {
  Numbers numbers;  // [N, 3]

  __device__ Vector3d at(int atom) const {
    const std::int64_t i = std::int64_t{3} * atom;
    return {numbers[i], numbers[i + 1], numbers[i + 2]};
  }
  __device__ void set(int atom, const Vector3d& x) const {
    const std::int64_t i = std::int64_t{3} * atom;
    numbers[i] = x.x;
    numbers[i + 1] = x.y;
    numbers[i + 2] = x.z;
  }
};

// b is no NaN. One in a is passed over.
__device__ inline float smaller(float a, float b) { return a < b ? a : b; }

__device__ inline Vector3d unit(const Vector3d& a) { return scaled(1 / sqrt(dot(a, a)), a); }

// dihedral_circle() of coordinates/zmatrix.h: the atom of a row is at
//   parent + r (-cos(theta) axis + sin(theta) (cos(phi) side + sin(phi) normal))
struct Frame {
  Vector3d parent, axis, side, normal;
};

template <class Numbers>
__device__ Frame frame_of(const DevicePlacementRow& row, const Atoms<Numbers>& atoms) {
  const Vector3d reference = atoms.at(row.reference), grandparent = atoms.at(row.grandparent),
                 parent = atoms.at(row.parent);
  const Vector3d axis = unit(parent - grandparent);
  const Vector3d normal = unit(cross(grandparent - reference, axis));
  return {parent, axis, cross(normal, axis), normal};
}

// Row m >= 3 of conformation b, whose coordinates are all there.
template <class Numbers>
__device__ void place_row(const PlacementView& t, std::int64_t m, std::int64_t b,
                          const Coordinates<Numbers>& z, const Atoms<Span<double>>& atoms) {
  const DevicePlacementRow row = t.rows[m];
  const Frame frame = frame_of(row, atoms);
  const double r = z.at(b, 3 * m - 6), theta = z.at(b, 3 * m - 5), phi = z.at(b, 3 * m - 4);
  const double out = r * sin(theta);
  const Vector3d centre = frame.parent + scaled(-r * cos(theta), frame.axis);
  atoms.set(row.atom,
            centre + scaled(out * cos(phi), frame.side) + scaled(out * sin(phi), frame.normal));
}

template <class Numbers>
__device__ void place_first_three(const PlacementView& t, std::int64_t b,
                                  const Coordinates<Numbers>& z, const Atoms<Span<double>>& atoms) {
  const double first = z.at(b, 0), r = z.at(b, 1), theta = z.at(b, 2);
  const DevicePlacementRow row0 = t.rows[0], row1 = t.rows[1], row2 = t.rows[2];
  atoms.set(row0.atom, {0, 0, 0});
  atoms.set(row1.atom, {first, 0, 0});
  atoms.set(row2.atom, {first - r * cos(theta), r * sin(theta), 0});
}

// r and theta of the atom, and the energy that depends on nothing else, kJ/mol.
struct OwnCoordinates {
  double r, cos_theta, sin_theta, constant;
};

// A place for the atom, at its r.
struct Candidate {
  float cos_phi, sin_phi;
  double cos_theta, sin_theta;
};

// sum over n of cosine[n-1] cos(n phi) + sine[n-1] sin(n phi)
template <class Numbers>
__device__ float series_energy(const Numbers& cosine_n, const Numbers& sine_n, int order,
                               float cosine, float sine) {
  float energy = 0, cos_n = cosine, sin_n = sine;
  for (int n = 0; n < order; ++n) {
    energy += cosine_n[n] * cos_n + sine_n[n] * sin_n;
    const float next = cos_n * cosine - sin_n * sine;
    sin_n = sin_n * cosine + cos_n * sine;
    cos_n = next;
  }
  return energy;
}

// The atom that a block places: its bonded energies.
class PlacedAtom {
 public:
  // frame [1], made before look(); series [12]; memory for what else candidates share.
  __device__ PlacedAtom(const PlacementView& view, const DevicePlacementRow& own, int place,
                        const Shared<Frame>& frame_, const Shared<float>& series,
                        const Shared<double>& memory)
      : t(view),
        row(own),
        frame(frame_),
        m_(place),
        series_(series),
        torsions_(memory),
        siblings_(torsions_ + kOrders * row.axis_torsions.count),
        places_(siblings_ + 3 * row.siblings.count) {}

  // What all candidates share, by all threads of the block.
  __device__ void look(const Atoms<Span<const double>>& atoms) const {
    const Frame f = frame[0];
    for (int i = this_thread(); i < row.axis_torsions.count; i += block_threads())
      turn_torsion(t.axis_torsions[row.axis_torsions.first + i], f, atoms, i);
    for (int i = this_thread(); i < row.siblings.count; i += block_threads()) {
      const PlacedSibling sibling = t.siblings[row.siblings.first + i];
      const Vector3d d = unit(atoms.at(sibling.atom) - f.parent);
      siblings_[3 * i] = dot(d, f.axis);
      siblings_[3 * i + 1] = dot(d, f.side);
      siblings_[3 * i + 2] = dot(d, f.normal);
    }
    for (int i = this_thread(); has_others() && i < m_; i += block_threads()) {
      const DevicePlacementRow placed = t.rows[i];
      Atoms<Shared<double>>{places_}.set(placed.atom, atoms.at(placed.atom) - f.parent);
    }
    __syncthreads();
    for (int n = this_thread(); n < kOrders; n += block_threads()) {
      double sum = 0;
      for (int i = 0; i < row.axis_torsions.count; ++i) sum += torsions_[kOrders * i + n];
      series_[n] = static_cast<float>(sum);
    }
    __syncthreads();
  }

  // Of terms that depend on r and theta alone, kJ/mol.
  __device__ double constant(double r, double theta) const {
    return row.axis_constant + of_springs(row.to_parent, r) + of_springs(row.to_grandparent, theta);
  }

  // Of all other bonded terms.
  __device__ float bonded(const Candidate& at, double r) const {
    float energy = series_energy(series_, series_ + kMostPeriodicity, kMostPeriodicity, at.cos_phi,
                                 at.sin_phi);
    for (int i = 0; i < row.siblings.count; ++i) energy += of_sibling(i, at);
    return has_others() ? energy + of_others(at, r) : energy;
  }

  // Memory that look() leaves free.
  __device__ Shared<double> behind() const { return places_ + 3 * t.rows.size(); }

  const PlacementView& t;
  DevicePlacementRow row;
  Shared<Frame> frame;

 private:
  __device__ bool has_others() const {
    return row.bonds.count + row.angles.count + row.torsions.count > 0;
  }

  // The i-th torsion's series, in phi minus the azimuth of its end, as one in phi.
  __device__ void turn_torsion(const PlacedAxisTorsion& torsion, const Frame& f,
                               const Atoms<Span<const double>>& atoms, int i) const {
    const Vector3d end = atoms.at(torsion.end) - f.parent;
    const double x = dot(end, f.side), y = dot(end, f.normal), off = sqrt(x * x + y * y);
    // In line with the axis: no angle, its constant alone.
    const double cos_1 = off == 0 ? 0 : x / off, sin_1 = off == 0 ? 0 : y / off;
    double cos_n = cos_1, sin_n = sin_1;
    for (int n = 0; n < kMostPeriodicity; ++n) {
      const double c = torsion.cosine[n], s = torsion.sine[n];
      torsions_[kOrders * i + n] = c * cos_n - s * sin_n;
      torsions_[kOrders * i + kMostPeriodicity + n] = c * sin_n + s * cos_n;
      const double next = cos_n * cos_1 - sin_n * sin_1;
      sin_n = sin_n * cos_1 + cos_n * sin_1;
      cos_n = next;
    }
  }

  __device__ double of_springs(const ListPart& part, double x) const {
    double energy = 0;
    for (int i = 0; i < part.count; ++i) {
      const PlacedSpring spring = t.springs[part.first + i];
      energy += spring.k / 2 * (x - spring.rest) * (x - spring.rest);
    }
    return energy;
  }

  __device__ float of_sibling(int i, const Candidate& at) const {
    const PlacedSibling sibling = t.siblings[row.siblings.first + i];
    const double along = siblings_[3 * i], side = siblings_[3 * i + 1],
                 normal = siblings_[3 * i + 2];
    const float cosine = static_cast<float>(-at.cos_theta * along) +
                         static_cast<float>(at.sin_theta * side) * at.cos_phi +
                         static_cast<float>(at.sin_theta * normal) * at.sin_phi;
    const float inside = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;  // NaN stays NaN
    const float bend = acosf(inside) - sibling.angle;
    return 0.5F * sibling.stiffness * bend * bend;
  }

  // From the parent.
  __device__ Vector3f place(int atom, const Vector3f& own) const {
    if (atom == row.atom) return own;
    const Vector3d x = Atoms<Shared<double>>{places_}.at(atom);
    return {static_cast<float>(x.x), static_cast<float>(x.y), static_cast<float>(x.z)};
  }

  __device__ float of_others(const Candidate& at, double r) const {
    const Frame f = frame[0];
    const double out = r * at.sin_theta;
    const Vector3d x = scaled(-r * at.cos_theta, f.axis) +
                       scaled(out * static_cast<double>(at.cos_phi), f.side) +
                       scaled(out * static_cast<double>(at.sin_phi), f.normal);
    const Vector3f own{static_cast<float>(x.x), static_cast<float>(x.y), static_cast<float>(x.z)};
    float energy = 0;
    for (int i = 0; i < row.bonds.count; ++i) energy += of_bond(t.bonds[row.bonds.first + i], own);
    for (int i = 0; i < row.angles.count; ++i)
      energy += of_angle(t.angles[row.angles.first + i], own);
    for (int i = 0; i < row.torsions.count; ++i)
      energy += of_torsion(t.torsions[row.torsions.first + i], own);
    return energy;
  }

  __device__ float of_bond(const PlacedBond& b, const Vector3f& own) const {
    const Vector3f d = place(b.atom[1], own) - place(b.atom[0], own);
    const float stretch = sqrtf(dot(d, d)) - b.length;
    return 0.5F * b.k * stretch * stretch;
  }

  __device__ float of_angle(const PlacedAngle& a, const Vector3f& own) const {
    const Vector3f centre = place(a.atom[1], own);
    const Vector3f u = place(a.atom[0], own) - centre, v = place(a.atom[2], own) - centre;
    const Vector3f w = cross(u, v);
    const float bend = atan2f(sqrtf(dot(w, w)), dot(u, v)) - a.angle;
    return 0.5F * a.stiffness * bend * bend;
  }

  // Three atoms exactly in line, where phi is undefined, have the constant.
  __device__ float of_torsion(const PlacedTorsion& torsion, const Vector3f& own) const {
    constexpr float kStraight4 = 1e-30F;  // nm^8
    const Vector3f j = place(torsion.atom[1], own), k = place(torsion.atom[2], own);
    const Vector3f f = place(torsion.atom[0], own) - j, g = j - k,
                   h = place(torsion.atom[3], own) - k;
    const Vector3f a = cross(f, g), b = cross(h, g);
    const float ab2 = dot(a, a) * dot(b, b);
    const float per_ab = inverse_root(ab2 < kStraight4 ? kStraight4 : ab2);
    const float cosine = dot(a, b) * per_ab, sine = sqrtf(dot(g, g)) * dot(f, b) * per_ab;
    return torsion.constant +
           series_energy(torsion.cosine, torsion.sine, torsion.order, cosine, sine);
  }

  int m_;
  Shared<float> series_;
  Shared<double> torsions_;  // [torsions around the axis, 12]: cosines, then sines
  Shared<double> siblings_;  // [siblings, 3]: directions along axis, side and normal
  Shared<double> places_;    // [N, 3] from the parent, where others need them
};

}  // namespace arbg::md::cuda
