// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/messages.h"

namespace convoy::trainer {

/// Clients that are ranks: client c is rank c + 1, where serve_client() runs. The server never
/// waits for one particular client while others report: every message is asynchronous, and all are
/// looked at in turn.
class RemoteClients final : public ClientPool {
 public:
  /// Borrows `communicator`. @param like  a state of the model, for types and shapes.
  RemoteClients(comm::Communicator& communicator, ModelState like);
  /// Tells the clients that it is over, and waits until they have heard. Not when an exception is
  /// on its way out: then the job ends as a whole.
  ~RemoteClients() override;

  void start(Assignment assignment) override;
  [[nodiscard]] ClientReport wait_for(std::int64_t client) override;
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override;
  [[nodiscard]] std::uint64_t bytes_down() const override { return bytes_down_; }
  [[nodiscard]] std::uint64_t bytes_up() const override { return bytes_up_; }

 private:
  /// A report on its way.
  struct Incoming {
    WallTime not_before;
    std::shared_ptr<messages::Header> header;
    std::shared_ptr<messages::Bytes> payload;
    comm::Request request;  ///< of the header, then of the payload
    ClientReport report;
  };
  struct Done {
    WallTime not_before;
    ClientReport report;
  };

  void send(std::int64_t client, const messages::Order& order, messages::Bytes payload);
  /// Moves every message on; true when a report has come in whole.
  bool poll();
  /// True when this one has.
  bool poll(Incoming& incoming);

  comm::Communicator& communicator_;
  ModelState like_;
  std::map<std::int64_t, Incoming> incoming_;                ///< by client
  std::map<std::int64_t, Done> done_;                        ///< by client
  std::map<std::int64_t, std::vector<comm::Request>> sent_;  ///< by client, its newest order
  std::uint64_t bytes_down_ = 0;
  std::uint64_t bytes_up_ = 0;
  int exceptions_;
};

/// What a client's rank does until the server ends it: receives models, trains, sends updates.
/// Borrows all. @throws what training throws; CommError.
void serve_client(comm::Communicator& communicator, LocalTrainer& trainer, ClientData& data);

}  // namespace convoy::trainer
