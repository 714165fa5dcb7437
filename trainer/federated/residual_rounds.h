// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "trainer/federated/messages.h"
#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// What compression owes to clients that are ranks, gathered for checkpoints. ask() fixes the
/// moment: orders reach a client in order, so that its answer is about the round that was open
/// then, whatever it is given afterwards. One thread.
class ResidualRounds {
 public:
  using Send = std::function<void(std::int64_t client, const messages::Order& order,
                                  messages::Bytes payload)>;
  using IsDead = std::function<bool(std::int64_t client)>;

  /// Borrows `communicator`. @param numel  of a model's parameters. @param send  gives an order.
  ResidualRounds(comm::Communicator& communicator, std::int64_t clients, std::int64_t numel,
                 Send send);

  /// The client has been given `round`.
  void assigned(std::int64_t client, std::int64_t round);
  /// The client's report of `round` is the server's now.
  void reported(std::int64_t client, std::int64_t round);

  /// Asks all clients, but for those that still owe an answer to an earlier question: nobody waits
  /// for them. Not while answers() are awaited.
  void ask();
  /// What ask() was about, named by client; nothing while a client that is not dead has not
  /// answered. Of one that has not and is dead, what is known: nothing, where it has reported
  /// since.
  [[nodiscard]] std::optional<std::vector<NamedTensor>> answers(const IsDead& is_dead);

  /// Before the first round. @throws ConfigError where they are of another model.
  void restore(const std::vector<NamedTensor>& residuals);
  /// Gives answers up that will never come.
  void drop();

 private:
  struct Residual {
    torch::Tensor known;            ///< by the newest answer; undefined: zeros
    std::int64_t known_round = -1;  ///< before which it was so; negative: before the first one here
    std::int64_t open_round = 0;    ///< would be done again after a resume: under way, or the next
    std::int64_t wanted_round = 0;  ///< what was open when all were asked
    bool awaited = false;           ///< the answer is worth waiting for
    std::int64_t asked_round = 0;   ///< what `coming` is about
    std::shared_ptr<torch::Tensor> coming;  ///< null: no question is open
    comm::Request request;
  };

  void ask(std::int64_t client);
  static void hear(Residual& residual);
  [[nodiscard]] torch::Tensor value_of(const Residual& residual) const;

  comm::Communicator& communicator_;
  std::int64_t numel_;
  Send send_;
  std::vector<Residual> residuals_;  ///< by client
};

}  // namespace convoy::trainer
