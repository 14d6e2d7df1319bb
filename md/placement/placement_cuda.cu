// Placement energies on a CUDA device; formulas as in placement_lanes.h, but with every pair at
// every bin.
//
// curves: a block of 128 threads owns one curve of one conformation; B S blocks. What all
// candidates share is made once, in double; then a thread has two bins at a time and goes, with all
// others, through the placed atoms, 64 at once in shared memory. An angle's curve takes a thread
// for each of its angles and phases. The same threads shift and cap what they wrote, and warps sum
// means. Shared memory: 4 KiB and 8 (12 torsions around the axis + 3 siblings + 3 N + angles of a
// curve) or 8 V bytes. Bound by instructions: some 40 a pair and bin. Coarse angles for far pairs,
// as the lanes have them, would save half of a time that is small beside the network's.
//
// place_all: a block of 64 threads a conformation, level by level of the tree. add_one: a thread a
// conformation. Both wait most of the time, for one place after the other.
#include "md/placement/placement_device_memory.h"
#include "md/placement/placement_frame.cuh"
#include "tensor/base/philox.h"

namespace arbg::md::cuda {
namespace {

constexpr int kThreadsOfCurve = 128;
constexpr int kBins = 2;          // of a thread, at once
constexpr int kPairsAtOnce = 64;  // in shared memory
constexpr std::int64_t kThreadsOfAtoms = 64;

// A block a conformation.
__global__ void place_all(Span<double> positions, Coordinates<Span<const double>> z,
                          PlacementView t, std::int64_t known) {
  const std::int64_t b = blockIdx.x, N3 = 3 * t.rows.size();
  const Atoms<Span<double>> atoms{positions + b * N3};
  if (known >= 3 && this_thread() == 0) place_first_three(t, b, z, atoms);
  int first = 0;
  for (int level = 0; level < t.sizes.levels; ++level) {
    const int end = t.level_ends[level];
    __syncthreads();
    for (int i = first + this_thread(); i < end; i += block_threads()) {
      const int m = t.by_level[i];
      if (3 * m - 3 <= known) place_row(t, m, b, z, atoms);
    }
    first = end;
  }
}

// Where the place within a bin comes from; j is known to the device alone.
struct Fractions {
  std::uint64_t seed, stream, first, step, stride;

  __device__ double at(std::int64_t b, std::int64_t j) const {
    const std::uint64_t word = first + static_cast<std::uint64_t>(j) * step;
    return philox::uniform(seed, stream, word + static_cast<std::uint64_t>(b) * stride);
  }
};

// The root f of a/2 f^2 + (1 - a/2) f = u: of slope 0 u itself, to the bit.
__device__ double sloped_place(double u, double slope) {
  const double b = 1 - slope / 2;
  const double last = 1 - 0x1p-53;  // below 1
  return fmin(2 * u / (b + sqrt(fma(b, b, 2 * slope * u))), last);
}

// A thread a conformation.
__global__ void add_one(Span<double> z, Span<double> positions, PlacementView t,
                        Span<const std::int32_t> bins, Span<const std::int32_t> place,
                        Span<const double> slopes, Fractions fractions) {
  const std::int64_t b = thread_number(), j = place[0], K = t.curves.size();
  if (b >= bins.size() || j >= K) return;
  const DeviceCurve own = t.curves[j];
  double slope = 0;
  if (slopes.size() > 0) slope = slopes[b];
  z[b * K + j] = own.low + (bins[b] + sloped_place(fractions.at(b, j), slope)) * own.width;
  const Atoms<Span<double>> atoms{positions + b * 3 * t.rows.size()};
  const Coordinates<Span<double>> row{z, K, 1};
  if (j == 2) place_first_three(t, b, row, atoms);
  if (j > 2 && j % 3 == 2) place_row(t, own.row, b, row, atoms);
}

// A pair as the candidates of a dihedral see it: their squared distance is constant + cosine
// cos(phi) + sine sin(phi).
struct alignas(16) PairWave {
  float constant, cosine, sine, coulomb;
  float sigma2, four_epsilon, range2, coulomb_shift;
  float born, born_shift, radii, inverse_four_radii;
};

__device__ PairWave wave_of(const PlacedPair& p, const Vector3d& from_centre, const Frame& frame,
                            double radius) {
  return {static_cast<float>(dot(from_centre, from_centre) + radius * radius),
          static_cast<float>(-2 * radius * dot(from_centre, frame.side)),
          static_cast<float>(-2 * radius * dot(from_centre, frame.normal)),
          p.coulomb,
          p.sigma2,
          p.four_epsilon,
          p.range2,
          p.coulomb_shift,
          p.born,
          p.born_shift,
          p.radii,
          p.inverse_four_radii};
}

struct PairSum {
  float sizes, charges;  // kJ/mol
};

// NaN stays NaN.
template <bool kBorn>
__device__ void add_pair(const PairWave& p, const PlacedPhi& phi, float born_cutoff2,
                         PairSum& sum) {
  constexpr auto kNearest2 = static_cast<float>(kPlacementNearest * kPlacementNearest);
  const float d2 = p.constant + p.cosine * phi.cosine + p.sine * phi.sine;
  const float r2 = d2 < kNearest2 ? kNearest2 : d2;
  const float inverse_r = inverse_root(r2);
  const float s2 = p.sigma2 * (inverse_r * inverse_r), s6 = s2 * s2 * s2;
  const float attraction = p.four_epsilon * s6;
  const bool outside = r2 > p.range2;
  sum.sizes += outside ? 0.0F : attraction * s6 - attraction;
  sum.charges += outside ? 0.0F : p.coulomb * inverse_r - p.coulomb_shift;
  if constexpr (kBorn) {
    const float gauss = exponential(-p.inverse_four_radii * r2);
    const float solvent = p.born * inverse_root(r2 + p.radii * gauss) - p.born_shift;
    sum.charges += r2 > born_cutoff2 ? 0.0F : solvent;
  }
}

template <bool kBorn>
__device__ void add_pairs(const Shared<PairWave>& waves, int count, const PlacedPhi (&phi)[kBins],
                          float born_cutoff2, PairSum (&sum)[kBins]) {
  for (int p = 0; p < count; ++p) {
    const PairWave wave = waves[p];
    ARBG_UNROLL
    for (int k = 0; k < kBins; ++k) add_pair<kBorn>(wave, phi[k], born_cutoff2, sum[k]);
  }
}

// u [3, V] of a dihedral over RT, whose atom is `own` from its parent.
__device__ void dihedral_curve(const PlacedAtom& atom, const OwnCoordinates& own,
                               const Atoms<Span<const double>>& atoms, const Span<float>& u) {
  ARBG_SHARED(PairWave, waves, kPairsAtOnce);
  const PlacementView& t = atom.t;
  const std::int64_t V = t.sizes.bins;
  const float inverse = t.sizes.inverse_thermal_energy;
  const ListPart pairs = atom.row.pairs;
  const Frame frame = atom.frame[0];
  const Vector3d centre = frame.parent + scaled(-own.r * own.cos_theta, frame.axis);
  for (std::int64_t first = this_thread(); first - this_thread() < V;
       first += kBins * block_threads()) {
    PlacedPhi phi[kBins];
    PairSum sum[kBins];
    ARBG_UNROLL
    for (int k = 0; k < kBins; ++k) {
      const std::int64_t v = first + k * block_threads();
      phi[k] = t.phis[atom.row.bins.first + (v < V ? v : V - 1)];
      sum[k] = {0, 0};
    }
    for (int begin = 0; begin < pairs.count; begin += kPairsAtOnce) {
      const int left = pairs.count - begin, count = left < kPairsAtOnce ? left : kPairsAtOnce;
      __syncthreads();  // those of before have been read
      for (int i = this_thread(); i < count; i += block_threads()) {
        const PlacedPair pair = t.pairs[pairs.first + begin + i];
        waves[i] = wave_of(pair, atoms.at(pair.atom) - centre, frame, own.r * own.sin_theta);
      }
      __syncthreads();
      if (t.sizes.has_born)
        add_pairs<true>(waves, count, phi, t.sizes.born_cutoff2, sum);
      else
        add_pairs<false>(waves, count, phi, t.sizes.born_cutoff2, sum);
    }
    ARBG_UNROLL
    for (int k = 0; k < kBins; ++k) {
      const std::int64_t v = first + k * block_threads();
      if (v >= V) continue;
      const Candidate at{phi[k].cosine, phi[k].sine, own.cos_theta, own.sin_theta};
      u[v] = inverse * (static_cast<float>(own.constant) + atom.bonded(at, own.r));
      u[V + v] = inverse * sum[k].sizes;
      u[2 * V + v] = inverse * sum[k].charges;
    }
  }
}

// The same of an angle before a phase, from `known` values of it.
__device__ void angle_curve(const PlacedAtom& atom, double r, const Shared<double>& known,
                            const Span<float>& u) {
  const PlacementView& t = atom.t;
  const ListPart thetas = atom.row.thetas;
  const float inverse = t.sizes.inverse_thermal_energy;
  const int all = thetas.count * kPlacementPhases;
  for (int first = 0; first < all; first += block_threads()) {  // all lanes of a warp come
    const int e = first + this_thread(), i = e / kPlacementPhases, k = e % kPlacementPhases;
    const PlacedTheta theta = t.thetas[thetas.first + (e < all ? i : 0)];
    const PlacedPhi phi = t.phis[atom.row.phases.first + k];
    const Candidate at{phi.cosine, phi.sine, theta.cosine, theta.sine};
    const float energy = inverse * atom.bonded(at, r);
    float least = energy < INFINITY ? energy : INFINITY;
    for (int lanes = kPlacementPhases / 2; lanes > 0; lanes /= 2)
      least = smaller(__shfl_xor_sync(kAllLanes, least, lanes), least);
    float sum = expf(least - energy);
    for (int lanes = kPlacementPhases / 2; lanes > 0; lanes /= 2)
      sum += __shfl_xor_sync(kAllLanes, sum, lanes);
    if (e < all && k == 0) {
      const auto constant = static_cast<float>(atom.constant(r, theta.theta));
      known[i] = static_cast<double>(least + inverse * constant - logf(sum));
    }
  }
  __syncthreads();
  const std::int64_t V = t.sizes.bins, group = V / (thetas.count - (kPlacementPoints - 1));
  for (std::int64_t v = this_thread(); v < V; v += block_threads()) {
    float sum = 0;
    for (int k = 0; k < kPlacementPoints; ++k)
      sum += static_cast<float>(known[v / group + k]) * t.weights[k * group + v % group];
    u[v] = sum;
    u[V + v] = 0;
    u[2 * V + v] = 0;
  }
}

// Adds what a planar ring tells of coordinate j (ring_closure.h) to the bonded energies.
__device__ void add_closure(const PlacementView& t, const DeviceCurve& curve, std::int64_t b,
                            const Coordinates<Span<const double>>& z, const Span<float>& u) {
  const auto apart = [](double value, double centre) { return remainder(value - centre, 2 * kPi); };
  double slope = curve.slope;
  for (int i = 0; i < curve.couplings.count; ++i) {
    const PlacedCoupling c = t.couplings[curve.couplings.first + i];
    slope += c.stiffness * apart(z.at(b, c.coordinate), c.centre);
  }
  for (std::int64_t v = this_thread(); v < t.sizes.bins; v += block_threads()) {
    const double value = curve.low + (static_cast<double>(v) + 0.5) * curve.width,
                 x = apart(value, curve.centre);
    u[v] += static_cast<float>(x * (slope + curve.stiffness / 2 * x));
  }
}

// The least over the block, in every thread.
__device__ float block_least(float own, const Shared<float>& warps) {
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2)
    own = smaller(__shfl_xor_sync(kAllLanes, own, lanes), own);
  __syncthreads();  // those of before have been read
  if (this_lane() == 0) warps[this_warp()] = own;
  __syncthreads();
  for (int warp = 0; warp < block_threads() / kWarp; ++warp) own = smaller(warps[warp], own);
  return own;
}

// shift_and_cap() of what this thread has written; the least of its sums over components.
__device__ float shift_and_cap(const PlacementView& t, const Span<float>& u,
                               const Shared<float>& warps) {
  constexpr auto kCap = static_cast<float>(kPlacementCap);
  const std::int64_t V = t.sizes.bins;
  float least[kPlacementComponents];
  for (int c = 0; c < kPlacementComponents; ++c) {
    least[c] = INFINITY;
    for (std::int64_t v = this_thread(); v < V; v += block_threads())
      least[c] = smaller(u[c * V + v], least[c]);
    least[c] = block_least(least[c], warps);
  }
  float least_sum = INFINITY;
  for (std::int64_t v = this_thread(); v < V; v += block_threads()) {
    float sum = 0;
    for (int c = 0; c < kPlacementComponents; ++c) {
      const float x = u[c * V + v] - least[c], capped = kCap < x ? kCap : x;
      u[c * V + v] = capped;
      sum += capped;
    }
    least_sum = smaller(sum, least_sum);
  }
  return least_sum;
}

// Means [F] over softmax(-sum_c u_c); least_sum of this thread's.
__device__ void add_up_means(const PlacementView& t, const Span<float>& u, float least_sum,
                             const Shared<double>& weights, const Shared<float>& warps,
                             const Span<float>& means) {
  const std::int64_t V = t.sizes.bins;
  const float least = block_least(least_sum, warps);
  for (std::int64_t v = this_thread(); v < V; v += block_threads()) {
    float sum = 0;
    for (int c = 0; c < kPlacementComponents; ++c) sum += u[c * V + v];
    weights[v] = static_cast<double>(expf(least - sum));
  }
  __syncthreads();
  float total = 0;
  for (std::int64_t v = this_lane(); v < V; v += kWarp) total += static_cast<float>(weights[v]);
  total = warp_sum(total);
  for (std::int64_t f = this_warp(); f < t.sizes.functions; f += block_threads() / kWarp) {
    float sum = 0;
    for (std::int64_t v = this_lane(); v < V; v += kWarp)
      sum += t.functions[f * V + v] * static_cast<float>(weights[v]);
    sum = warp_sum(sum);
    if (this_lane() == 0) means[f] = sum / total;
  }
}

// What curves are made of, and where they go.
struct Curves {
  Span<float> u, means;
  Span<const double> positions;
  Span<const std::int32_t> coordinates;
  Coordinates<Span<const double>> z;
  std::int64_t first, n;
  bool capped;
};

__global__ void __launch_bounds__(kThreadsOfCurve) curves(Curves of, PlacementView t) {
  ARBG_DYNAMIC_SHARED(double, memory);
  ARBG_SHARED(Frame, frame, 1);
  ARBG_SHARED(float, series, kOrders);
  ARBG_SHARED(OwnCoordinates, shared_own, 1);
  ARBG_SHARED(float, warps, kThreadsOfCurve / kWarp);
  const std::int64_t S = of.coordinates.size(), V = t.sizes.bins, F = t.sizes.functions;
  const std::int64_t b = blockIdx.x / S, s = blockIdx.x - b * S, j = of.coordinates[s];
  const Span<float> u = of.u + (b * S + s) * kPlacementComponents * V;
  const DeviceCurve curve = t.curves[j];
  const bool has_curve = curve.has_angle || curve.has_dihedral;
  if (has_curve) {
    const DevicePlacementRow row = t.rows[curve.row];
    const Atoms<Span<const double>> atoms{of.positions + b * 3 * t.rows.size()};
    const PlacedAtom atom(t, row, curve.row, frame, series, memory);
    if (this_thread() == 0) {
      frame[0] = frame_of(row, atoms);
      const double r = of.z.at(b, j / 3 * 3);
      const double theta = curve.has_dihedral ? of.z.at(b, j / 3 * 3 + 1) : 0;
      shared_own[0] = {r, cos(theta), sin(theta), atom.constant(r, theta)};
    }
    __syncthreads();
    atom.look(atoms);
    const OwnCoordinates own = shared_own[0];
    if (curve.has_dihedral)
      dihedral_curve(atom, own, atoms, u);
    else
      angle_curve(atom, own.r, atom.behind(), u);
  } else {
    for (std::int64_t v = this_thread(); v < V; v += block_threads())
      for (int c = 0; c < kPlacementComponents; ++c) u[c * V + v] = 0;
  }
  if (curve.has_closure) add_closure(t, curve, b, of.z, u);
  if (!of.capped) return;
  const Span<float> means =
      of.means.size() > 0 ? of.means + (b * of.n + (of.n == 1 ? 0 : j - of.first)) * F : of.means;
  if (!has_curve && !curve.has_closure) {
    for (std::int64_t f = this_thread(); f < F && means.size() > 0; f += block_threads())
      means[f] = 0;
    return;
  }
  const float least_sum = shift_and_cap(t, u, warps);
  if (means.size() > 0) add_up_means(t, u, least_sum, memory, warps, means);
}

std::size_t shared_bytes(const DevicePlacementMemory& memory) {
  const auto& sizes = memory.sizes;
  const auto of_atom = kOrders * static_cast<std::int64_t>(sizes.most_axis_torsions) +
                       3 * static_cast<std::int64_t>(sizes.most_siblings) +
                       3 * static_cast<std::int64_t>(memory.rows.size()) + sizes.most_thetas;
  const std::size_t bytes =
      sizeof(double) *
      static_cast<std::size_t>(sizes.functions > 0 ? std::max(of_atom, sizes.bins) : of_atom);
  constexpr std::size_t kDeclared = 6 << 10;
  require(bytes <= kMostShared, "placement energies of ", sizes.bins, " bins and ",
          memory.rows.size(), " atoms need ", bytes, " bytes, and a block of a CUDA device holds ",
          kMostShared, "; use --backend cpu, or fewer bins");
  return asked_for(bytes, kDeclared);
}

}  // namespace

void place_atoms(const DevicePlacementMemory& memory, const DeviceCoordinates& z,
                 std::int64_t known, OnDevice<double> positions_nm) {
  const auto numbers = 3 * static_cast<std::int64_t>(memory.rows.size());
  launch(place_all, {positions_nm.size / numbers, kThreadsOfAtoms}, span_of(positions_nm),
         coordinates_of(z), view_of(memory), known);
}

void add_drawn(const DevicePlacementMemory& memory, const DeviceDraws& drawn, OnDevice<double> z,
               OnDevice<double> positions_nm) {
  launch(
      add_one, one_thread_each(drawn.bins.size), span_of(z), span_of(positions_nm), view_of(memory),
      span_of(drawn.bins), span_of(drawn.place), span_of(drawn.slopes),
      Fractions{drawn.random.seed(), drawn.random.stream(), drawn.first, drawn.step, drawn.stride});
}

void placement_curves(const DevicePlacementMemory& memory, const DeviceCoordinates& z,
                      OnDevice<const double> positions_nm, OnDevice<const std::int32_t> coordinates,
                      const DeviceCurves& out) {
  const auto numbers = kPlacementComponents * memory.sizes.bins;
  launch(curves, {out.u.size / numbers, kThreadsOfCurve, shared_bytes(memory)},
         Curves{span_of(out.u), span_of(out.means), span_of(positions_nm), span_of(coordinates),
                coordinates_of(z), out.first, out.n, out.capped},
         view_of(memory));
}

}  // namespace arbg::md::cuda
