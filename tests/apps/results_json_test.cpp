// How figures and their intervals stand in evaluation.json.
#include "apps/runs/results_json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace arbg::apps {

TEST_SUITE("fast") {
  TEST_CASE("a figure stands beside its interval, null without one, in words where infinite") {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Json json = Json::object();
    add_figure(json, "known", {1, 0.5, 2});
    add_figure(json, "alone", {1, std::nan(""), std::nan("")});
    add_figure(json, "empty", {kInfinity, 4, kInfinity});
    add_figure(json, "below", {-kInfinity, -kInfinity, 4});
    CHECK(json["known"].number() == 1);
    CHECK(json["known_interval"].dump() == "[0.5, 2]");
    CHECK(json["alone"].number() == 1);
    CHECK(json["alone_interval"].is_null());
    CHECK(json["empty"].string() == "infinite");
    CHECK(json["empty_interval"].dump() == "[4, \"infinite\"]");
    CHECK(json["below_interval"].dump() == "[\"-infinite\", 4]");
  }
}

}  // namespace arbg::apps
