// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/trainer/federated/tensor_model.h"
#include "trainer/federated/federated_server.h"

namespace convoy::tests {

inline constexpr std::size_t kWeights = 40;
inline constexpr std::size_t kMeans = 3;

/// One parameter, one floating-point buffer and one counter: 180 bytes, as is an update.
[[nodiscard]] TensorModel small_model(Random& random);

/// A FederatedServer that is driven by hand: updates are drawn from a seed, and all that was sent
/// is known in double precision.
class LiveServer {
 public:
  using Key = std::pair<std::int64_t, std::int64_t>;  ///< client and round

  /// What one update holds, and where it started.
  struct Sent {
    std::vector<double> delta;  ///< as the server gets it
    std::vector<double> means;
    std::int64_t counter = 0;
    std::int64_t version = 0;
    std::int64_t arrival = -1;  ///< number of its first arrival
  };

  explicit LiveServer(const trainer::FederationConfig& config, std::uint64_t seed = 1);

  void join(double now, std::int64_t client, std::int64_t samples);
  /// Of the client's newest assignment: an update that is right.
  [[nodiscard]] trainer::ClientReport answer(std::int64_t client);
  void report(double now, trainer::ClientReport report);
  /// answer(), reported.
  void train(double now, std::int64_t client) { report(now, answer(client)); }

  trainer::FederatedServer& server() { return *server_; }
  [[nodiscard]] const TensorModel& initial() const { return initial_; }
  [[nodiscard]] const std::map<std::int64_t, trainer::Assignment>& assigned() const {
    return assigned_;
  }
  [[nodiscard]] const std::map<Key, Sent>& sent() const { return sent_; }
  /// Every new model, in order; whoever reads them may clear the list.
  std::vector<trainer::NewModel> made;
  /// Clients whose newest update was refused, likewise.
  std::vector<std::int64_t> refused;

 private:
  Random random_;
  TensorModel initial_;
  std::map<std::int64_t, trainer::Assignment> assigned_;  ///< newest, by client
  std::map<Key, Sent> sent_;
  std::int64_t arrivals_ = 0;
  std::unique_ptr<trainer::FederatedServer> server_;
};

}  // namespace convoy::tests
