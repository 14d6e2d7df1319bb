// One line of an audit: what must hold, the number that says how well it does, and the verdict.
//
// A check never runs the code that it judges to find the right answer: that comes from plain loops,
// finite differences or the reference backend. `measured` and `bound` have the unit that the name
// gives; a measured NaN fails.
#pragma once

#include <string>

namespace arbg::sampling {

enum class Verdict {
  pass,
  fail,
  warning,     // nothing is wrong, but figures mean less than they seem
  information  // not judged
};

struct Check {
  std::string name;
  double measured = 0, bound = 0;
  Verdict verdict = Verdict::information;
  std::string note;  // how much was looked at, or where it is worst
};

// pass if measured <= bound; otherwise fail.
inline Check judged(std::string name, double measured, double bound, std::string note) {
  const Verdict verdict = measured <= bound ? Verdict::pass : Verdict::fail;
  return {std::move(name), measured, bound, verdict, std::move(note)};
}

// The larger one; a NaN counts as infinity, and so does anything against it.
double worse(double largest, double value);

}  // namespace arbg::sampling
