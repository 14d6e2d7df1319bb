// log Z from both sides: Bennett's acceptance ratio between the model and reference samples.
//
// With log w = log pi~ - log q known on n_q model samples and n_p reference samples, L = log Z
// solves
//   sum over model of s(log w_i - L + M) = sum over reference of s(-(log w_j - L + M)),
// s(a) = 1/(1+exp(-a)), M = log(n_p/n_q): the maximum-likelihood estimate, of least variance among
// all bridges (Bennett, J. Comput. Phys. 22 (1976); Shirts, Bair, Hooker, Pande, Phys. Rev. Lett.
// 91 (2003)). Unlike the mean of the weights it sees modes that the model misses, and it costs no
// more than one forward pass over the reference.
#pragma once

#include <span>

namespace arbg::metrics {

struct BennettEstimate {
  double log_z;
  double error;    // asymptotic standard error, for independent samples
  double overlap;  // from 0 (disjoint) to 1 (model = reference): n/(n_p n_q) sum s(a) s(-a)
};

// Model log weights may be -infinity (outside the target's support), reference ones +infinity
// (outside the model's). Throws Error for any other that is not finite, naming side and index, and
// for samples without any overlap. Thin correlated reference frames first
// (metrics/statistics/autocorrelation.h), or the error comes out too small.
BennettEstimate bennett_log_z(std::span<const double> model_log_weights,
                              std::span<const double> reference_log_weights);

// The effective sample size of the model as a fraction of n, judged by the reference:
// 1 / (E_p[w] E_p[1/w]), the large-n limit of Kish's fraction. Where the model misses a mode w is
// huge and the fraction tends to 0; it is 0 if a reference sample lies outside the model's support.
double reverse_ess_fraction(std::span<const double> reference_log_weights);

}  // namespace arbg::metrics
