// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "compress/update/update_codec.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/messages.h"

namespace convoy::trainer {

/// Clients that are ranks: client c is rank c + 1, where serve_client() (client_rank.h) runs. The
/// server never waits for one particular client while others report: every message is asynchronous,
/// and all are looked at in turn.
class RemoteClients final : public ClientPool {
 public:
  /// Borrows `communicator`. @param like  a state of the model, for types and shapes.
  /// @param codec  of updates; null: dense. Borrowed.
  RemoteClients(comm::Communicator& communicator, ModelState like,
                const compress::UpdateCodec* codec);
  /// Tells the clients that it is over, and waits until they have heard. Not when an exception is
  /// on its way out: then the job ends as a whole.
  ~RemoteClients() override;

  void start(Assignment assignment) override;
  [[nodiscard]] ClientReport wait_for(std::int64_t client) override;
  [[nodiscard]] std::optional<ClientReport> next(WallTime until) override;
  void take_back(std::int64_t client) override { taken_back_.insert(client); }
  /// They travel dense: a model from each client.
  [[nodiscard]] std::vector<NamedTensor> residuals() override;
  void restore_residuals(const std::vector<NamedTensor>& residuals) override;

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
  void unpack(Incoming& incoming) const;
  [[nodiscard]] ClientReport hand_out(std::map<std::int64_t, Done>::iterator done);

  comm::Communicator& communicator_;
  ModelState like_;
  const compress::UpdateCodec* codec_;
  std::map<std::int64_t, Incoming> incoming_;                ///< by client
  std::map<std::int64_t, Done> done_;                        ///< by client
  std::map<std::int64_t, std::vector<comm::Request>> sent_;  ///< by client, its newest order
  std::set<std::int64_t> taken_back_;  ///< clients to be told so with their next order
  /// The round that each client would do again after a resume: under way, or the next.
  std::map<std::int64_t, std::int64_t> open_rounds_;
  int exceptions_;
};

}  // namespace convoy::trainer
