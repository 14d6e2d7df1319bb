#include "sampling/smc/twisted_smc.h"

#include <algorithm>
#include <cmath>

#include "sampling/proposals/proposal.h"
#include "sampling/targets/target.h"
#include "tensor/base/error.h"
#include "tensor/base/streams.h"

namespace arbg::sampling {
namespace {

// psi of one stage.
struct Stage {
  int atoms, coordinates;
  std::vector<int> order;  // the atoms placed
  std::unique_ptr<Potential> part;

  // log psi [P] of all rows, which have grown to this stage.
  std::vector<double> log_psi(const Proposal& proposal, const Twist& twist,
                              const Growth& growing) const {
    std::vector<double> x(static_cast<std::size_t>(proposal.map().atom_count()) * 3, 0.0);
    std::vector<double> placed;
    for (std::int64_t b = 0; b < growing.count(); ++b) {
      proposal.map().decode(growing.coordinates(b).first(static_cast<std::size_t>(coordinates)), x);
      for (const int atom : order) {
        const auto at = x.begin() + 3 * atom;
        placed.insert(placed.end(), at, at + 3);
      }
    }
    std::vector<double> out = part->reduced_energy(placed);
    for (std::int64_t b = 0; b < growing.count(); ++b) {
      double& value = out[static_cast<std::size_t>(b)];
      const double against = twist.against_density ? growing.log_p(b) : 0;
      value = value == INFINITY ? -INFINITY : -twist.lambda * (value + against);
    }
    return out;
  }
};

std::vector<Stage> make_stages(const Proposal& proposal, const Potential& potential,
                               const Twist& twist) {
  require(twist.lambda >= 0 && twist.lambda <= 1, "the twist's lambda must be from 0 to 1, got ",
          twist.lambda);
  const auto order = proposal.map().atom_order();
  std::vector<Stage> stages;
  int before = 0;
  for (const int atoms : twist.stage_atoms) {
    require(atoms > before && atoms < std::ssize(order),
            "stages of a twist are numbers of atoms that ascend from 1 to ", order.size() - 1,
            ", found ", atoms, " after ", before);
    const std::vector<int> placed(order.begin(), order.begin() + atoms);
    stages.push_back(
        {atoms, proposal.map().coordinates_of_first(atoms), placed, potential.restricted(placed)});
    before = atoms;
  }
  return stages;
}

SmcPopulation grow_population(const Proposal& proposal, const Potential& potential,
                              const Twist& twist, const std::vector<Stage>& stages,
                              const SmcOptions& options, std::int64_t p,
                              const std::function<void()>& stage_done) {
  const auto population = static_cast<std::uint64_t>(p);
  const std::int64_t particles = options.particles(p);
  SmcPopulation out;
  ParticleWeights weights(particles, options,
                          Random(options.seed, stream_id(streams::kTwistedResampling, population)));
  const auto growing =
      proposal.grow(particles, Random(options.seed, stream_id(streams::kTwisted, population)), 0);
  std::vector<double> log_psi(static_cast<std::size_t>(particles), 0.0);
  for (const Stage& stage : stages) {
    if (!growing->grow(stage.coordinates)) return out;
    const auto next = stage.log_psi(proposal, twist, *growing);
    for (std::size_t i = 0; i < next.size(); ++i) log_psi[i] = next[i] - log_psi[i];
    weights.multiply(log_psi);
    out.partial_energies += particles;
    SmcStage record;
    record.at = stage.atoms;
    const auto from = weights.close_stage(record);
    out.stages.push_back(record);
    log_psi = next;
    if (!from.empty()) {
      growing->select(from);
      for (std::size_t i = 0; i < from.size(); ++i) {
        log_psi[i] = next[static_cast<std::size_t>(from[i])];
      }
    }
    stage_done();
  }
  if (!growing->grow(proposal.map().size())) return out;
  out.samples.resize(particles, proposal.map());
  for (std::int64_t i = 0; i < particles; ++i) out.samples.put(i, *growing, i, proposal.map());
  out.reduced_energy = potential.reduced_energy(out.samples.positions_nm);
  out.energies += particles;
  auto last = log_weights(out.reduced_energy, out.samples.log_volume, out.samples.log_q);
  for (std::size_t i = 0; i < last.size(); ++i) last[i] -= log_psi[i];
  weights.multiply(last);
  out.log_weight = weights.log_weight();
  out.ancestor = weights.ancestor();
  SmcStage record;
  record.at = proposal.map().atom_count();
  record.ess_fraction = metrics::ess_fraction(out.log_weight);
  record.ancestors = out.ancestor_share();
  out.stages.push_back(record);
  stage_done();
  return out;
}

}  // namespace

std::vector<int> residue_stages(const md::Topology& topology, const md::CoordinateMap& map) {
  const auto order = map.atom_order();
  const auto residue = [&](std::size_t i) {
    return topology.atoms[static_cast<std::size_t>(order[i])].residue;
  };
  std::vector<int> stages;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (residue(i) != residue(i - 1)) stages.push_back(static_cast<int>(i));
  }
  return stages;
}

std::vector<SmcPopulation> sample_twisted(const Proposal& proposal, const Potential& potential,
                                          const Twist& twist, const SmcOptions& options) {
  options.check();
  const auto stages = make_stages(proposal, potential, twist);
  return run_populations(proposal.device(), options, std::ssize(stages) + 1,
                         [&](std::int64_t p, const std::function<void()>& stage_done) {
                           return grow_population(proposal, potential, twist, stages, options, p,
                                                  stage_done);
                         });
}

}  // namespace arbg::sampling
