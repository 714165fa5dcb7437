// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/client_rank.h"

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "compress/update/reference_trajectory.h"
#include "trainer/federated/message_passing.h"
#include "trainer/federated/messages.h"
#include "trainer/federated/pulse.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

using messages::Bytes;
using messages::Header;

/// A client's end of what the server orders: the next order is always awaited.
class Orders {
 public:
  explicit Orders(comm::Communicator& communicator) : communicator_(communicator) { expect(); }

  /// Looks, and does not wait.
  [[nodiscard]] bool arrived() { return request_.test(); }
  /// Waits for it.
  [[nodiscard]] messages::Order take() {
    messages::await(request_);
    const messages::Order order = messages::to_order(*header_);
    if (order.kind != messages::Order::Kind::kEnd) expect();
    return order;
  }

 private:
  void expect() {
    header_ = std::make_shared<Header>();
    request_ = messages::receive(communicator_, header_, 0, messages::kHeaderDown);
  }

  comm::Communicator& communicator_;
  std::shared_ptr<Header> header_;
  comm::Request request_;
};

/// Follows the server's models.
class ModelReceiver {
 public:
  ModelReceiver(comm::Communicator& communicator, ModelState like,
                const compress::UpdateCodec* codec)
      : communicator_(communicator), like_(std::move(like)) {
    if (codec != nullptr) follower_.emplace(*codec);
  }

  [[nodiscard]] ModelState receive_model(const messages::Order& order) {
    const auto payload = std::make_shared<Bytes>(order.payload_bytes);
    auto request = messages::receive(communicator_, payload, 0, messages::kPayloadDown);
    messages::await(request);
    std::span<const std::uint8_t> bytes(*payload);
    ModelState start;
    if (order.compressed_bytes > 0) {
      require(follower_.has_value(), "the server sends compressed models, and here are dense ones");
      follower_->follow(messages::take(bytes, order.compressed_bytes));
      start.parameters = unflatten(follower_->values(), like_.parameters);
    } else {
      start.parameters = messages::take(bytes, like_.parameters);
    }
    start.buffers = messages::take(bytes, like_.buffers);
    return start;
  }

 private:
  comm::Communicator& communicator_;
  ModelState like_;
  std::optional<compress::ReferenceFollower> follower_;
};

/// A client whose server is another rank.
class ClientRank {
 public:
  ClientRank(comm::Communicator& communicator, LocalTrainer& trainer, ClientEnd& client,
             const compress::UpdateCodec* codec, std::chrono::milliseconds pulse_period)
      : communicator_(communicator),
        trainer_(trainer),
        client_(client),
        orders_(communicator),
        models_(communicator, copy_state(trainer.model()), codec),
        pulse_(communicator, pulse_period) {}

  void run() {
    while (!ended_) obey(orders_.take());
  }

 private:
  using Kind = messages::Order::Kind;

  void obey(const messages::Order& order) {
    if (order.take_back) client_.take_back();
    if (order.kind == Kind::kTrain) train(order);
    if (order.kind == Kind::kShow) show(order);
    if (order.kind == Kind::kRestore) restore(order);
    if (order.kind == Kind::kEnd) ended_ = true;
  }

  void train(const messages::Order& order) {
    client_.mark();
    round_ = order.round;
    const ModelState start = models_.receive_model(order);
    const Assignment assignment{.client = communicator_.rank() - 1,
                                .round = order.round,
                                .steps = order.steps,
                                .version = order.version,
                                .position = order.position,
                                .updates = order.updates};
    send_report(client_.train(trainer_, assignment, start, [this] { return listen(); }));
  }

  /// False when the round under way is of no use any more.
  bool listen() {
    while (!ended_ && orders_.arrived()) {
      const messages::Order order = orders_.take();
      require(order.kind != Kind::kTrain, "a client got a second round while it trains");
      obey(order);
    }
    return !ended_;
  }

  void show(const messages::Order& order) {
    if (order.round > round_) client_.mark();  // the newest round is over for the server too
    auto sent =
        messages::send_owned(communicator_, client_.marked_residual(), 0, messages::kResidualUp);
    messages::await(sent);
  }

  void restore(const messages::Order& order) {
    const auto payload = std::make_shared<Bytes>(order.payload_bytes);
    auto request = messages::receive(communicator_, payload, 0, messages::kPayloadDown);
    messages::await(request);
    std::vector<float> residual(payload->size() / sizeof(float));
    std::memcpy(residual.data(), payload->data(), residual.size() * sizeof(float));
    client_.restore(std::move(residual));
  }

  void send_report(const ClientReport& report) {
    Bytes payload;
    messages::append(report.payload, payload);
    messages::append(report.result.update.delta, payload);
    messages::append(report.result.update.buffers, payload);
    auto header = messages::send_owned(communicator_, messages::to_header(report, payload.size()),
                                       0, messages::kHeaderUp);
    auto sent = messages::send_owned(communicator_, std::move(payload), 0, messages::kPayloadUp);
    messages::await(header);
    messages::await(sent);
  }

  comm::Communicator& communicator_;
  LocalTrainer& trainer_;
  ClientEnd& client_;
  Orders orders_;
  ModelReceiver models_;
  std::int64_t round_ = -1;  ///< the newest
  bool ended_ = false;
  Pulse pulse_;  ///< last: the farewell comes after everything else
};

}  // namespace

void serve_client(comm::Communicator& communicator, LocalTrainer& trainer, ClientEnd& client,
                  const compress::UpdateCodec* codec, std::chrono::milliseconds pulse_period) {
  ClientRank(communicator, trainer, client, codec, pulse_period).run();
}

}  // namespace convoy::trainer
