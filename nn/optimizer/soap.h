// SOAP: Adam in the eigenbases of Shampoo; everything but matrices by AdamW.
//
// For a matrix W [R, C] with (scaled) gradient G, moving averages L of G G^T [R, R] and S of G^T G
// [C, C], and orthonormal bases P and Q near to their eigenvectors: g = P^T G Q; one step of Adam
// with g, whose moments m and v live in these bases, gives the direction d; W *= 1 - lr decay; W +=
// P d Q^T. In such a basis the numbers of a gradient are nearly independent, so that Adam's root of
// v is close to the inverse root of the whole matrix of second moments.
//
// Before the second step and every `interval` steps after it the bases follow: P becomes the
// orthonormal factor of (L + 1e-4 tr(L)/R) P, columns in the order of their eigenvalues, one step
// of the QR iteration; Q likewise. (What is added keeps directions that no gradient had yet.) With
// A = P_old^T P_new and B = Q_old^T Q_new the moments go along: m becomes A^T m B, and v (A*A)^T v
// (B*B) by squares of elements, exact where the rotated numbers are uncorrelated, with mean 0.
// Bases begin as the identity, and a side longer than `longest_side` keeps it. The host does this,
// in double, in set_step(), whether or not the step will be made: on a device it fetches the
// matrices then, and at no other step.
//
// Source: Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam", ICLR 2025; there m
// stays in the space of W and v is only reordered. Tensors with fewer than two axes, and those that
// do not decay, take AdamW's own step. The same bits on any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/optimizer/matrices.h"

namespace arbg::nn {

struct SoapOptions {
  AdamWOptions matrices = {0.95, 0.95, 1e-8, 0.01};  // beta2 is also of L and S
  std::int64_t interval = 10, longest_side = 1024;
  AdamWOptions others;
};

class Soap : public Optimizer {
 public:
  Soap(const std::vector<Parameter>& parameters, SoapOptions options);

  void set_step(double learning_rate, std::int64_t step) override;
  void update(std::span<const Tensor> gradients, const Tensor& scale) override;

  // First moments: m, and AdamW's. Second moments: v, AdamW's, and of each matrix NAME the averages
  // and bases "NAME.row_squares", "NAME.row_basis", "NAME.column_squares", "NAME.column_basis".
  NamedTensors first_moments() const override;
  NamedTensors second_moments() const override;
  void load(const NamedTensors& first, const NamedTensors& second) override;

 private:
  // One side of a matrix; undefined tensors if it is too long.
  struct Side {
    Tensor squares, basis;
  };
  struct Matrix {
    Parameter parameter;
    std::size_t index;  // among all parameters
    Tensor first, second;
    Side rows, columns;
  };

  void follow_all();
  template <class Visit>
  static void for_each_side(const Matrix& matrix, const Visit& visit);

  SoapOptions options_;
  std::vector<Matrix> matrices_;
  AdamWOfOthers others_;
  Tensor adam_, decay_, share_;  // numbers of the step: of Adam, of the weight, of L and S
};

}  // namespace arbg::nn
