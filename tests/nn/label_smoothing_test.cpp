// Label smoothing against PyTorch.
#include "nn/heads/label_smoothing.h"

#include <doctest/doctest.h>

#include "autograd/functions.h"
#include "tensor/base/error.h"
#include "tests/backends.h"

namespace arbg::nn {
namespace {

using autograd::Variable;
using tensor::Backend;
using tensor::Tensor;

// torch.nn.CrossEntropyLoss(label_smoothing=s, reduction="none") of these logits in float64, and
// the gradient of the mean over both rows; PyTorch 2.15.0 (CPU), 2026-11-23.
struct Golden {
  double smoothing;
  std::vector<double> loss, gradient_of_mean;
};
const std::vector<double> kLogits = {0.5, -1.25, 2.0, 0.0, 3.0, -2.0, 0.25, 1.5};
const std::vector<std::int32_t> kTokens = {2, 3};
const Golden kGolden[] = {
    {0.1,
     {0.5032486126036626, 1.8388305084953793},
     {0.06734677501605413, 0.0013752889663402046, -0.10465158110880785, 0.03592951712641353,
      0.37395969861540573, -0.009896055033446854, 0.0122055419750717, -0.3762691855570306}},
    {0.4,
     {1.0094986126036627, 2.0825805084953792},
     {0.029846775016054112, -0.0361247110336598, 0.00784841889119216, -0.0015704828735864844,
      0.33645969861540576, -0.047396055033446856, -0.0252944580249283, -0.26376918555703055}}};

TEST_SUITE("golden") {
  TEST_CASE("smoothed log probabilities and their gradient are those of PyTorch's cross entropy") {
    for (const Backend backend : backends_here()) {
      const double tolerance = backend == Backend::reference ? 1e-14 : 3e-7;
      for (const Golden& golden : kGolden) {
        const auto logits = Variable::parameter(Tensor::from_values(kLogits, {1, 2, 4}, backend));
        const Tensor tokens = Tensor::from_indices(kTokens, {1, 2}, backend);
        const Tensor places =
            Tensor::from_indices(places_in_one_column(kTokens, 4), {1, 2}, backend);
        const Variable smoothed =
            autograd::add(autograd::log_prob(logits, tokens),
                          autograd::scale(smoothing_term(logits, places), golden.smoothing));
        autograd::backward(smoothed,
                           Tensor::from_values(std::vector<double>{-0.5, -0.5}, {1, 2}, backend));
        const auto values = smoothed.value().values(), gradient = logits.grad().values();
        for (std::size_t i = 0; i < 2; ++i)
          CHECK(-values[i] == doctest::Approx(golden.loss[i]).epsilon(tolerance));
        for (std::size_t i = 0; i < 8; ++i)
          CHECK(std::abs(gradient[i] - golden.gradient_of_mean[i]) <= tolerance);
      }
    }
  }
}

TEST_SUITE("fast") {
  TEST_CASE("a token outside is refused, in whatever row: its index would be a neighbour's logit") {
    for (const auto& tokens : {std::vector{2, -1}, std::vector{4, 3}})
      CHECK_THROWS_AS(places_in_one_column(tokens, 4), Error);
  }
}

}  // namespace
}  // namespace arbg::nn
