// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "compress/update/reference_trajectory.h"
#include "trainer/sites/tensor_streams.h"

namespace convoy::trainer {

/// The newest model that a site has whole, its bits checked against the server's. One thread.
class ModelKeeper {
 public:
  /// Borrows both. @param codec  null: models come dense.
  ModelKeeper(const ModelShape& shape, const compress::UpdateCodec* codec);

  /// @param stream  a whole model, or, where there is a codec, what leads to it from the one held.
  /// @param hash  over the values that it must have.
  /// @throws PayloadError where it is none, or another one; nothing is held then.
  void take(std::span<const std::byte> stream, std::int64_t version, std::uint64_t hash);

  [[nodiscard]] std::optional<std::int64_t> version() const { return version_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  /// Of version().
  [[nodiscard]] const ModelState& state() const { return state_; }

 private:
  [[nodiscard]] ModelState read(std::span<const std::byte> stream, std::int64_t version);

  const ModelShape& shape_;
  std::optional<compress::ReferenceFollower> follower_;
  std::optional<std::int64_t> version_;
  std::uint64_t hash_ = 0;
  ModelState state_;
};

}  // namespace convoy::trainer
