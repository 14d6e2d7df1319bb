#include "apps/cli/common_options.h"

#include "tensor/base/threads.h"

namespace arbg::apps {

CommonOptions apply_common_options(const Arguments& arguments) {
  CommonOptions out;
  if (arguments.knows("seed")) out.seed = arguments.natural("seed");
  if (arguments.knows("backend")) out.backend = backend_named(arguments.text("backend"));
  out.json = arguments.flag("json");
  if (arguments.knows("threads") && arguments.given("threads")) {
    set_thread_count(static_cast<int>(arguments.integer("threads", 1, 4096)));
  }
  return out;
}

}  // namespace arbg::apps
