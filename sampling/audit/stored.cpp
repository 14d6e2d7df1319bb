#include "sampling/audit/stored.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "md/molecule/units.h"
#include "sampling/audit/coordinates.h"

namespace arbg::sampling {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string of_samples(std::size_t count) { return std::to_string(count) + " samples"; }

// The difference of two numbers that may be the same infinity.
double difference(double a, double b) { return a == b ? 0 : std::abs(a - b); }

// Measured again: z and tokens of every sample, and how far positions and tokens disagree.
struct Measured {
  std::vector<double> z;             // [B, K]
  std::vector<std::int32_t> tokens;  // [B, K]
  double outside_cell = 0;           // the farthest a coordinate lies from its token's cell
  std::size_t outside = 0;           // samples with a coordinate outside the support
};

Measured measure(const Generator& generator, const StoredSamples& samples) {
  const auto K = static_cast<std::size_t>(generator.map().size()),
             frame = static_cast<std::size_t>(generator.map().atom_count()) * 3;
  const Ruler ruler(generator.map());
  Measured out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(samples.count()); ++i) {
    const auto z = ruler.measure(std::span(samples.positions_nm).subspan(i * frame, frame));
    bool inside = true;
    for (std::size_t j = 0; j < K; ++j) {
      const auto coordinate = static_cast<std::int64_t>(j);
      auto token = plain_token(generator.bins(), coordinate, z[j]);
      if (!samples.tokens.empty()) {
        token = samples.tokens[i * K + j];
        const bool is_bin = token >= 0 && token < generator.bins().bins();
        out.outside_cell = worse(
            out.outside_cell,
            is_bin ? distance_from_cell(generator.bins(), coordinate, z[j], token) : kInfinity);
        if (!is_bin) token = nn::CoordinateBins::kOutside;
      }
      inside = inside && token != nn::CoordinateBins::kOutside;
      out.tokens.push_back(token);
    }
    out.z.insert(out.z.end(), z.begin(), z.end());
    out.outside += !inside;
  }
  return out;
}

// u by the reference backend, whatever the hand.
std::vector<double> reference_energy(const Target& target, std::span<const double> x) {
  const md::EnergyEngine reference(target.energy().system(), Backend::reference);
  auto u = reference.evaluate(x, false).energy_kj_mol;
  for (double& one : u) one /= md::thermal_energy(target.temperature_kelvin());
  return u;
}

// Independent draws of a continuous density never agree: not in their energies either.
double repeated(std::span<const double> log_q, std::span<const double> u) {
  std::set<std::pair<double, double>> seen;
  std::size_t finite = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    if (!std::isfinite(u[i])) continue;
    ++finite;
    seen.emplace(log_q[i], u[i]);
  }
  return static_cast<double>(finite - seen.size());
}

// log q of reflected samples. Cells are symmetric about 0: the mirror image of bin k is V - 1 - k.
void add_mirror_images(Replay& again, const Generator& generator, const Target& target,
                       const Sequences& sequences, std::span<const double> x,
                       const Decoding& decoding) {
  std::vector<std::int32_t> mirrored;
  for (const auto token : sequences.tokens)
    mirrored.push_back(static_cast<std::int32_t>(generator.bins().bins()) - 1 - token);
  std::vector<double> mirrored_z(sequences.z.begin(), sequences.z.end());
  for (double& value : mirrored_z) value = -value;
  const auto other = replay(generator, {mirrored, mirrored_z}, decoding).log_q;
  std::vector<double> mirror(x.begin(), x.end());
  for (double& value : mirror) value = -value;
  const std::size_t frame = x.size() / other.size();
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (target.has_right_hand(x.subspan(i * frame, frame)) ==
        target.has_right_hand(std::span(mirror).subspan(i * frame, frame)))
      continue;
    const double larger = std::max(again.log_q[i], other[i]);
    again.log_q[i] =
        larger + std::log(std::exp(again.log_q[i] - larger) + std::exp(other[i] - larger));
  }
}

// Samples whose weight is 0 although they have an energy and a density, as trimming leaves them.
double dropped(const StoredSamples& samples) {
  double count = 0;
  for (std::size_t i = 0; i < samples.log_weight.size(); ++i)
    count += samples.log_weight[i] == -kInfinity && std::isfinite(samples.reduced_energy[i]) &&
             std::isfinite(samples.log_q[i]);
  return count;
}

// Ancestors are particles of the same population. What is left over when all have the same number
// of particles goes to the first populations, one each.
Check ancestors(const StoredSamples& samples) {
  const std::int64_t least = std::ssize(samples.ancestor) / samples.populations,
                     larger = std::ssize(samples.ancestor) % samples.populations;
  double wrong = 0;
  auto ancestor = samples.ancestor.begin();
  for (std::int64_t p = 0; p < samples.populations; ++p) {
    const std::int64_t particles = least + (p < larger ? 1 : 0);
    for (std::int64_t i = 0; i < particles; ++i, ++ancestor)
      wrong += *ancestor < 0 || *ancestor >= particles;
  }
  return judged("stored ancestors that are no particle of their population", wrong, 0,
                std::to_string(samples.populations) + " populations of " + std::to_string(least) +
                    (larger > 0 ? " or " + std::to_string(least + 1) : ""));
}

}  // namespace

StoredAudit audit_stored(const AutoregressiveProposal& proposal, const Target& target,
                         const StoredSamples& samples, std::int64_t most) {
  const Generator& generator = proposal.generator();
  const auto count = static_cast<std::size_t>(samples.count()),
             K = static_cast<std::size_t>(generator.map().size()),
             frame = static_cast<std::size_t>(generator.map().atom_count()) * 3;
  const Measured measured = measure(generator, samples);
  StoredAudit out;
  if (!samples.tokens.empty())
    out.checks.push_back(judged("stored positions outside the cells of stored tokens, in widths",
                                measured.outside_cell, 1e-6, of_samples(count)));
  out.checks.push_back(judged("stored samples outside the support",
                              static_cast<double>(measured.outside), 0, of_samples(count)));

  double weights = 0, wrong_hand = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto z = std::span(measured.z).subspan(i * K, K);
    const double log_w =
        -samples.reduced_energy[i] + generator.map().log_volume(z) - samples.log_q[i];
    const double scale = 1 + std::abs(samples.reduced_energy[i]);
    weights =
        worse(weights, log_w == samples.log_weight[i] ? 0
                                                      : std::abs(log_w - samples.log_weight[i]) /
                                                            (std::isfinite(scale) ? scale : 1));
    const auto x = std::span(samples.positions_nm).subspan(i * frame, frame);
    wrong_hand += samples.log_weight[i] > -kInfinity && !target.has_right_hand(x);
  }
  const bool particles = samples.populations > 0;
  if (!particles)
    out.checks.push_back(judged("stored log weights against -u + log volume - log q", weights, 1e-9,
                                of_samples(count)));
  out.checks.push_back(judged("stored weights that were dropped (trimmed: biased)",
                              dropped(samples), 0,
                              of_samples(count) + " of finite energy and density weigh something"));
  if (particles) out.checks.push_back(ancestors(samples));
  out.checks.push_back(judged("stored samples of the wrong hand that weigh something", wrong_hand,
                              0, of_samples(count)));
  Check twice = judged("stored samples that are there more than once",
                       repeated(samples.log_q, samples.reduced_energy), 0,
                       "draws are independent: no two agree");
  if (particles) {
    twice.verdict = Verdict::information;
    twice.note = "particles of sequential Monte Carlo may be copies";
  }
  out.checks.push_back(twice);

  // A part of them, closely.
  std::vector<std::int32_t> tokens;
  std::vector<double> z, log_q, u, x;
  const std::size_t part = std::min(count, static_cast<std::size_t>(most));
  for (std::size_t n = 0; n < part; ++n) {
    const std::size_t i = n * count / part;
    const auto row = std::span(measured.tokens).subspan(i * K, K);
    if (std::ranges::count(row, nn::CoordinateBins::kOutside) > 0) continue;
    tokens.insert(tokens.end(), row.begin(), row.end());
    z.insert(z.end(), measured.z.begin() + static_cast<std::ptrdiff_t>(i * K),
             measured.z.begin() + static_cast<std::ptrdiff_t>((i + 1) * K));
    log_q.push_back(samples.log_q[i]);
    u.push_back(samples.reduced_energy[i]);
    x.insert(x.end(), samples.positions_nm.begin() + static_cast<std::ptrdiff_t>(i * frame),
             samples.positions_nm.begin() + static_cast<std::ptrdiff_t>((i + 1) * frame));
  }
  if (log_q.empty()) return out;
  const Sequences sequences{tokens, z};
  Replay again = replay(generator, sequences, proposal.decoding());
  if (samples.reflected)
    add_mirror_images(again, generator, target, sequences, x, proposal.decoding());
  double worst_q = 0, worst_u = 0;
  const auto energies = reference_energy(target, x);
  for (std::size_t i = 0; i < log_q.size(); ++i) {
    worst_q = worse(worst_q, difference(log_q[i], again.log_q[i]));
    // Infinite for the wrong hand and atoms on top of each other.
    const bool right = target.has_right_hand(std::span(x).subspan(i * frame, frame));
    const double expected = right && std::isfinite(energies[i]) ? energies[i] : kInfinity;
    worst_u = worse(worst_u, std::isinf(expected) || std::isinf(u[i])
                                 ? difference(u[i], expected)
                                 : std::abs(u[i] - expected) / (1 + std::abs(expected)));
  }
  // Another machine or backend rounds float32 logits in another way.
  out.checks.push_back(judged("stored log q against the model's", worst_q,
                              2e-5 * static_cast<double>(K),
                              of_samples(log_q.size()) + ", " + proposal.decoding().text()));
  out.checks.push_back(judged("stored energies against plain loops, relative", worst_u, 1e-7,
                              of_samples(log_q.size()) + ", u in kT"));
  if (samples.reflected || particles) return out;  // what was drawn is no longer known
  // 5 standard deviations: once in two million honest audits.
  out.checks.push_back(judged("surprise of the draws: mean log P against its expectation, sigmas",
                              std::abs(again.surprise), 5,
                              "were they drawn from this very q (temperature, bins)?"));
  out.transform = again.transform;
  out.uphill = again.uphill;
  return out;
}

}  // namespace arbg::sampling
