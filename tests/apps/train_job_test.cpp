#include "apps/jobs/train_job.h"

#include <doctest/doctest.h>

#include "tensor/base/error.h"

namespace arbg::apps::test {

TEST_SUITE("fast") {
  TEST_CASE("published networks have their published sizes") {
    struct Published {
      const char* name;
      std::int64_t channels, layers, heads, bins;
      double dropout;
    };
    for (const Published& row : {Published{"base", 256, 8, 8, 4096, 0},
                                 {"medium", 512, 12, 8, 8192, 0},
                                 {"large", 768, 16, 12, 8192, 0.1}}) {
      CAPTURE(row.name);
      TrainJob job;
      set_network(job, row.name);
      CHECK(job.network.channels == row.channels);
      CHECK(job.network.num_layers == row.layers);
      CHECK(job.network.num_heads == row.heads);
      CHECK(job.network.num_bins == row.bins);
      CHECK(job.network.dropout == row.dropout);
      CHECK(job.trainer.learning_rate == 5e-4);
    }
    TrainJob job;
    CHECK_THROWS_AS(set_network(job, "huge"), Error);
  }
}

}  // namespace arbg::apps::test
