// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/internal/client.h"
#include "scheduler/policy.h"

namespace convoy::scheduler::internal {

/// What all algorithms share: clients and their speeds, which updates are refused, eviction,
/// counts, versions. An algorithm answers the do_... questions with give() and aggregate().
class BasePolicy : public Policy {
 public:
  explicit BasePolicy(const PolicyConfig& config);

  [[nodiscard]] Actions join(double now, ClientId client, std::int64_t samples) final;
  [[nodiscard]] Actions update(double now, const Update& update) final;
  [[nodiscard]] Actions evict(double now, ClientId client) final;
  [[nodiscard]] Actions leave(double now, ClientId client) final;
  [[nodiscard]] Actions on_time(double now) final;
  [[nodiscard]] Actions shutdown(double now) final;

  [[nodiscard]] std::optional<double> weight_on_arrival(ClientId client) const final;
  [[nodiscard]] std::optional<double> next_timer() const final;
  [[nodiscard]] std::int64_t version() const final { return version_; }
  [[nodiscard]] const Counts& counts() const final { return counts_; }
  [[nodiscard]] std::int64_t pending() const final { return pending_; }
  [[nodiscard]] double now() const final { return now_; }
  [[nodiscard]] std::string save() const final;
  void load(const std::string& state) final;

 protected:
  using Json = nlohmann::json;

  /// How an update came in.
  enum class Arrival : std::uint8_t {
    kFirst,    ///< the client's first report
    kNext,     ///< a later one
    kEvicted,  ///< of a client that was given up
  };

  /// The client has just joined, or come back after eviction or leaving: it has no work.
  virtual void do_join(Client& client) = 0;
  /// A good update has arrived; the client's speed is up to date, its state kIdle, its assignment
  /// as it was.
  virtual void do_update(Client& client, Arrival arrival, const Pending& update) = 0;
  /// The assignment came to nothing (the update was refused): the client is kIdle and needs work.
  virtual void do_fail(Client& client) = 0;
  /// The client was training and is not awaited any more.
  virtual void do_depart(Client& client) = 0;
  /// Does what should have been done strictly before now().
  virtual void do_settle() {}
  /// Does one thing that is due at now(). @return false where nothing is.
  virtual bool do_timer() { return false; }
  [[nodiscard]] virtual std::optional<double> do_next_timer() const { return std::nullopt; }
  /// Hands out all pending updates: the late ones into flush.late, the others into flush.waiting,
  /// and all into `members`, late ones first.
  virtual void do_flush(Flush& flush, std::vector<Pending>& members) = 0;
  /// c_i of `update` in a sum of updates whose n_i sum up to `sum_samples`.
  [[nodiscard]] virtual double do_weight(const Pending& update, std::int64_t staleness,
                                         std::int64_t sum_samples) = 0;
  /// weight_on_arrival() of a client whose assignment is as it was.
  [[nodiscard]] virtual std::optional<double> do_weight_on_arrival(const Client& /*client*/) const {
    return std::nullopt;
  }
  virtual void do_save(Json& json) const = 0;
  virtual void do_load(const Json& json) = 0;

  /// Assigns work at now(). `action` holds group and times; the rest is filled in.
  void give(Client& client, std::int64_t local_steps, Assign action = {});
  /// Makes the next version from `late` and `arrived`, summed in this order.
  void aggregate(Trigger trigger, std::optional<std::int64_t> group, std::span<const Pending> late,
                 std::span<const Pending> arrived);
  void report_late(const Client& client);
  /// Refuses an update that do_update() was given.
  void reject(const Pending& update, std::string reason);

  [[nodiscard]] const PolicyConfig& config() const { return config_; }
  [[nodiscard]] Roster& roster() { return roster_; }
  [[nodiscard]] const Roster& roster() const { return roster_; }
  /// Sum of n_i over the clients that take part.
  [[nodiscard]] std::int64_t all_samples() const { return all_samples_; }
  /// n_i of the weights.
  [[nodiscard]] std::int64_t samples_of(const Client& client) const;

 private:
  void begin(double now);
  void load_json(const Json& json);
  [[nodiscard]] Actions end() { return std::exchange(actions_, {}); }
  void admit(Client& client);
  void accept(Client& client, const Update& update);
  void refuse(ClientId client, std::string reason);
  void depart(Client& client, Client::State state);
  void stop_deadline(const Client& client);
  [[nodiscard]] std::vector<Contribution> contributions(std::span<const Pending> members,
                                                        std::size_t late);

  PolicyConfig config_;
  double now_ = 0.0;
  std::int64_t version_ = 0;
  std::int64_t pending_ = 0;
  std::int64_t all_samples_ = 0;
  bool is_shut_down_ = false;
  Counts counts_;
  Roster roster_;
  std::set<std::pair<double, ClientId>> deadlines_;  // of training clients; finite ones only
  Actions actions_;                                  // of the call that is being answered
};

}  // namespace convoy::scheduler::internal
