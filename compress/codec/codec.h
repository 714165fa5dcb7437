// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <variant>
#include <vector>

#include "base/half.h"
#include "compress/level.h"

namespace convoy::compress {

/// Bytes that are no payload of this codec: cut short, foreign, or damaged.
class PayloadError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What a codec reads: one layer, or a part of one, of any of these element types.
using Values =
    std::variant<std::span<const float>, std::span<const Half>, std::span<const BFloat16>>;

[[nodiscard]] std::int64_t numel(const Values& values);

/// Turns the values of one layer (or a chunk of it) into bytes and back. Stateless; any thread.
/// Public calls check and then call the private virtual ones. A payload describes itself: decoding
/// needs no level. The same values, level and seed give the same bytes on every machine.
class Codec {
 public:
  virtual ~Codec() = default;
  /// Name of the family, as job files spell it.
  [[nodiscard]] virtual std::string_view family() const = 0;
  /// @throws ContractError, saying what levels there are, unless `level` is one of them.
  virtual void check_level(Level level) const = 0;

  /// Largest payload, in bytes, that encode() can produce for `numel` values at `level`. Arithmetic
  /// only; exact beyond 2^31 values.
  [[nodiscard]] std::size_t max_bytes(std::int64_t numel, Level level) const;
  /// About how large a payload is, from its size and level alone: what planners and reports count
  /// with where payloads depend on values. Arithmetic only.
  [[nodiscard]] std::size_t typical_bytes(std::int64_t numel, Level level) const;
  /// Writes `values` into `out` and returns the bytes used. Values must be finite: others give
  /// some valid payload.
  /// @param seed  key of the random numbers of stochastic codecs.
  /// @param out   at least max_bytes().
  [[nodiscard]] std::size_t encode(Values values, Level level, std::uint64_t seed,
                                   std::span<std::byte> out) const;
  /// out[i] = decoded value i. @throws PayloadError; `out` is then unspecified, never overrun.
  void decode(std::span<const std::byte> payload, std::span<float> out) const;
  /// out[i] += scale * decoded value i. @throws as decode().
  void add_decoded(std::span<const std::byte> payload, float scale, std::span<float> out) const;
  /// The level table of `values`: for each candidate its payload bytes and its squared L2 error,
  /// in the order of `candidates`, which may hold dense (4 bytes a value, no error).
  [[nodiscard]] std::vector<LevelCost> levels(std::span<const float> values,
                                              std::span<const Level> candidates) const;

 private:
  [[nodiscard]] virtual std::size_t do_max_bytes(std::int64_t numel, Level level) const = 0;
  /// Default: the largest.
  [[nodiscard]] virtual std::size_t do_typical_bytes(std::int64_t numel, Level level) const {
    return do_max_bytes(numel, level);
  }
  [[nodiscard]] virtual std::size_t do_encode(Values values, Level level, std::uint64_t seed,
                                              std::span<std::byte> out) const = 0;
  virtual void do_decode(std::span<const std::byte> payload, std::span<float> out) const = 0;
  /// Default: decodes into a temporary.
  virtual void do_add_decoded(std::span<const std::byte> payload, float scale,
                              std::span<float> out) const;
  /// The costs of `candidates`, none of them dense, in their order. Default: encodes with seed 0,
  /// decodes and compares, one candidate after the other; a codec whose candidates can share a pass
  /// over the data overrides it.
  [[nodiscard]] virtual std::vector<LevelCost> do_levels(std::span<const float> values,
                                                         std::span<const Level> candidates) const;
};

}  // namespace convoy::compress
