#include "sampling/training/walker_pool.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "tensor/base/error.h"
#include "tensor/base/interrupt.h"
#include "tensor/base/random.h"
#include "tensor/base/streams.h"
#include "tensor/base/threads.h"

namespace arbg::sampling {
namespace {

constexpr std::int64_t kBlock = 64;  // walkers that one thread carries through a sweep
constexpr double kLargestDrift = 3;  // walkers of an untrained model collide
// 0.574 is best for Langevin moves of many coordinates (Roberts, Rosenthal, J. R. Statist. Soc. B
// 60, 1998).
constexpr double kAcceptance = 0.57, kSmallestEps = 1e-4, kLargestEps = 2;

}  // namespace

WalkerPool::WalkerPool(const md::CoordinateMap& map, const nn::Head& head,
                       const Potential& potential, std::uint64_t seed, const Ranks& ranks)
    : map_(map), head_(head), potential_(potential), seed_(seed), ranks_(ranks) {}

void WalkerPool::start(Walkers samples) {
  std::vector<std::int64_t> from, finite;
  for (std::int64_t i = 0; i < samples.count(); ++i)
    if (std::isfinite(samples.u[static_cast<std::size_t>(i)])) finite.push_back(i);
  require(!finite.empty(), "none of ", samples.count(),
          " samples to start walkers from lies in the target's support");
  for (std::int64_t i = 0; i < samples.count(); ++i)
    from.push_back(finite[static_cast<std::size_t>(i) % finite.size()]);
  walkers_ = std::move(samples);
  walkers_.select(from, map_);
}

void WalkerPool::restore(std::span<const double> coordinates, double eps) {
  const auto K = static_cast<std::size_t>(map_.size());
  require(!coordinates.empty() && coordinates.size() % K == 0, "expected walkers of ", K,
          " coordinates, found ", coordinates.size(), " numbers");
  Samples samples;
  samples.resize(static_cast<std::int64_t>(coordinates.size() / K), map_);
  samples.coordinates.assign(coordinates.begin(), coordinates.end());
  std::int64_t outside = 0;
  for (std::size_t at = 0; at < coordinates.size(); at += K)
    outside += !head_.inside(coordinates.subspan(at, K));
  require(eps >= kSmallestEps && eps <= kLargestEps, "expected a step of the walkers from ",
          kSmallestEps, " to ", kLargestEps, ", found ", eps);
  require(outside == 0, outside, " of ", samples.count(), " walkers are outside the bins' support");
  walkers_ = make_walkers(std::move(samples), map_, potential_);
  eps_ = eps;
}

double WalkerPool::relax(std::int64_t moves, std::uint64_t sweep) {
  const auto lengths = move_lengths(walkers_, map_);
  const std::int64_t count = walkers_.count(), blocks = (count + kBlock - 1) / kBlock;
  const Share own = ranks_.share(blocks);
  std::vector<double> accepted_in(static_cast<std::size_t>(own.count()));
  parallel_for(own.count(), [&](std::int64_t index) {
    const std::int64_t block = own.first + index;
    const std::int64_t first = block * kBlock, rows = std::min(kBlock, count - first);
    Walkers part = walkers_.rows(first, rows, map_);
    for (std::int64_t m = 0; m < moves && !interrupted(); ++m) {
      const std::string purpose =
          std::string(streams::kWalkerMove) + std::to_string(first) + " " + std::to_string(m);
      const MoveShares shares =
          hamiltonian_move(part, map_, head_, potential_, {eps_, 1, lengths, kLargestDrift},
                           Random(seed_, stream_id(purpose, sweep)));
      accepted_in[static_cast<std::size_t>(index)] += shares.accepted * static_cast<double>(rows);
    }
    walkers_.replace(first, part, map_);
  });
  const auto row = [&](std::int64_t block) { return std::min(block * kBlock, count); };
  walkers_ = gather(walkers_.rows(row(own.first), row(own.last) - row(own.first), map_), ranks_);
  accepted_in = ranks_.gather(std::span<const double>(accepted_in));
  const double accepted = std::accumulate(accepted_in.begin(), accepted_in.end(), 0.0) /
                          static_cast<double>(count * moves);
  eps_ = std::clamp(eps_ * std::exp(accepted - kAcceptance), kSmallestEps, kLargestEps);
  return accepted;
}

double WalkerPool::exchange(const Walkers& fresh, const Proposal& proposal, std::int64_t round) {
  const auto K = static_cast<std::size_t>(map_.size()), proposed = fresh.u.size();
  require(fresh.count() <= walkers_.count(), "expected at most ", walkers_.count(),
          " proposals, found ", fresh.count());
  std::vector<std::int64_t> chosen(proposed);
  std::vector<double> z;
  for (std::size_t i = 0; i < proposed; ++i) {
    chosen[i] = (round * fresh.count() + static_cast<std::int64_t>(i)) % walkers_.count();
    const auto row = walkers_.samples.coordinates.begin() + chosen[i] * map_.size();
    z.insert(z.end(), row, row + static_cast<std::ptrdiff_t>(K));
  }
  const Share own = ranks_.share(fresh.count());
  const auto own_log_q = proposal.log_density(std::span(z).subspan(
      static_cast<std::size_t>(own.first) * K, static_cast<std::size_t>(own.count()) * K));
  const auto log_q = ranks_.gather(std::span<const double>(own_log_q));
  if (interrupted()) return 0;
  const Random random(seed_, stream_id(streams::kExchange, static_cast<std::uint64_t>(round)));
  std::int64_t accepted = 0;
  for (std::size_t i = 0; i < proposed; ++i) {
    if (!std::isfinite(fresh.u[i])) continue;
    const auto walker = static_cast<std::size_t>(chosen[i]);
    const double now =
        std::isfinite(walkers_.u[walker]) ? walkers_.log_target(walker) - log_q[i] : -INFINITY;
    const double then = fresh.log_target(i) - fresh.samples.log_q[i];
    if (std::log(random.uniform(i)) >= then - now) continue;
    walkers_.replace(chosen[i], fresh.rows(static_cast<std::int64_t>(i), 1, map_), map_);
    ++accepted;
  }
  return static_cast<double>(accepted) / static_cast<double>(proposed);
}

void WalkerPool::fill(std::int64_t step, std::span<double> z, std::span<double> log_target) {
  require(walkers_.count() > 0, "expected walkers to train on, found none");
  const auto K = static_cast<std::size_t>(map_.size());
  const Random random(seed_, stream_id(streams::kPool, static_cast<std::uint64_t>(step)));
  for (std::size_t b = 0; b < z.size() / K; ++b) {
    const auto i = static_cast<std::size_t>(random.below(walkers_.count(), b));
    std::ranges::copy(std::span(walkers_.samples.coordinates).subspan(i * K, K),
                      z.begin() + static_cast<std::ptrdiff_t>(b * K));
    if (!log_target.empty()) log_target[b] = walkers_.log_target(i);
  }
}

}  // namespace arbg::sampling
