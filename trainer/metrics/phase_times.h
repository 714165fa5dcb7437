// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/timeline.h"

namespace convoy::trainer {

/// Seconds by phase.
using PhaseSeconds = std::array<double, kPhases>;

/// How long each span lasted; from one of the computing thread what lies inside it is taken off, so
/// that each moment of that thread counts once. Pure; O(n log n).
[[nodiscard]] std::vector<double> own_seconds(std::span<const Timeline::Span> spans);

/// The same by phase; where collectives overlap, their time counts once.
[[nodiscard]] PhaseSeconds phase_seconds(std::span<const Timeline::Span> spans);

}  // namespace convoy::trainer
