// Sums over the positions of rows, some rows at a time: how likelihoods of any number of molecules
// are computed.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor/device/device.h"

namespace arbg::nn {

// Of `count` rows: terms(first, rows) are those of rows first, first + 1, ... [rows, n], at most
// `micro_batch` of them; it is called in parallel where the device is the host. Each row is summed
// in double, in the order of its positions: the same numbers for any number of threads. Once stop()
// is true, rows that have not begun stay 0.
std::vector<double> row_sums(
    tensor::Device device, std::int64_t count, std::int64_t micro_batch,
    const std::function<std::vector<double>(std::int64_t first, std::int64_t rows)>& terms,
    const std::function<bool()>& stop = {});

}  // namespace arbg::nn
