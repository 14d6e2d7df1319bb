// Are numbers uniform on [0, 1]? The statistic of Kolmogorov and Smirnov.
//
//   D = sup_x |F_n(x) - x|,  F_n the empirical distribution function
//   P(sqrt(n) D > t) -> Q(t) = 2 sum_{k>=1} (-1)^(k-1) exp(-2 k^2 t^2)
//
// Correlated numbers count for fewer: use n / tau (metrics/statistics/autocorrelation.h). Source:
// Smirnov, "Table for estimating the goodness of fit of empirical distributions", Ann. Math. Stat.
// 19 (1948).
#pragma once

#include <span>

namespace arbg::metrics {

// D. Throws Error for no values, and for one outside [0, 1] or NaN, naming its index.
double kolmogorov_distance(std::span<const double> values);

// The t for which Q(t) = probability, 0 < probability < 1.
double kolmogorov_bound(double probability);

}  // namespace arbg::metrics
