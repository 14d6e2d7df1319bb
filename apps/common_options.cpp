#include "apps/common_options.h"

#include "tensor/base/error.h"
#include "tensor/base/threads.h"

namespace arbg::apps {

CommonOptions apply_common_options(const Arguments& arguments) {
  CommonOptions out;
  const std::int64_t seed = arguments.integer("seed");
  require(seed >= 0, "--seed expects a number from 0 up, got ", seed);
  out.seed = static_cast<std::uint64_t>(seed);
  out.backend = tensor::backend_named(arguments.text("backend"));
  out.json = arguments.flag("json");
  if (arguments.given("threads")) {
    const std::int64_t threads = arguments.integer("threads");
    require(threads >= 1 && threads <= 4096, "--threads expects a number from 1 up, got ", threads);
    set_thread_count(static_cast<int>(threads));
  }
  return out;
}

}  // namespace arbg::apps
