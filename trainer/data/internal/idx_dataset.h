// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/data_config.h"
#include "trainer/data/internal/image_set.h"

namespace convoy::trainer::internal {

/// Reads Fashion-MNIST, or anything else in MNIST's four files, from the folder `config.path`
/// (empty: where Debian's dataset-fashion-mnist puts it). `limit`: only the first so many; 0: all.
/// IDX: a magic number (0x0801 labels, 0x0803 images), the sizes of all dimensions, the bytes; all
/// numbers 32 bits, big-endian.
/// @throws ConfigError one line that names the file. A file whose size does not fit its header is
///         found also with a limit.
[[nodiscard]] ImageSet read_idx_images(const DataConfig& config, Part part, std::int64_t limit);

}  // namespace convoy::trainer::internal
