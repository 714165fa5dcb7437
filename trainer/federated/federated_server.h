// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/event_log.h"
#include "scheduler/policy.h"
#include "scheduler/tally.h"
#include "trainer/federated/aggregator.h"
#include "trainer/federated/client_pool.h"
#include "trainer/federated/downlink.h"
#include "trainer/federated/federation_config.h"

namespace convoy::trainer {

/// What one update brought into a new model, without its tensors.
struct MemberMetrics {
  scheduler::Contribution contribution;
  std::int64_t samples = 0;  ///< trained on
  double loss = 0.0;
  std::optional<Evaluation> validation;
};

/// A new model has been made.
struct NewModel {
  double time = 0.0;
  std::int64_t version = 0;
  std::vector<MemberMetrics> members;
};

/// Bytes that the server holds.
struct ServerMemory {
  std::size_t model = 0;     ///< with the sum and the optimizer
  std::size_t versions = 0;  ///< older models that clients train from now
  std::size_t updates = 0;   ///< that wait for their aggregation, those in the sum not counted
  [[nodiscard]] std::size_t total() const { return model + versions + updates; }
};

/// Payload between the server and one client.
struct ClientBytes {
  std::uint64_t down = 0;
  std::uint64_t up = 0;
};

/// A FederatedServer as a checkpoint holds it.
struct FederationState {
  std::string json;
  std::vector<NamedTensor> tensors;  ///< nobody changes them any more
};

/// A federation's server without clock and transport: it tells the policy what happens, and does
/// what the policy decides: adds updates up, hands out models. Time comes in, assignments go out.
/// One thread.
class FederatedServer {
 public:
  /// Called for every assignment, in order.
  using Dispatch = std::function<void(Assignment)>;
  using OnNewModel = std::function<void(const NewModel&)>;
  /// Called for every update that is refused and had not arrived before, by client.
  using OnRefused = std::function<void(std::int64_t, const std::string& reason)>;

  /// Version 0 is a copy of what `initial` holds. @param sink  gets the lines of events.jsonl.
  /// @param codec  of what clients are sent; null: dense. Borrowed. @param seed  of its rounding.
  /// @throws ConfigError.
  FederatedServer(const FederationConfig& config, const Model& initial,
                  scheduler::EventLog::Sink sink, const compress::UpdateCodec* codec = nullptr,
                  std::uint64_t seed = 0);

  /// Before the first event.
  void set_callbacks(Dispatch dispatch, OnNewModel on_new_model, OnRefused on_refused);
  /// How logs call a client; without it "client 2".
  void set_names(std::function<std::string(std::int64_t)> name_of) {
    name_of_ = std::move(name_of);
  }

  // Events; `now` in seconds since the start, never going back.
  void join(double now, std::int64_t client, std::int64_t samples);
  /// An update that is not finite, or has not the shapes of the model, is refused, whatever the
  /// report says. A client whose privacy budget is spent leaves with it. @param duration  seconds
  /// since the assignment, for the log.
  void report(double now, double duration, ClientReport report);
  void on_time(double now);
  /// The client gives no sign of life: nobody waits for it any more. Its update is still welcome.
  void evict(double now, std::int64_t client);
  /// The client is gone for good, unless it joins again.
  void leave(double now, std::int64_t client);
  /// The client has lost the model that it was sent: the next one must not build on it.
  void forget_model(std::int64_t client) { downlink_.forget(client); }
  /// The version that compressed models for the client build on.
  [[nodiscard]] std::optional<std::int64_t> held_version(std::int64_t client) const {
    return downlink_.held(client);
  }
  /// Aggregates what waits; nothing is handed out any more.
  void shut_down(double now);

  /// All that it needs to go on, but for what clients are doing.
  [[nodiscard]] FederationState save() const;
  /// Before the first event of a resumed run. @throws ConfigError where it is of another model.
  void load(const FederationState& state);
  /// What clients are training now, by client: a resumed run gives it out again.
  [[nodiscard]] const std::map<std::int64_t, Assignment>& outstanding() const {
    return outstanding_;
  }

  [[nodiscard]] const scheduler::Policy& policy() const { return *policy_; }
  [[nodiscard]] const Aggregator& aggregator() const { return aggregator_; }
  /// Until the end, if there was one: without what that has aggregated.
  [[nodiscard]] scheduler::Summary schedule() const {
    return schedule_ ? *schedule_ : tally_.summary(*policy_, policy_->now());
  }
  [[nodiscard]] ServerMemory memory() const;
  /// Payload bytes by client, the same whether they cross a network or not.
  [[nodiscard]] const std::map<std::int64_t, ClientBytes>& bytes() const { return bytes_; }
  /// What clients have said about their privacy budgets last, by client.
  [[nodiscard]] const std::map<std::int64_t, PrivacyReport>& privacy() const { return privacy_; }
  /// memory() where its total was largest so far, looked at when an update has arrived (it counts)
  /// and when all that follows from it has been done.
  [[nodiscard]] const ServerMemory& peak_memory() const { return peak_memory_; }

 private:
  struct Waiting {
    ClientReport report;
    SharedState start;  ///< FedAsync mixes models and needs it; null for the others
    /// Policy::weight_on_arrival(): it need not wait with its tensors.
    std::optional<double> weight = std::nullopt;
    bool is_added = false;  ///< to the aggregator, by that weight; the tensors are gone
  };
  using UpdateKey = std::pair<std::int64_t, std::int64_t>;  ///< client and round

  void handle(const scheduler::Input& input);
  void act(const scheduler::Aggregate& action);
  void act(const scheduler::Assign& action);
  void act(const scheduler::Refuse& action);
  void act(const scheduler::Flush& action);
  void act(const scheduler::Late&) {}
  void act(const scheduler::Evict& action);
  void aggregate(const std::vector<scheduler::Contribution>& members, std::int64_t version);
  void add(Waiting& waiting, double coefficient);
  void let_go(double now, std::int64_t client);
  void add_what_has_just_arrived();
  void look_at_memory();
  [[nodiscard]] bool is_usable(const ClientReport& report) const;
  [[nodiscard]] bool mixes_models() const;

  FederationConfig config_;
  std::unique_ptr<scheduler::Policy> policy_;
  scheduler::EventLog log_;
  scheduler::Tally tally_;
  std::optional<scheduler::Summary> schedule_;
  Aggregator aggregator_;
  Downlink downlink_;
  Dispatch dispatch_;
  OnNewModel on_new_model_;
  OnRefused on_refused_;
  std::function<std::string(std::int64_t)> name_of_ = [](std::int64_t client) {
    return "client " + std::to_string(client);
  };

  std::map<std::int64_t, Assignment> outstanding_;  ///< by client
  std::map<std::int64_t, std::int64_t> positions_;  ///< batches that each client has taken
  std::map<UpdateKey, Waiting> waiting_;
  std::optional<UpdateKey> arriving_;  ///< the update that is being handled
  bool is_first_answer_ = false;       ///< of the client to its round, and not a duplicate
  std::map<std::int64_t, std::int64_t> answered_;  ///< the newest round by client
  std::map<std::int64_t, ClientBytes> bytes_;
  std::map<std::int64_t, PrivacyReport> privacy_;
  std::optional<std::int64_t> leaving_;  ///< the client whose last update is being handled
  std::int64_t arrivals_ = 0;
  ServerMemory peak_memory_;
};

}  // namespace convoy::trainer
