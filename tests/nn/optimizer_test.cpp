// AdamW, the one-cycle schedule and the weight average against PyTorch 2.15 in double and against
// closed forms; SOAP against its formulas in numpy (apps/tools/make_soap_golden.py).
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>

#include "nn/optimizer/muon.h"
#include "nn/optimizer/schedule.h"
#include "nn/optimizer/soap.h"
#include "nn/optimizer/weight_average.h"
#include "tensor/base/error.h"
#include "tensor/device/repeated.h"
#include "tensor/ops/clip_scale.h"
#include "tensor/ops/numbers.h"
#include "tensor/ops/sum_of_squares.h"
#include "tests/backends.h"

namespace arbg::nn {
namespace {

Tensor row(std::vector<double> values, Backend backend = Backend::reference) {
  return Tensor::from_values(values, {static_cast<std::int64_t>(values.size())}, backend);
}

Tensor one(Backend backend) { return tensor::make_numbers(std::array{1.0}, backend); }

// A matrix [R, C] of given numbers f(i, j).
template <class F>
Tensor matrix_of(std::int64_t R, std::int64_t C, Backend backend, const F& f) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < R; ++i)
    for (std::int64_t j = 0; j < C; ++j)
      values.push_back(f(static_cast<double>(i), static_cast<double>(j)));
  return row(std::move(values), backend).reshape({R, C});
}

// One matrix that SOAP moves along gradients of waves, its bases following every four steps.
class OnWaves {
 public:
  OnWaves(std::int64_t rows, std::int64_t columns, SoapOptions options, Backend backend)
      : backend_(backend),
        parameters_{{"w",
                     Variable::parameter(matrix_of(rows, columns, backend,
                                                   [&](double i, double j) {
                                                     return std::sin(
                                                         1 + i * static_cast<double>(columns) + j);
                                                   })),
                     true}},
        optimizer_(parameters_, options) {}

  // The gradient is that of the step, times `size`; the update is told to scale it.
  void step(double size = 1, double scale = 1) {
    const double k = static_cast<double>(++step_);
    const Tensor& weight = parameters_[0].variable.value();
    const std::vector<Tensor> gradient{
        matrix_of(weight.extent(0), weight.extent(1), backend_, [&](double i, double j) {
          return size * (std::cos(0.3 * k + i) * (j + 1) + std::sin(k * (i + 1) + j));
        })};
    optimizer_.set_step(0.05, step_);
    optimizer_.update(gradient, tensor::make_numbers(std::array{scale}, backend_));
  }
  std::vector<double> weight() const { return parameters_[0].variable.value().values(); }
  Soap& optimizer() { return optimizer_; }
  void go_back(std::int64_t step, const std::vector<double>& weight) {
    const Tensor& now = parameters_[0].variable.value();
    Tensor(now).copy_from(row(weight, backend_).reshape(now.shape()));
    step_ = step;
  }

 private:
  Backend backend_;
  std::int64_t step_ = 0;
  std::vector<Parameter> parameters_;
  Soap optimizer_;
};

SoapOptions every_four_steps() {
  SoapOptions options;
  options.interval = 4;
  return options;
}

// A matrix and a vector, with their gradients, an optimiser and a running mean of both.
class Updated {
 public:
  Updated(Backend backend, bool soap)
      : parameters_{{"matrix",
                     Variable::parameter(row({1, -2, 3, 4, 5, -6}, backend).reshape({3, 2})), true},
                    {"vector", Variable::parameter(row({1, 2}, backend)), false}},
        gradients_{row({0.5, 1, 2, -1, 0, 1}, backend).reshape({3, 2}), row({1, -3}, backend)},
        optimizer_(soap ? std::unique_ptr<Optimizer>(new Soap(parameters_, every_four_steps()))
                        : std::make_unique<Muon>(parameters_, MuonOptions{})),
        average_(std::make_unique<WeightAverage>(parameters_, 0.9)) {}

  void set_step(std::int64_t step, double gradient) const {
    optimizer_->set_step(0.1 / static_cast<double>(step), step);
    average_->set_step(step);
    Tensor first = gradients_[1].rows(0, 1);
    first.fill(gradient);
  }
  void update() const {
    const Tensor scale = tensor::clip_scale(tensor::sum_of_squares(gradients_), 0.7);
    optimizer_->update(gradients_, scale);
    average_->update(scale);
  }
  std::vector<std::vector<double>> state() const {
    std::vector<std::vector<double>> all;
    for (const auto& parameter : parameters_) all.push_back(parameter.variable.value().values());
    for (const auto& list :
         {optimizer_->first_moments(), optimizer_->second_moments(), average_->values()}) {
      for (const auto& named : list) all.push_back(named.second.values());
    }
    return all;
  }

 private:
  std::vector<Parameter> parameters_;
  std::vector<Tensor> gradients_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<WeightAverage> average_;
};

TEST_SUITE("fast") {
  TEST_CASE("AdamW makes torch.optim.AdamW's steps: lr 0.01, weight decay 0.1") {
    const std::vector<double> start = {0.5, -1.25, 2.0, 0.0};
    const std::vector<std::vector<double>> gradients = {
        {0.1, -2.0, 0.0, 1e-9}, {0.3, 1.0, -0.5, 2e-9}, {-0.2, 4.0, 0.25, -1e-9}};
    const std::vector<std::vector<double>> expected = {
        {0.4895000009999999, -1.23875000005, 1.998, -0.000909090909090909},
        {0.479832690219559, -1.2348478796701932, 2.003443368025249, -0.002226087200119103},
        {0.4767738195977597, -1.2381863496733156, 2.003726328344008, -0.002744348962434951}};
    for (const Backend backend : backends_here()) {
      const double tolerance = backend == Backend::reference ? 1e-15 : 3e-7;
      const std::vector<Parameter> parameters{
          {"w", Variable::parameter(row(start, backend)), true}};
      AdamWOptions options;
      options.weight_decay = 0.1;
      AdamW optimizer(parameters, options);
      for (std::size_t step = 0; step < 3; ++step) {
        const std::vector<Tensor> gradient{row(gradients[step], backend)};
        optimizer.set_step(0.01, static_cast<std::int64_t>(step) + 1);
        optimizer.update(gradient, one(backend));
        const auto found = parameters[0].variable.value().values();
        for (std::size_t i = 0; i < found.size(); ++i) {
          CAPTURE(step);
          CAPTURE(i);
          CHECK(std::abs(found[i] - expected[step][i]) <=
                tolerance * std::max(1.0, std::abs(expected[step][i])));
        }
      }
    }
  }

  TEST_CASE("a parameter that does not decay is left alone by a zero gradient") {
    const std::vector<Parameter> parameters{{"decays", Variable::parameter(row({2.0})), true},
                                            {"stays", Variable::parameter(row({2.0})), false}};
    AdamW optimizer(parameters, {});
    const std::vector<Tensor> zero{row({0.0}), row({0.0})};
    optimizer.set_step(0.1, 1);
    optimizer.update(zero, one(Backend::reference));
    CHECK(parameters[0].variable.value().item() == 2.0 * (1 - 0.1 * 0.01));
    CHECK(parameters[1].variable.value().item() == 2.0);
  }

  TEST_CASE("a repeated update takes the numbers of its step, and does nothing without a norm") {
    for (const Backend backend : backends_here()) {
      for (const bool soap : {false, true}) {
        CAPTURE(soap);
        const Updated plain(backend, soap), repeated(backend, soap);
        tensor::Repeated work(tensor::Device{backend}, [&] { repeated.update(); });
        for (std::int64_t step = 1; step <= 6; ++step) {
          CAPTURE(step);
          for (const Updated* one : {&plain, &repeated})
            one->set_step(step, step == 5 ? INFINITY : 2);
          const auto before = repeated.state();
          plain.update();
          work.run();
          CHECK(repeated.state() == plain.state());
          CHECK((repeated.state() == before) == (step == 5));
        }
      }
    }
  }

  TEST_CASE("SOAP's steps are those of its formulas, and so are those of a saved state") {
    struct Case {
      std::int64_t rows, columns;
      std::vector<double> after_4, after_11;  // steps; bases follow before the 2nd, 6th and 10th
    };
    const std::vector<Case> cases = {
        {3,
         2,
         {0.670150838041749, 0.752127605466077, 0.0826405742033567, -0.761874570498257,
          -0.857818821521964, -0.083113967772924},
         {0.588680932890535, 0.674531831471212, 0.113883619093655, -0.568798997000966,
          -0.760984739562807, 0.209809504626187}},
        {2,
         3,
         {0.690832274626446, 0.74797548318486, -0.0384374949518971, -0.798656206009051,
          -0.970639815185624, -0.269535358832916},
         {0.645383821165575, 0.704014304839561, -0.120178072799879, -0.759342118440211,
          -0.861203703900726, 0.0149939770233346}}};
    for (const Backend backend : backends_here()) {
      const double tolerance = backend == Backend::reference ? 1e-13 : 2e-5;
      for (const Case& c : cases) {
        OnWaves waves(c.rows, c.columns, every_four_steps(), backend);
        const auto check = [&](const std::vector<double>& expected) {
          const auto found = waves.weight();
          for (std::size_t i = 0; i < found.size(); ++i)
            CHECK(found[i] == doctest::Approx(expected[i]).epsilon(tolerance));
        };
        for (int step = 0; step < 4; ++step) waves.step();
        check(c.after_4);
        // From a saved state the optimiser goes on where it was, after it has moved on.
        const auto weight = waves.weight();
        NamedTensors first = waves.optimizer().first_moments(),
                     second = waves.optimizer().second_moments();
        for (auto* list : {&first, &second})
          for (auto& named : *list) named.second = named.second.clone();
        for (int step = 4; step < 9; ++step) waves.step();
        waves.optimizer().load(first, second);
        waves.go_back(4, weight);
        for (int step = 4; step < 11; ++step) waves.step();
        check(c.after_11);
      }
    }
  }

  TEST_CASE("SOAP's bases become the eigenvectors of the mean squares, in their order") {
    OnWaves waves(6, 4, every_four_steps(), Backend::reference);
    // Gradients of rank one that hardly change would leave nothing to order: these change.
    for (int step = 0; step < 400; ++step) waves.step();
    const auto list = waves.optimizer().second_moments();
    for (const std::string side : {"w.row", "w.column"}) {
      CAPTURE(side);
      const Tensor squares = find_tensor(list, side + "_squares"),
                   basis = find_tensor(list, side + "_basis");
      const auto n = static_cast<std::size_t>(squares.extent(0));
      const auto L = squares.values(), P = basis.values();
      // In the basis of some steps ago the matrix is nearly diagonal.
      double outside = 0, all = 0, before = INFINITY;
      for (std::size_t a = 0; a < n; ++a) {
        for (std::size_t b = 0; b < n; ++b) {
          double element = 0;
          for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
              element += P[i * n + a] * L[i * n + j] * P[j * n + b];
          all += element * element;
          if (a != b) outside += element * element;
          if (a != b) continue;
          CHECK(element <= 1.2 * before);
          before = element;
        }
      }
      CHECK(outside < 0.03 * all);
    }
  }

  TEST_CASE("SOAP's update with a scale is that of scaled gradients, its bases too") {
    for (const Backend backend : backends_here()) {
      OnWaves small(3, 4, every_four_steps(), backend), scaled(3, 4, every_four_steps(), backend);
      for (int step = 0; step < 8; ++step) {
        const double size = step % 3 == 1 ? 1024 : 1;
        small.step();
        scaled.step(size, 1 / size);
      }
      CHECK(scaled.weight() == small.weight());
      const auto state = small.optimizer().second_moments(),
                 found = scaled.optimizer().second_moments();
      for (std::size_t i = 0; i < state.size(); ++i)
        CHECK(found[i].second.values() == state[i].second.values());
    }
  }

  TEST_CASE("a side that is too long for SOAP keeps its coordinates") {
    SoapOptions options = every_four_steps();
    options.longest_side = 5;
    OnWaves waves(6, 4, options, Backend::reference);
    for (int step = 0; step < 6; ++step) waves.step();
    const auto list = waves.optimizer().second_moments();
    CHECK(list.size() == 3);  // v, and two of the columns
    CHECK(find_tensor(list, "w.column_basis").shape() == tensor::Shape{4, 4});
  }

  TEST_CASE(
      "the one-cycle schedule is torch's OneCycleLR: 100 steps, warm-up 5 %, ends at largest/500") {
    const std::vector<std::pair<std::int64_t, double>> expected = {{0, 6e-06},
                                                                   {1, 0.0004444611485637383},
                                                                   {2, 0.001503},
                                                                   {3, 0.0025615388514362617},
                                                                   {4, 0.003},
                                                                   {5, 0.0029991815262393664},
                                                                   {6, 0.0029967269999465057},
                                                                   {20, 0.002795294951993488},
                                                                   {50, 0.0015772268807458137},
                                                                   {77, 0.0003850082489547221},
                                                                   {98, 6.818473760633705e-06},
                                                                   {99, 6e-06}};
    for (const auto& row_of_table : expected) {
      const auto k = row_of_table.first;
      const double rate = row_of_table.second;
      CAPTURE(k);
      CHECK(one_cycle(k, 100, 3e-3, 0.05, 500) == doctest::Approx(rate).epsilon(1e-12));
    }
  }

  TEST_CASE("the constant schedule is the one-cycle up to its top, and stays there") {
    for (std::int64_t k = 0; k < 100; ++k) {
      CAPTURE(k);
      CHECK(constant_rate(k, 100, 3e-3, 0.05, 500) ==
            (k < 4 ? one_cycle(k, 100, 3e-3, 0.05, 500) : 3e-3));
    }
    CHECK(constant_rate(0, 100, 3e-3, 0.05, 500) == doctest::Approx(6e-6).epsilon(1e-12));
    CHECK(constant_rate(0, 10, 3e-3, 0, 500) == 3e-3);  // no warm-up
  }

  TEST_CASE("schedules of a few steps stay between their ends") {
    for (std::int64_t n = 1; n <= 30; ++n) {
      for (std::int64_t k = 0; k < n; ++k) {
        const double rate = one_cycle(k, n, 1.0, 0.05, 500);
        CAPTURE(n);
        CAPTURE(k);
        CHECK(rate >= 1.0 / 500 - 1e-15);
        CHECK(rate <= 1.0);
      }
    }
  }

  TEST_CASE("the weight average is the recursion written out, with its ramp") {
    const std::vector<Parameter> parameters{{"w", Variable::parameter(row({1.0, -2.0})), true}};
    WeightAverage average(parameters, 0.9);
    Tensor weight = parameters[0].variable.value();
    double expected = 1.0;
    for (std::int64_t step = 1; step <= 100; ++step) {
      const double now = std::sin(static_cast<double>(step));
      weight.copy_from(row({now, -2.0}));
      average.set_step(step);
      average.update(one(Backend::reference));
      const double k = static_cast<double>(step), decay = std::min(0.9, (1 + k) / (10 + k));
      expected = decay * expected + (1 - decay) * now;
    }
    CHECK(average.values()[0].second.values()[0] == doctest::Approx(expected).epsilon(1e-14));
    CHECK(average.values()[0].second.values()[1] == -2.0);
    CHECK(WeightAverage(parameters, 0.0).values().empty());
  }
}

}  // namespace
}  // namespace arbg::nn
