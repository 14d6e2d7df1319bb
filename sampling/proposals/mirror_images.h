// Samples of the other hand, in Cartesian coordinates, where E(-x) = E(x).
//
// A network of Cartesian coordinates may propose mirror images, which weigh nothing. Reflection
// sends a sample z of the wrong hand to -z. The density of what comes out, at a z of the right hand
// whose mirror image is of the wrong one, is q(z) + q(-z), for every sample, reflected or not:
// log q becomes log(q(z) + q(-z)) and weights stay consistent. The published code reflects and
// keeps the old log q, which counts such samples as if nothing else could have led there: biased.
#pragma once

#include "sampling/proposals/generator.h"
#include "sampling/targets/target.h"

namespace arbg::sampling {

enum class Mirror {
  none,            // mirror images stay, with weight 0
  reflect,         // exact
  keep_old_log_q,  // as published: biased
};

// Throws Error if the rule reflects and the map is not Cartesian.
void require_reflectable(const md::CoordinateMap& map, Mirror rule);

// Reflects samples in place (tokens, coordinates, positions, log q). Returns how many were
// reflected. What has no right hand either way (one centre of two mirrored) stays as it is.
std::int64_t reflect(Samples& samples, const Generator& generator, const Target& target,
                     const Decoding& decoding, Mirror rule);

}  // namespace arbg::sampling
