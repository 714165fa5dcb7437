// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "compress/update/update_sender.h"
#include "trainer/federated/client_data.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/local_training.h"
#include "trainer/federated/round_rule.h"

namespace convoy::trainer {

/// Of the stochastic rounding of a client's updates. @param key  ClientData::key().
[[nodiscard]] std::uint64_t rounding_seed(std::uint64_t key);

/// One client, wherever it runs: its data, and what compression owes of its updates. One thread at
/// a time.
class ClientEnd {
 public:
  /// @param codec  of updates; null: they travel dense. Borrowed.
  /// @param rule  of its rounds; null: plain ones.
  ClientEnd(ClientData data, const compress::UpdateCodec* codec,
            std::unique_ptr<RoundRule> rule = nullptr);

  /// What a checkpoint holds until the next call is the state of this moment, between two rounds: a
  /// resumed run does the round after it again.
  void mark();
  /// Trains it. With a codec the report's delta is empty and its payload holds the update, but for
  /// one that is not finite: that must not get into the residual, and is not sent at all.
  [[nodiscard]] ClientReport train(LocalTrainer& trainer, const Assignment& assignment,
                                   const ModelState& start, const KeepGoing& keep_going = {});
  /// The server has refused the newest update: what it held goes out with the next one.
  void take_back();

  /// What compression owed at the last mark(); empty without a codec.
  [[nodiscard]] const std::vector<float>& marked_residual() const { return marked_residual_; }
  void restore(std::vector<float> residual);

 private:
  ClientData data_;
  std::unique_ptr<RoundRule> rule_;
  std::optional<compress::UpdateSender> sender_;
  std::vector<std::byte> last_payload_;
  std::vector<float> marked_residual_;
};

}  // namespace convoy::trainer
