// GCC 12.2 with AVX-512 turned these initialisers into {2, 2, 2, 2} and {1, 1, 1, 1}: see
// arbg_options.
#include <doctest/doctest.h>

#include <span>
#include <vector>

namespace {

[[gnu::noinline]] double sum_of_products(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

TEST_SUITE("fast") {
  TEST_CASE("the compiler fills neighbouring constant arrays with their own numbers") {
    const std::vector<double> p{2, 2, 0, 0}, q{0, 0, 1, 3}, r{1, 1, 0, 0}, s{1, 1, 1, 1};
    CHECK(sum_of_products(p, r) == 4);
    CHECK(sum_of_products(p, q) == 0);
    CHECK(sum_of_products(p, s) == 4);
    CHECK(sum_of_products(s, q) == 4);
  }
}
