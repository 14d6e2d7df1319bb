// The density of coordinates, given what a network puts out at their positions.
//
// A network (transformer.h) has a position for each coordinate. It is fed with an embedding of the
// coordinate before, and puts out P numbers, the parameters of the distribution of its own:
//
//   q(z) = exp(-log_volume()) prod_j p(z_j; parameters_j),   parameters_j of z_0 ... z_{j-1} alone
//
// What embeddings are and what parameters mean is a head's to say: bins (binned.h), later mixtures
// of densities on the line. p is a density up to a constant of the coordinate, the unit in which
// likelihoods are trained and reported; for bins p is the probability of a cell, and log_volume()
// the log of the volume of K such cells; where p is itself a density, log_volume() is 0. A head may
// be drawn from with another p than the one that is trained (draws_as_trained()): each is a density
// of the same coordinates. Likelihoods in the loss, and figures in nats, are of the one that is
// trained; the variance term compares the other with the target.
//
// A head learns nothing: what is learned is the network's, which lends its input table. One head
// serves all replicas of a network, and several threads at a time.
//
// z [B, n] are coordinates first ... first + n - 1 of B rows, in double and in the host's memory
// (tensors of the reference backend; host_rows()), wherever the network is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "nn/transformer/transformer.h"
#include "tensor/base/random.h"
#include "tensor/ops/draw.h"

namespace arbg::nn {

using tensor::Decoding;

// The random numbers of the rows of a batch: coordinate j of row b has the words first + j step + b
// stride and the next, kWords in all.
struct RowRandom {
  static constexpr std::uint64_t kWords = 2;
  const Random& random;
  tensor::DrawWords words;

  double uniform(std::int64_t row, std::int64_t j, std::uint64_t word) const {
    return random.uniform(words.first + static_cast<std::uint64_t>(j) * words.step +
                          static_cast<std::uint64_t>(row) * words.stride + word);
  }
};

// Coordinates as they were drawn, where the network is: nobody has waited for them yet.
struct PendingDraw {
  Tensor value;  // [B] of one coordinate, or [n, B]; what it means is the head's to say
  Tensor log_p;  // f64, log p of the very distribution that was drawn from, but for what read()
                 // adds of the place within a bin
  Tensor slope;  // f64, of the density within the bin (within_bins.h); undefined: uniform
};

struct DrawnCoordinates {
  std::vector<double> z, log_p;  // [n, B]
};

// Whole rows of coordinates in the form in which a head reads them, where the network is.
struct EncodedRows {
  Tensor before;      // what each position is fed with
  Tensor own;         // its own coordinate
  Tensor outside;     // real [B, n], 0 or -infinity: where it is outside; undefined: nowhere
  Tensor one_column;  // what smoothing_term() needs, undefined without it
  Tensor within;      // f64 [B, n], places within sloped bins (within_bins.h); undefined: none are
  PlacementRows placement;
  Tensor coordinates;  // f64 [B, n], instead of `placement` where energies are computed from them
};

class Head {
 public:
  virtual ~Head() = default;

  virtual std::int64_t coordinates() const = 0;            // K
  virtual std::int64_t parameters_a_position() const = 0;  // P
  virtual double log_volume() const = 0;                   // of all K coordinates
  virtual bool draws_as_trained() const { return true; }   // Decoding{}

  // Whether p may be above 0 at a value of coordinate j: the support, without a network.
  virtual bool inside(std::int64_t j, double z) const = 0;
  // The same of the first coordinates of a row.
  bool inside(std::span<const double> z) const;

  // What positions first ... first + n - 1 are fed with, [B, n, C]: before [B, n] holds the
  // coordinate before each; position 0 is told that it is the first, whatever stands there. table
  // [rows, C]: Transformer::input_table(). A coordinate outside has some embedding.
  virtual Variable embed(const Variable& table, const Tensor& before, std::int64_t first) const = 0;

  // log p [B, n] from parameters [B, n, P], in the number type of the network; -infinity outside.
  virtual Variable log_p(const Variable& parameters, const Tensor& z, std::int64_t first) const = 0;

  // The same in two steps, so that the second can be repeated as one graph (device/repeated.h):
  // rows are encoded, and what they hold is embedded and weighed without looking at a number.
  // input_rows: of the table. smooths: for smoothing_term(), too.
  virtual EncodedRows encode(const Tensor& z, std::int64_t input_rows, Backend backend,
                             bool smooths) const = 0;
  virtual Variable embed(const Variable& table, const EncodedRows& rows) const = 0;
  virtual Variable log_p(const Variable& parameters, const EncodedRows& rows) const = 0;

  // Of sums log_q f64 [B] of log p over the first count [B] positions of each row, those of draws
  // at Decoding{}: log_q itself where these are as trained. Has no gradient.
  virtual Tensor log_drawn(const Tensor& log_q, const Tensor& parameters, const EncodedRows& rows,
                           const Tensor& count) const;

  // Where energies of bins come from (transformer/placement.h); null: nowhere.
  virtual const Placement* placement() const { return nullptr; }
  // What they tell of positions first ... first + n - 1; z holds the coordinates before.
  PlacementRows placement_rows(const Tensor& z, std::int64_t first, std::int64_t n,
                               Backend backend) const;
  // The same of encoded rows.
  PlacementRows placement_rows(const EncodedRows& rows) const;

  // log p [B * n] of exactly what draw() draws from, in double. Throws Error if the parameters are
  // those of no distribution (not finite).
  virtual std::vector<double> log_p(const Tensor& parameters, const Tensor& z, std::int64_t first,
                                    const Decoding& decoding) const = 0;

  // The coordinate at place [1] (tensor/ops/place.h) of each row from parameters [B, P] of its
  // position; what the next position is fed with, [B, 1, C]; and, with the same random numbers,
  // coordinates first ... first + n - 1 themselves, which waits for the device. read() throws Error
  // if the parameters were those of no distribution.
  virtual PendingDraw draw(const Tensor& parameters, const Tensor& place, const Decoding& decoding,
                           const RowRandom& random) const = 0;
  virtual Variable embed(const Variable& table, const PendingDraw& before) const = 0;
  // Tells rows that grow of the coordinate at place.
  virtual void tell(GrowingPlacement& placement, const PendingDraw& drawn, const Tensor& place,
                    const RowRandom& random) const = 0;
  virtual DrawnCoordinates read(const PendingDraw& drawn, std::int64_t first,
                                const RowRandom& random) const = 0;

  // S [B, n] of label_smoothing.h; -infinity outside, as log_p. Throws Error where a head has no
  // labels.
  virtual Variable smoothing_term(const Variable& parameters, const EncodedRows& rows) const;

  // Throws Error unless the network has a position for every coordinate and P outputs.
  void require_fits(const TransformerConfig& config) const;
};

// Rows of z [B * n] as a tensor [B, n].
Tensor host_rows(std::span<const double> z, std::int64_t n);

// The network's outputs [B, n, P] for rows of z, from the first position on: the parameters of
// every coordinate's distribution, given those before.
Variable parameters_of(const Transformer& network, const Head& head, const Tensor& z,
                       const Molecules& molecules = {},
                       const std::optional<DropoutKey>& dropout = {});

// sum_j log p of rows of z, zero for padding, in double, a few rows at a time and in parallel; the
// same numbers for any thread count. Without a decoding p is the network's as it trains, and with
// one that of draw(), the same bits on the reference backend. Records no graph. Once stop() is
// true, rows that have not begun stay 0.
std::vector<double> log_likelihood(const Transformer& network, const Head& head, const Tensor& z,
                                   const Molecules& molecules = {},
                                   const std::optional<Decoding>& decoding = {},
                                   const std::function<bool()>& stop = {});

}  // namespace arbg::nn
