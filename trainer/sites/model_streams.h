// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "base/sha256.h"
#include "scheduler/net/site_session.h"
#include "trainer/federated/client_pool.h"
#include "trainer/sites/tensor_streams.h"

namespace convoy::trainer {

/// A model on its way to sites.
struct ModelStream {
  net::SharedBytes bytes;
  Sha256 sha256{};
};

/// What sites are sent with their rounds, made once for all that get the same: a site's round
/// begins from the newest model, whole or as the difference from an older one. Nothing is kept of
/// versions before the one asked for last. One thread.
class ModelStreams {
 public:
  /// Borrows `shape`.
  explicit ModelStreams(const ModelShape& shape) : shape_(shape) {}

  /// Of the values that the round starts from.
  [[nodiscard]] std::uint64_t hash_of(const Assignment& assignment);
  /// O(bytes) for the first of a kind.
  [[nodiscard]] ModelStream stream_of(const Assignment& assignment);
  /// Lets go of everything.
  void clear();

 private:
  void turn_to(const SharedState& start);

  const ModelShape& shape_;
  SharedState start_;  ///< whose streams these are
  std::uint64_t hash_ = 0;
  /// By the compressed message that is in it; null: dense.
  std::map<std::shared_ptr<const std::vector<std::byte>>, ModelStream> streams_;
};

}  // namespace convoy::trainer
