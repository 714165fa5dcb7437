// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "compress/update/update_sender.h"
#include "scheduler/journal/outbox.h"
#include "trainer/federated/local_training.h"
#include "trainer/sites/tensor_streams.h"
#include "trainer/sites/update_facts.h"
#include "trainer/sites/upload.h"

namespace convoy::trainer {

/// A site's updates on their way out: encoded, on stable storage with what compression owes, and
/// sent as they are until the server has answered. One thread; an offered update is read from
/// others until it is settled.
class UpdateBox {
 public:
  /// What updates are made of.
  struct Making {
    std::string run;
    const ModelShape* shape = nullptr;             ///< borrowed
    const compress::UpdateCodec* codec = nullptr;  ///< null: dense; borrowed
    std::uint64_t rounding_seed = 0;
  };

  /// Opens what the last process has left in `folder`, which no other one may use meanwhile.
  /// @throws ConfigError, DamageError, StorageError.
  explicit UpdateBox(const std::filesystem::path& folder);

  /// The job is known: takes up what is owed of this run; what another run has left is given up.
  void open(Making making);

  /// The update that the server has not answered yet. After open().
  [[nodiscard]] std::optional<OfferedUpdate> unsettled() const;
  /// The newest update of this run, also one that is settled; none where that was given up or taken
  /// back: its round is not done.
  [[nodiscard]] std::optional<net::UploadBegin> newest() const;
  /// newest() as it was, for a server that has had it and has forgotten it.
  [[nodiscard]] OfferedUpdate again() const;

  /// Encodes the result of a round and stores it, before anything of it leaves.
  /// @param begin  what is said of it, but for id, hash and size.
  /// @return what the link is offered. @throws StorageError: then nothing has changed but what is
  /// owed.
  [[nodiscard]] OfferedUpdate store(const LocalResult& result, net::UploadBegin begin);

  /// The server has the update.
  void settle(const std::string& id);
  /// The server will never use it: what compression put into it is owed again.
  void give_up(const std::string& id);
  /// The scheduler has refused the newest update that was sent. Nothing where give_up() or this
  /// has been called for it already, in this process or before.
  void take_back();

  [[nodiscard]] const std::vector<float>* residual() const {
    return sender_ ? &sender_->residual() : nullptr;
  }

 private:
  [[nodiscard]] OfferedUpdate offered() const;
  [[nodiscard]] std::vector<std::byte> encode(const LocalResult& result, std::int64_t round);
  [[nodiscard]] bool is_of_this_run() const;
  void restore_residual();
  void take_back_payload();

  const std::filesystem::path folder_;
  scheduler::journal::Outbox outbox_;
  Making making_;
  std::optional<compress::UpdateSender> sender_;
  std::string taken_back_;  ///< id of the update
};

}  // namespace convoy::trainer
