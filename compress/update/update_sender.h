// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compress/update/update_codec.h"

namespace convoy::compress {

/// A client's end of the uplink: what compression has left out of one update goes into the next.
/// Over any number of updates, sum of what the server decodes + residual = sum of the true updates,
/// to float32 rounding. Memory: the residual. One thread.
/// Paper: error feedback, arXiv:1901.09847.
class UpdateSender {
 public:
  /// `codec` must outlive it. @param seed  of stochastic rounding, the client's own.
  UpdateSender(const UpdateCodec& codec, std::uint64_t seed);

  /// The payload of delta + residual. @param round  counts the client's updates.
  [[nodiscard]] std::vector<std::byte> send(std::span<const float> delta, std::int64_t round);
  /// The server has refused this payload of send(): what it held goes out with the next update.
  void take_back(std::span<const std::byte> payload);

  /// What is owed; for checkpoints.
  [[nodiscard]] const std::vector<float>& residual() const { return residual_; }
  /// @throws ConfigError unless there are as many values as the codec's.
  void restore(std::vector<float> residual);

 private:
  const UpdateCodec& codec_;
  std::uint64_t seed_;
  std::vector<float> residual_;
};

}  // namespace convoy::compress
