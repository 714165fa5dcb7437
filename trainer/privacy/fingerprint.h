// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "trainer/data/dataset.h"

namespace convoy::trainer::privacy {

/// Names a site's records in its ledger: a hash of what they hold, in this order. Reads them once.
/// Not cryptographic: it keeps a site from mistakes, not from cheating itself.
[[nodiscard]] std::string fingerprint(const Dataset& dataset,
                                      std::span<const std::int64_t> samples);

}  // namespace convoy::trainer::privacy
