#include "apps/cli/common_options.h"

#include <cstdio>

#include "tensor/base/error.h"
#include "tensor/base/threads.h"
#include "tensor/device/available.h"
#include "tensor/gemm/precision.h"

namespace arbg::apps {

namespace {

Backend chosen_backend(const Arguments& arguments) {
  const std::string name = arguments.text("backend");
  if (name == "auto") {
    if (!tensor::why_absent(Backend::cuda).empty()) return Backend::cpu;
    std::fprintf(stderr, "backend cuda: %s\n", tensor::device_name({Backend::cuda}).c_str());
    return Backend::cuda;
  }
  const Backend backend = backend_named(name);
  const std::string reason = tensor::why_absent(backend);
  require(reason.empty(), reason);
  return backend;
}

}  // namespace

CommonOptions apply_common_options(const Arguments& arguments) {
  CommonOptions out;
  if (arguments.knows("seed")) out.seed = arguments.natural("seed");
  if (arguments.knows("backend")) out.backend = chosen_backend(arguments);
  if (arguments.knows("products")) {
    const auto precision = tensor::product_precision_named(arguments.text("products"));
    const bool may_be_cuda = out.backend == Backend::cuda || arguments.text("backend") == "auto";
    require(precision == tensor::ProductPrecision::float32 || may_be_cuda ||
                (precision == tensor::ProductPrecision::bf16 && out.backend == Backend::cpu),
            "--products ", arguments.text("products"), " is not for --backend ",
            arguments.text("backend"),
            ": cuda computes products in float32, tf32 and bf16, cpu in float32 and bf16");
    tensor::set_product_precision(precision);
  }
  out.json = arguments.flag("json");
  if (arguments.knows("threads") && arguments.given("threads")) {
    set_thread_count(static_cast<int>(arguments.integer("threads", 1, 4096)));
  }
  return out;
}

}  // namespace arbg::apps
