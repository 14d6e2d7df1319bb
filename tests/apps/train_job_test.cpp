#include "apps/jobs/train_job.h"

#include <doctest/doctest.h>

#include "apps/jobs/train_run.h"
#include "apps/runs/model_file.h"
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

  TEST_CASE("a device gets a batch as one, in passes that suit it, and no molecules") {
    TrainJob host, device;
    device.backend = Backend::cuda;
    set_recommended(host);
    set_recommended(device);
    CHECK(host.trainer.shards > 1);
    CHECK(host.trainer.micro_batch > 0);
    CHECK(device.trainer.shards == 1);
    CHECK(device.trainer.micro_batch == 0);
    CHECK(backend_of_molecules(Backend::cuda) == Backend::cpu);
    CHECK(backend_of_molecules(Backend::cpu) == Backend::cpu);
    CHECK(backend_of_molecules(Backend::reference) == Backend::reference);
  }

  TEST_CASE("a run whose passes suited its device goes on, one of other passes does not") {
    TrainJob job;
    job.network.set_cartesian(2);
    job.trainer.total_steps = 5;
    nn::Checkpoint saved;
    saved.config = job.network;
    saved.trainer = Json::object();
    job.trainer.micro_batch = 107;
    saved.trainer["options"] = job.trainer.to_json();
    job.trainer.micro_batch = 0;
    CHECK_NOTHROW(require_same_run(saved, job, saved.description, job.network));
    job.trainer.micro_batch = 16;
    CHECK_THROWS_WITH_AS(require_same_run(saved, job, saved.description, job.network),
                         doctest::Contains("micro_batch is 107 there and 16 here"), Error);
  }
}

}  // namespace arbg::apps::test
