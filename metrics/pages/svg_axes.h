// Axes of a plot: the range they span, where their ticks are and what the ticks say.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace arbg::metrics {

struct Axis {
  std::string label;               // with its unit: "reduced energy (kT)"
  bool logarithmic = false;        // values that are not positive are then left out
  std::optional<double> low = {};  // the range; what is not given follows the data
  std::optional<double> high = {};
  double tick_step = 0;  // 0: chosen; 90 suits angles in degrees
};

struct Tick {
  double value;
  std::string label;
};

// Maps the values of one axis to positions from 0 (low) to 1 (high).
class Scale {
 public:
  // A range that is empty, reversed or not finite is replaced by the smallest sensible one around
  // it.
  Scale(const Axis& axis, double low, double high);

  double low() const { return low_; }
  double high() const { return high_; }
  bool shows(double value) const;            // finite, and positive on a logarithmic axis
  double position(double value) const;       // not limited to [0, 1]
  std::vector<Tick> ticks(int about) const;  // ascending, inside the range; about so many

 private:
  std::vector<Tick> linear_ticks(int about) const;
  std::vector<Tick> decade_ticks(int about) const;
  bool logarithmic_;
  double tick_step_, low_, high_;
};

}  // namespace arbg::metrics
