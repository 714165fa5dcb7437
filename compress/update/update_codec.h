// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compress/codec/codec.h"
#include "compress/compression_config.h"
#include "compress/level.h"
#include "compress/plan_request.h"

namespace convoy::compress {

/// One named tensor of an update.
struct UpdateLayer {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t numel = 0;
};

/// Turns an update (all layers, one after the other, as float32) into bytes and back, every layer
/// at a level of its own that travels in the payload. With policy "lgreco" the levels are planned
/// on the very values that are encoded; so the receiver needs no plan. Layers of one dimension,
/// below min_numel, or excluded by name are sent dense. Stateless; any thread.
///
/// Wire layout, little-endian: u32 magic, u32 version, u64 hash of names and sizes; then for every
/// layer f64 level (infinity: dense), u64 bytes, and as many bytes of the codec's payload.
class UpdateCodec {
 public:
  /// @param config  of families "none" (everything dense), "half", "quantize" or "top_k".
  /// @throws ConfigError for power_sgd, which has no codec, and as check(config).
  UpdateCodec(const CompressionConfig& config, std::vector<UpdateLayer> layers);

  /// Values of an update.
  [[nodiscard]] std::int64_t numel() const { return numel_; }
  /// Size of the payload if every layer is dense.
  [[nodiscard]] std::size_t dense_bytes() const;

  /// @param key  of the random numbers of stochastic rounding.
  /// @throws ContractError unless there are numel() values.
  [[nodiscard]] std::vector<std::byte> encode(std::span<const float> values,
                                              std::uint64_t key) const;
  /// out[i] += scale * decoded value i. @throws PayloadError; `out` is then unspecified, never
  /// overrun: lengths, levels and payloads are checked.
  void add_decoded(std::span<const std::byte> payload, float scale, std::span<float> out) const;
  /// The levels of a payload, one a layer. @throws PayloadError.
  [[nodiscard]] std::vector<Level> levels(std::span<const std::byte> payload) const;

 private:
  [[nodiscard]] std::vector<Level> plan(std::span<const float> values) const;
  template <typename Visit>
  void for_each_layer(std::span<const std::byte> payload, Visit&& visit) const;

  CompressionConfig config_;
  PlanRequest request_;
  std::vector<UpdateLayer> layers_;
  std::vector<bool> compresses_;  // [layers]
  std::int64_t numel_ = 0;
  std::uint64_t layout_hash_ = 0;
  std::shared_ptr<const Codec> codec_;  // null: everything dense
};

}  // namespace convoy::compress
