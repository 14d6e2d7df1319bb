#include "apps/jobs/train_job.h"

#include <doctest/doctest.h>

#include "apps/jobs/refine_job.h"
#include "apps/runs/computed_by.h"
#include "apps/runs/model_file.h"
#include "md/forcefields/forcefield.h"
#include "nn/files/checkpoint.h"
#include "tensor/base/error.h"
#include "tensor/gemm/tiles_bf16.h"
#include "tests/tensor/temporary_folder.h"

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

  TEST_CASE("a device trains on one shard, in passes of its own size, whichever command asks") {
    for (const auto backend : {Backend::cpu, Backend::cuda}) {
      TrainJob job;
      job.backend = backend;
      set_recommended(job);
      const bool on_host = backend == Backend::cpu;
      for (const auto& trainer : {job.trainer, RefineJob(backend).options.trainer}) {
        CHECK(trainer.shards == (on_host ? 8 : 1));
        CHECK(trainer.micro_batch == (on_host ? 8 : 0));
      }
    }
  }

  TEST_CASE("training is in bf16 where a cpu is fast with it, and goes on as it began") {
    using tensor::ProductPrecision;
    TemporaryFolder folder;
    TrainJob job;
    job.output = folder.path();
    job.resume = true;
    CHECK(recommended_products(job) ==
          (tensor::has_amx() ? ProductPrecision::bf16 : ProductPrecision::float32));
    job.backend = Backend::reference;
    CHECK(recommended_products(job) == ProductPrecision::float32);
    job.backend = Backend::cpu;

    nn::TransformerConfig small;
    small.set_cartesian(2);
    small.channels = 8;
    small.num_heads = 2;
    small.num_layers = 1;
    small.num_bins = 8;
    for (const auto begun : {ProductPrecision::float32, ProductPrecision::bf16}) {
      const tensor::WithPrecision with(begun);
      nn::Checkpoint checkpoint;
      checkpoint.config = small;
      checkpoint.weights = nn::Transformer(small, job.backend, 1).values();
      checkpoint.description["coordinate_map"] = Json::object();
      checkpoint.trainer = Json::object();
      checkpoint.trainer["options"] = Json::object();
      add_computed_by(checkpoint.description, job.backend);
      checkpoint.write(folder.path() / "checkpoint.safetensors");
      CHECK(recommended_products(job) == begun);
    }
  }

  TEST_CASE("a model of rings keeps what it was told of them, and so does one that was not") {
    Dataset data;
    data.forcefield = "amber14-obc1";
    data.temperature_kelvin = 310;
    data.topology = md::Topology::from_sequence("Ace-F-Nme");
    const auto system = md::ForceField::named(data.forcefield).create_system(data.topology);
    const auto map = md::make_internal_map(data.topology, system, data.temperature_kelvin);
    nn::TransformerConfig config;
    config.placement.emplace();
    const auto told_of_bonds = [&](const Json& description) {
      const auto placement = placement_of(description, data.topology, *map, config);
      std::int64_t bonds = 0;
      for (std::int64_t j = 0; j < map->size(); ++j)
        bonds +=
            map->coordinates()[static_cast<std::size_t>(j)].kind == 0 && placement->has_curve(j);
      return bonds;
    };
    const Json now = describe_model(data, *map, config);
    CHECK(now.at(kRingClosures).items().size() > 4);
    CHECK(told_of_bonds(now) == 2);
    CHECK(describe_model(data, *map, config, &now).dump() == now.dump());
    // A run from before has its radii alone.
    Json before = Json::object();
    before[kBornRadii] = now.at(kBornRadii);
    const Json goes_on = describe_model(data, *map, config, &before);
    CHECK_FALSE(goes_on.has(kRingClosures));
    CHECK(told_of_bonds(goes_on) == 0);
  }

  TEST_CASE("a run says what its products are if they are rounded, and whether it is on cuda") {
    const auto said = [](Backend backend) {
      Json run = Json::object();
      add_computed_by(run, backend);
      return run.dump();
    };
    CHECK(said(Backend::cpu) == "{}");
    CHECK(said(Backend::reference) == "{}");
    tensor::set_product_precision(tensor::ProductPrecision::bf16);
    const std::string in_bf16 = said(Backend::cuda);
    const std::string on_the_host = said(Backend::cpu);
    CHECK(said(Backend::reference) == "{}");
    CHECK(products_of(Backend::reference) == "float32");
    tensor::set_product_precision(tensor::ProductPrecision::float32);
    CHECK(on_the_host == R"({"products": "bf16"})");
    CHECK(in_bf16 == R"({"backend": "cuda", "products": "bf16"})");
    CHECK(said(Backend::cuda) == R"({"backend": "cuda", "products": "float32"})");
  }
}

}  // namespace arbg::apps::test
