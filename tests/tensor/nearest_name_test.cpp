#include "tensor/base/nearest_name.h"

#include <doctest/doctest.h>

namespace arbg {

TEST_SUITE("fast") {
  TEST_CASE("the nearest name is the one at the smallest edit distance, and none if all are far") {
    CHECK(nearest_hint("hed_dim", {"channels", "head_dim", "input_dim"}) ==
          "; the nearest name is \"head_dim\"");
    CHECK(nearest_name("trian", {"sample", "train", "info"}) == "train");
    CHECK(nearest_name("ab", {"bb", "aa"}) == "bb");  // the first of equals
    CHECK(nearest_hint("abc", {"cab", "abd"}) == "; the nearest name is \"abd\"");
    CHECK(nearest_name("md", {"ce"}).empty());
    CHECK(nearest_hint("tokens", {"blocks.0.norm1.weight"}).empty());
    CHECK(nearest_hint("x", {}).empty());
    CHECK(nearest_hint(std::string(100000, 'x'), {std::string(100000, 'x')}).empty());
  }

  TEST_CASE("an edit adds, takes away or replaces a letter") {
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "abc") == 0);
    CHECK(edit_distance("kitten", "sitting") == 3);
  }
}

}  // namespace arbg
