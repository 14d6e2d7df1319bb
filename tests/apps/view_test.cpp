// The page of arbg view: what is in it are the samples, and the distributions of the model.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "apps/jobs/view_job.h"
#include "apps/pages/coordinate_words.h"
#include "apps/pages/view_page.h"
#include "apps/pages/viewer.h"
#include "md/forcefields/forcefield.h"
#include "metrics/weights/weights.h"
#include "tensor/base/error.h"
#include "tensor/base/files.h"
#include "tests/audit/small_runs.h"
#include "tests/md/error_message.h"

namespace arbg::apps {
namespace {

namespace fs = std::filesystem;

std::vector<int> words_of(const std::string& base64) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<int> bytes, words;
  unsigned held = 0, bits = 0;
  for (const char letter : base64) {
    if (letter == '=') break;
    held = held << 6 | static_cast<unsigned>(letters.find(letter));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<int>(held >> bits & 255u));
  }
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    words.push_back(bytes[i] + 256 * bytes[i + 1]);
  return words;
}

// The data of the only viewer of a page.
Json data_in(const std::string& page) {
  const std::string open = "<script type=\"application/json\">";
  const auto begin = page.find(open) + open.size();
  return Json::parse(page.substr(begin, page.find("</script>", begin) - begin), "data");
}

std::string page_of(const View& view) {
  const TemporaryFolder here;
  write_view_page(here.path() / "view.html", view);
  return read_file(here.path() / "view.html");
}

// The largest distance between positions in the page and those of the frames about their centres.
double worst_position(const Json& data, const std::string& base64,
                      std::span<const double> positions_nm) {
  const auto N = data.at("elements").items().size();
  const double unit = data.at("nm_per_unit").number();
  const auto words = words_of(base64);
  REQUIRE(words.size() == positions_nm.size());
  double worst = 0;
  for (std::size_t f = 0; f < words.size(); f += 3 * N) {
    for (std::size_t k = 0; k < 3; ++k) {
      double centre = 0;
      for (std::size_t i = 0; i < N; ++i)
        centre += positions_nm[f + 3 * i + k] / static_cast<double>(N);
      for (std::size_t i = 0; i < N; ++i) {
        const auto at = f + 3 * i + k;
        const int signed_word = words[at] < 32768 ? words[at] : words[at] - 65536;
        worst = std::max(worst, std::abs(signed_word * unit - (positions_nm[at] - centre)));
      }
    }
  }
  return worst;
}

ViewJob job_of(const fs::path& input) {
  ViewJob job;
  job.input = input;
  job.count = 40;
  return job;
}

// A model of Cartesian coordinates, told `bins`, beside the dynamics of the small run.
fs::path cartesian_samples(const TemporaryFolder& here, std::int64_t bins) {
  TrainJob train;
  train.output = here.path() / "model";
  train.coordinates = "cartesian";
  train.network.num_bins = bins;
  train.network.channels = 8;
  train.network.num_layers = 1;
  train.network.num_heads = 2;
  train.trainer.batch = 8;
  train.trainer.total_steps = 4;
  run_train_job(train, load_dataset(small_run().path() / "md"),
                RunFolder(train.output, RunKind::train));
  return train.output;
}

// Every distribution in the page sums to 1 within what `count` roundings leave, and log p of the
// drawn bins adds up to log q, with the densities within them.
void check_roll_outs(const Json& data, double log_q_bound) {
  const double nats = data.at("nats_per_unit").number();
  const auto columns = static_cast<std::size_t>(data.at("columns").integer());
  const auto log_width = numbers_of(data.at("coordinates").at("log_width"));
  REQUIRE_FALSE(data.at("roll_outs").items().empty());
  for (const Json& one : data.at("roll_outs").items()) {
    const auto log_p = numbers_of(one.at("log_p")), column = numbers_of(one.at("column")),
               log_drawn = numbers_of(one.at("log_drawn"));
    const auto units = words_of(one.at("probability").string());
    REQUIRE(units.size() == columns * log_p.size());
    double log_q = 0, worst_sum = 0, worst_bin = 0;
    for (std::size_t j = 0; j < log_p.size(); ++j) {
      log_q += log_drawn[j] - log_width[j];
      double sum = 0;
      for (std::size_t k = 0; k < columns; ++k) sum += std::exp(-nats * units[j * columns + k]);
      worst_sum = std::max(worst_sum, std::abs(sum - 1));
      const int drawn = units[j * columns + static_cast<std::size_t>(column[j])];
      worst_bin = std::max(worst_bin, std::exp(log_p[j]) - std::exp(-nats * drawn));
    }
    CHECK(worst_sum < nats);  // each is off by at most half a unit, relatively
    CHECK(worst_bin < nats);  // a column has at least the drawn bin
    CHECK(std::abs(log_q - one.at("log_q").number()) < log_q_bound);
    for (const int unit : words_of(one.at("placed").string())) CHECK(unit >= 0);
  }
}

TEST_SUITE("fast") {
  TEST_CASE("a page holds the samples that weights choose, to the resolution that it states") {
    const SamplesRun run = read_samples(small_run().path() / "samples");
    const View view = make_view(job_of(small_run().path()));
    const std::string page = page_of(view);
    const Json data = data_in(page);
    const Json& frames = data.at("frames");
    const auto weights = metrics::normalised_weights(run.log_weight);
    const auto shown = numbers_of(frames.at("weight")), energy = numbers_of(frames.at("energy")),
               log_q = numbers_of(frames.at("log_q"));
    CHECK(std::ranges::is_sorted(shown, std::greater<>{}));
    CHECK(shown.size() <= 40);
    std::vector<double> positions_nm;
    for (std::size_t f = 0; f < shown.size(); ++f) {
      const auto name = frames.at("names").items()[f].string();
      REQUIRE(name.starts_with("sample "));
      const auto i = static_cast<std::size_t>(std::stoul(name.substr(7)));
      CHECK(shown[f] == weights[i]);
      CHECK(energy[f] == run.reduced_energy[i]);
      CHECK(log_q[f] == run.log_q[i]);
      const auto begin = run.positions_nm.begin() + static_cast<std::ptrdiff_t>(i * 66);
      positions_nm.insert(positions_nm.end(), begin, begin + 66);
    }
    // Whoever has more than 1/40 of the weight is there.
    for (const double weight : weights)
      CHECK((weight <= 1.0 / 40 || std::ranges::find(shown, weight) != shown.end()));
    CHECK(worst_position(data, frames.at("positions").string(), positions_nm) <=
          position_error_nm(view) * (1 + 1e-9));
    CHECK(position_error_nm(view) < 1e-4);
  }

  TEST_CASE("roll-outs are samples of the run, and their distributions those of its model") {
    for (const auto* run : {&small_run(), &told_run()}) {
      const View view = make_view(job_of(run->path()));
      REQUIRE(view.roll_outs.size() == kRollOuts);
      const SamplesRun samples = read_samples(run->path() / "samples");
      for (const auto& one : view.roll_outs) {
        REQUIRE(one.name.starts_with("sample "));
        const auto i = static_cast<std::size_t>(std::stoul(one.name.substr(7)));
        CHECK(std::abs(one.log_q - samples.log_q[i]) < 1e-9);
      }
      const Json data = data_in(page_of(view));
      check_roll_outs(data, 1e-3);
      const auto curve = numbers_of(data.at("coordinates").at("curve"));
      const bool told = std::ranges::any_of(curve, [](double one) { return one >= 0; });
      CHECK(told == (run == &told_run()));
    }
  }

  TEST_CASE("a model without samples draws them; many bins share a column") {
    const TemporaryFolder here;
    ViewJob job = job_of(cartesian_samples(here, 600));
    job.roll_outs = 2;
    const View view = make_view(job);
    CHECK(view.of == 40);
    REQUIRE(view.roll_outs.size() == 2);
    const Json data = data_in(page_of(view));
    CHECK(data.at("bins_a_column").integer() == 3);
    CHECK(data.at("columns").integer() == 200);
    CHECK(data.at("coordinates").at("text").items()[4].string() == "y of CH3 (ACE1)");
    check_roll_outs(data, 1e-3);
    const auto& map = view.model->generator.map();
    for (const auto& one : view.roll_outs) {
      std::vector<double> decoded(66);
      map.decode(one.z, decoded);
      CHECK(decoded == one.positions_nm);
    }
  }

  TEST_CASE(
      "samples in memory are shown as those of their folder, and frames as those of dynamics") {
    SamplesRun run = read_samples(small_run().path() / "samples");
    ViewJob job = job_of(small_run().path() / "samples");
    job.roll_outs = 0;
    const View weighted = view_of_samples(run, 40), same = make_view(job);
    CHECK(weighted.frames.names == same.frames.names);
    CHECK(weighted.frames.positions_nm == same.frames.positions_nm);
    CHECK(weighted.reference_nm == same.reference_nm);
    CHECK(weighted.roll_outs.empty());
    run.file.weight_kind = sampling::WeightKind::none;
    run.file.replicas = 2;
    const View frames = view_of_samples(run, 4);
    const auto half = run.count() / 2;  // of either replica two, in time
    const auto name = [](std::int64_t frame) { return "frame " + std::to_string(frame); };
    CHECK(frames.frames.names ==
          std::vector<std::string>{name(0), name(half / 2 * 2), name(1), name(half / 2 * 2 + 1)});
    CHECK(frames.frames.weight.empty());
  }

  TEST_CASE("frames of dynamics are evenly spaced, those of a PDB file are its models") {
    const View dynamics = make_view(job_of(small_run().path() / "md"));
    CHECK(dynamics.frames.count() == 40);
    CHECK(dynamics.of == 32 * 40);
    CHECK(dynamics.frames.names[1] == "frame 1024");  // the same replica, 32 saves later
    CHECK(dynamics.frames.weight.empty());
    CHECK(dynamics.roll_outs.empty());
    const TemporaryFolder here;
    const auto pdb = here.path() / "few.pdb";
    md::write_pdb(pdb, dynamics.topology, std::span(dynamics.frames.positions_nm).first(3 * 66));
    const View models = make_view(job_of(pdb));
    CHECK(models.frames.names == std::vector<std::string>{"model 0", "model 1", "model 2"});
    ViewJob over = job_of(small_run().path() / "md");
    over.reference = pdb;
    CHECK(make_view(over).reference_name == "few.pdb");
    const Json data = data_in(page_of(models));
    CHECK(data.at("coordinates").is_null());
    CHECK_FALSE(data.at("frames").has("energy"));
  }

  TEST_CASE("a page is whole, refers to nothing outside, and stays small") {
    View view = make_view(job_of(told_run().path()));
    view.topology.atoms[3].name = "</script><b>";
    view.title = "<i>";
    const std::string page = page_of(view);
    for (const char* outside : {"http:", "https:", "//cdn", " src=", "@import", "url("})
      CHECK(page.find(outside) == std::string::npos);
    CHECK(page.find("</script><b>") == std::string::npos);
    CHECK(page.find("<i>") == std::string::npos);
    CHECK(data_in(page).at("names").items()[3].string() == "</script><b>");
    CHECK(page.ends_with("</html>\n"));
    for (const char* part : {"<section", "</section>", "<script>", "<canvas", "<noscript>"}) {
      const auto at = page.find(part);
      CHECK(at != std::string::npos);
      CHECK(page.find(part, at + 1) == std::string::npos);
    }
    CHECK(page.size() < 500'000);
  }

  TEST_CASE("a page of 300 conformations of 138 atoms is below half a megabyte") {
    View view;
    view.topology = md::Topology::from_sequence("GYDPETGTWG");
    REQUIRE(view.topology.atom_count() == 138);
    const auto system = md::ForceField::named("amber14-obc1").create_system(view.topology);
    view.reference_nm = md::ideal_geometry(view.topology, system);
    for (int f = 0; f < 300; ++f) {
      view.frames.names.push_back("frame " + std::to_string(f));
      view.frames.positions_nm.insert(view.frames.positions_nm.end(), view.reference_nm.begin(),
                                      view.reference_nm.end());
    }
    CHECK(page_of(view).size() < 500'000);
  }

  TEST_CASE("what cannot be viewed is refused by name") {
    const TemporaryFolder here;
    CHECK(error_message([&] {
            make_view(job_of(here.path()));
          }).find("expected a folder made by arbg sample, md, demo, refine or train") !=
          std::string::npos);
    ViewJob job = job_of(small_run().path() / "md");
    job.roll_outs = 1;
    CHECK(error_message([&] { make_view(job); }).find("roll-outs, and with them --model") !=
          std::string::npos);
    job = job_of(small_run().path() / "samples");
    job.model = here.path() / "nothing";
    CHECK(make_view(job).roll_outs.empty());
    job.roll_outs = 1;
    CHECK(error_message([&] { make_view(job); }).find("give it with --model") != std::string::npos);
  }

  TEST_CASE("coordinates have names that chemists know") {
    const auto topology = md::Topology::from_sequence("Ace-A-Nme");
    const auto system = md::ForceField::named("amber99sbildn-obc2").create_system(topology);
    const auto map = md::make_internal_map(topology, system, 300);
    std::vector<std::string> words;
    for (std::int64_t j = 0; j < map->size(); ++j)
      words.push_back(coordinate_words(*map, topology, j));
    const auto has = [&](const std::string& text) {
      INFO(text);
      CHECK(std::ranges::find(words, text) != words.end());
    };
    CHECK(words[0] == "length of the bond N–CA (ALA2)");
    CHECK(words[2] == "angle N–CA–C (ALA2)");
    has("ψ of ALA2, seen at O: dihedral N–CA–C–O (ALA2)");
    has("turn of CB about N–CA, from C (ALA2)");
    has("turn of C (ACE1) about CA–N, from H (ALA2)");
    has("angle N (ALA2)–C–O (ACE1)");
    // A longer chain has the torsions themselves.
    const auto longer = md::Topology::from_sequence("GAG");
    const auto tree = md::make_internal_map(
        longer, md::ForceField::named("amber14-obc1").create_system(longer), 310);
    words.clear();
    for (std::int64_t j = 0; j < tree->size(); ++j)
      words.push_back(coordinate_words(*tree, longer, j));
    has("ω of GLY1: dihedral CA–C (GLY1)–N–CA (ALA2)");
    has("φ of ALA2: dihedral C (GLY1)–N–CA–C (ALA2)");
  }
}

}  // namespace
}  // namespace arbg::apps
