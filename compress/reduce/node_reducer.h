// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "compress/reduce/make_reducer.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress {

/// Averages in three hops where hosts hold several ranks: the ranks of a host sum densely; the
/// first one of each, its leader, averages with the other leaders, compressed or not; and it hands
/// the result round its host. The network carries what one rank a host would send. Replicas stay
/// equal to the last bit; the bits depend on which ranks share a host, which those of other
/// Reducers do not. Residuals, factors and plans are those of the leaders.
class NodeReducer final : public Reducer {
 public:
  struct Options {
    ReducerFactory between;  ///< of the leaders
    /// As Reducer::compresses() and shows_nonfinite() of what `between` makes, among several ranks.
    std::function<bool(const Layer&)> compresses;
    bool shows_nonfinite = false;
    bool replays = false;  ///< end_step() may refuse the plans that `between` was given
  };
  /// Collective. @param communicator  all ranks; used at the start only.
  /// @param host  the ranks of one host, in the same order; borrowed.
  NodeReducer(comm::Communicator& communicator, comm::Communicator& host, Options options);

  void begin_step(std::int64_t step) override;
  [[nodiscard]] Reduction start(const Bucket& bucket, int priority) override;
  void end_step() override;
  void drop() override;
  void give_up(const std::string& why) noexcept override;
  void discard_step() override;
  void discard_layer(const std::string& name) override;
  [[nodiscard]] bool compresses(const Layer& layer) override { return options_.compresses(layer); }
  [[nodiscard]] double wire_bytes(const Layer& layer) override;
  [[nodiscard]] bool shows_nonfinite() const override { return options_.shows_nonfinite; }
  [[nodiscard]] Traffic traffic() const override;
  [[nodiscard]] std::uint64_t own_bytes_sent() const override;
  [[nodiscard]] bool uses_several_links() const override { return true; }
  void watch(Timeline* timeline) override;
  [[nodiscard]] std::vector<PlanRecord> take_plans() override;
  [[nodiscard]] std::vector<ShadowRow> take_shadow() override;
  /// That of the leader, on all ranks of its host. Collective.
  [[nodiscard]] ReducerState state() override;
  /// Where ranks of one host come with different states, because they were on several, what they
  /// owe becomes their mean. Collective.
  void load_state(const ReducerState& state) override;

 private:
  /// A bucket of this step.
  struct Entry {
    const Bucket* bucket;
    int priority;
    comm::Request sum;                 // of the host
    std::optional<Reduction> between;  // of the leaders, once begun
  };
  [[nodiscard]] Reduction begin_between(std::size_t up_to);
  /// Does it on the leaders; a ConfigError, which all leaders have in common, comes to all ranks.
  void on_leaders(const std::function<void()>& of_leader);
  [[nodiscard]] ReducerState state_of_host(const ReducerState& state);

  comm::Communicator& host_;
  Options options_;
  int ranks_;
  int hosts_;
  std::unique_ptr<comm::Communicator> between_;  // leaders; on other ranks only the rank itself
  std::unique_ptr<Reducer> leader_;              // none on other ranks
  std::uint64_t dense_bytes_ = 0;
  Timeline* timeline_ = nullptr;
  // Last: what is under way uses all above.
  std::deque<Entry> entries_;
  std::size_t begun_ = 0;      // of them, between leaders
  std::exception_ptr failed_;  // what one could not be begun for
};

}  // namespace convoy::compress
