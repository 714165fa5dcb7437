// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/models/model.h"

namespace convoy::trainer::privacy {

/// A model whose parameters are all that training makes of the data. @throws ConfigError that names
/// a buffer: BatchNorm's statistics (and whatever else is no parameter) are taken from the data and
/// would leave with the update as they are; and BatchNorm lets samples of a batch see each other.
void require_private(const Model& model);

/// Values of all parameters.
[[nodiscard]] std::int64_t numel_of(const Model& model);

}  // namespace convoy::trainer::privacy
