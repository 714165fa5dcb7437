// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compress/plan/plan.h"

namespace convoy::compress {

/// How a layer travels; layers of a bucket that travel alike share their collectives.
enum class Carriage : std::uint8_t { kDense, kHalf, kCompressed };

/// What one level of one layer costs a rank in a step.
struct LevelTime {
  double codec_seconds = 0.0;  ///< encoding and decoding
  double wire_bytes = 0.0;     ///< sent
  Carriage carriage = Carriage::kDense;
};

/// One layer of a table: the same levels, in the same order.
struct LayerTimes {
  std::size_t bucket = 0;
  std::vector<LevelTime> levels;
};

/// What is known of the ranks and of the line between them.
struct StepModel {
  /// When each bucket is complete, in seconds since backward began, in the order of sending.
  std::vector<double> ready;
  double latency = 0.0;           ///< seconds of a collective of a few bytes
  double seconds_per_byte = 0.0;  ///< of the bytes that a rank sends
  double cpu_per_byte = 0.0;      ///< CPU seconds of them, which backward lacks
};

/// Seconds from the beginning of backward until every gradient is averaged: buckets wait for their
/// gradients and for those before them, and what codecs and sending take of the CPU is missing in
/// backward, as one core does it all. Pure. @param levels  index of each layer's level.
[[nodiscard]] double predicted_seconds(const std::vector<LayerTimes>& times, const StepModel& model,
                                       const std::vector<std::size_t>& levels);

/// One level per layer: few predicted seconds with total error <= max_error. Never more of them
/// than the plan of the fewest bytes, or than the last level (dense) everywhere. A search, not a
/// proof: bytes are priced by whether they are hidden behind backward, layers are then changed one
/// at a time. The same numbers give the same plan on every machine. Pure.
/// @param times  [layers], of the same levels as `table`.
/// @throws as lgreco(); ContractError where `times` does not fit `table`.
[[nodiscard]] Choice fastest(const Table& table, const std::vector<LayerTimes>& times,
                             const StepModel& model, double max_error, ErrorMetric metric);

}  // namespace convoy::compress
