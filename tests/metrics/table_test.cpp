// Text tables line up and numbers read well.
#include "metrics/pages/table.h"

#include <doctest/doctest.h>

#include <limits>

#include "tensor/base/error.h"

using namespace arbg;
using namespace arbg::metrics;

TEST_SUITE_BEGIN("fast");

TEST_CASE("columns are as wide as their widest cell, counted in letters") {
  Table table({"quantity", "value", "note"}, {Align::left, Align::right, Align::left});
  table.add_row({"φψ", "0.21", "kT"});
  table.add_row({"log Z", "-131.4"});
  CHECK(table.text() ==
        "quantity   value  note\n"
        "--------  ------  ----\n"
        "φψ          0.21  kT\n"
        "log Z     -131.4\n");
}

TEST_CASE("by default the first column is left-aligned and the others right-aligned") {
  Table table({"a", "b"});
  table.add_row({"long", "longer"});
  table.add_row({"x", "y"});
  CHECK(table.text() ==
        "a          b\n"
        "----  ------\n"
        "long  longer\n"
        "x          y\n");
}

TEST_CASE("rows that do not fit are refused") {
  Table table({"a"});
  CHECK_THROWS_AS(table.add_row({"1", "2"}), Error);
  CHECK_THROWS_AS(Table({"a"}, {Align::left, Align::left}), Error);
}

TEST_CASE("numbers have the digits asked for") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(format_number(0) == "0");
  CHECK(format_number(3.14159) == "3.142");
  CHECK(format_number(-131.4267) == "-131.4");
  CHECK(format_number(0.000123456, 3) == "0.000123");
  CHECK(format_number(9.9996) == "10.00");
  CHECK(format_number(123456, 3) == "123456");
  CHECK(format_number(2e-9, 2) == "2.0e-09");
  CHECK(format_number(1e12, 3) == "1.00e+12");
  CHECK(format_number(infinity) == "inf");
  CHECK(format_number(-infinity) == "-inf");
  CHECK(format_number(std::numeric_limits<double>::quiet_NaN()) == "n/a");
}

TEST_SUITE_END();
