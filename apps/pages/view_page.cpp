#include "apps/pages/view_page.h"

#include "apps/pages/viewer.h"
#include "metrics/format_number.h"
#include "metrics/pages/report.h"

namespace arbg::apps {

void write_view_page(const std::filesystem::path& path, const View& view) {
  metrics::Report report(view.title, view.subtitle);
  report.add_markup(viewer(view));
  std::string said;
  for (const auto& note : view.notes) said += note + (note.ends_with('.') ? " " : ". ");
  report.add_paragraph(said + "Numbers count from 0. Conformations are laid over " +
                       view.reference_name +
                       ", heavy atom by heavy atom. Positions are rounded to " +
                       metrics::format_number(1000 * position_error_nm(view), 2) + " pm.");
  if (!view.roll_outs.empty())
    report.add_paragraph(
        "A roll-out draws one coordinate after another. Beside each stands the network's own "
        "distribution over its bins, given all before it. Where the network is told placement "
        "energies, the dashed line is what these alone would give. Coordinates that no force "
        "field term ties to the atoms before have no such line.");
  report.save(path);
}

}  // namespace arbg::apps
