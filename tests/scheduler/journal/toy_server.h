// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/event_log.h"
#include "scheduler/scenario.h"

namespace convoy::tests {

/// Names an update: client and round.
using UpdateName = std::pair<std::int64_t, std::int64_t>;

[[nodiscard]] std::string site_of(std::int64_t client);
[[nodiscard]] std::string id_of(UpdateName name);
/// What that client sends.
[[nodiscard]] std::vector<std::byte> payload_of(UpdateName name);

/// FedCompass with unequal clients that are late now and then.
[[nodiscard]] scheduler::Scenario crash_scenario();
/// All that happens in a simulation of it, in order.
[[nodiscard]] std::vector<scheduler::Input> inputs_of(const scheduler::Scenario& scenario);

/// A federation's server with a model of a few numbers.
class ToyServer {
 public:
  using Payload = std::function<std::vector<std::byte>(UpdateName)>;

  /// @param payload  where the bytes of an update are read when it is summed.
  ToyServer(const scheduler::PolicyConfig& config, Payload payload);

  /// Returns what was decided, one line for each action.
  std::string handle(const scheduler::Input& input);

  /// Inputs handled so far.
  [[nodiscard]] std::size_t handled() const { return handled_; }
  /// In the model by now, since the last call.
  [[nodiscard]] std::set<UpdateName> take_summed() { return std::exchange(summed_, {}); }
  [[nodiscard]] const scheduler::Policy& policy() const { return *policy_; }
  /// All bits.
  [[nodiscard]] std::string model() const;

  [[nodiscard]] std::string save() const;
  void load(const std::string& state);

 private:
  void add(const std::vector<scheduler::Contribution>& members);

  std::unique_ptr<scheduler::Policy> policy_;
  Payload payload_;
  std::vector<double> model_;
  std::size_t handled_ = 0;
  std::set<UpdateName> summed_;
};

}  // namespace convoy::tests
