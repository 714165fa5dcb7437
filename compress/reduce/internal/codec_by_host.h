// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "compress/codec/codec.h"
#include "compress/reduce/executor.h"

namespace convoy::compress::internal {

/// A Codec of the host for values and payloads of an Executor elsewhere: every call copies there
/// and back.
class CodecByHost final : public PlacedCodec {
 public:
  /// Borrows `executor`.
  CodecByHost(Executor& executor, std::shared_ptr<const Codec> codec)
      : executor_(executor), codec_(std::move(codec)) {}

  std::size_t encode(std::span<const float> values, Level level, std::uint64_t seed,
                     std::span<std::byte> out) override;
  void decode(std::span<const std::byte> payload, std::span<float> out) override;
  void add_decoded(std::span<const std::byte> payload, float scale, std::span<float> out) override;
  std::vector<LevelCost> levels(std::span<const float> values,
                                std::span<const Level> candidates) override;

 private:
  [[nodiscard]] std::span<float> on_host(std::span<const float> values);
  [[nodiscard]] std::span<const std::byte> on_host(std::span<const std::byte> payload);

  Executor& executor_;
  std::shared_ptr<const Codec> codec_;  // shared with the family
  std::vector<float> values_;
  std::vector<std::byte> payload_;
};

}  // namespace convoy::compress::internal
