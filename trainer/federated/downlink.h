// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "compress/update/reference_trajectory.h"
#include "trainer/federated/model_update.h"

namespace convoy::trainer {

/// What clients start from, and what it takes to send it. Dense, that is the model itself.
/// Compressed, clients follow one reference trajectory (compress/update/reference_trajectory.h),
/// whose newest point they start from; buffers are the model's. One thread.
class Downlink {
 public:
  using Message = std::shared_ptr<const std::vector<std::byte>>;

  /// @param codec  null: dense. Borrowed. @param versions  payloads that are kept.
  Downlink(const compress::UpdateCodec* codec, SharedState model, std::size_t versions,
           std::uint64_t seed);

  /// The model has a new version.
  void advance(const SharedState& model);
  [[nodiscard]] const SharedState& start() const { return start_; }
  /// What `client` must be sent for start(), which it holds from then on; null: all of it, dense.
  /// The same object for all clients that hold the same.
  [[nodiscard]] Message message(std::int64_t client);
  /// The client holds nothing any more.
  void forget(std::int64_t client) { held_.erase(client); }
  [[nodiscard]] std::optional<std::int64_t> held(std::int64_t client) const;
  [[nodiscard]] std::size_t memory_bytes() const;

  /// r_V; empty without compression.
  [[nodiscard]] std::vector<float> reference() const;
  /// Goes on from a checkpoint; clients hold nothing.
  void restore(const SharedState& model, std::int64_t version, std::vector<float> reference);

 private:
  void make_start(const SharedState& model);

  std::optional<compress::ReferenceTrajectory> trajectory_;
  SharedState start_;
  std::map<std::int64_t, std::int64_t> held_;                ///< version by client
  std::map<std::optional<std::int64_t>, Message> messages_;  ///< to start(), by what is held
};

}  // namespace convoy::trainer
