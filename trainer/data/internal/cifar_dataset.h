// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/data_config.h"
#include "trainer/data/internal/image_set.h"

namespace convoy::trainer::internal {

/// Reads the binary version of CIFAR-10 (data_batch_1..5.bin, test_batch.bin) or CIFAR-100
/// (train.bin, test.bin; the fine labels), as `config.name` says, from the folder `config.path` or
/// from the folder in it that the archive unpacks to. Each file may also be gzip'd.
/// Record: the label (CIFAR-100: coarse, then fine), then 1024 red, green and blue bytes each.
/// `limit`: only the first so many; 0: all.
/// @throws ConfigError one line that names the file. A file cut between two records passes: its
///         length is written nowhere.
[[nodiscard]] ImageSet read_cifar_images(const DataConfig& config, Part part, std::int64_t limit);

}  // namespace convoy::trainer::internal
