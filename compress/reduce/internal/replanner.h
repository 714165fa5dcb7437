// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/plan_request.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/bucket_clock.h"
#include "compress/reduce/internal/gradient_window.h"
#include "compress/reduce/internal/plan_timing.h"
#include "compress/reduce/plan_record.h"

namespace convoy::compress::internal {

/// Makes plans from windows of gradients, off the critical path: a thread and a communicator of its
/// own average the windows in small pieces (each waits while gradients travel), share the level
/// tables out over the ranks, exchange them, and solve the same problem everywhere.
/// Paper: L-GreCo, arXiv:2210.17357, section 4. Differs: there rank 0 plans from its own gradient
/// while all others wait.
class Replanner {
 public:
  /// Collective. Borrows `communicator` only while constructing. `busy`: gradients are travelling.
  /// @param executor  on which the family makes tables.
  Replanner(comm::Communicator& communicator, Family& family, PlanRequest request,
            std::shared_ptr<Executor> executor, const std::atomic<bool>& busy);
  /// Lets a plan that is being made run to its end, without giving way any more.
  ~Replanner();
  Replanner(const Replanner&) = delete;
  Replanner& operator=(const Replanner&) = delete;

  /// Begins to plan for `layers`, the same on all ranks, from the sums over `steps` steps; a layer
  /// without a sum counts as zero. Collective; returns at once. `record` holds what the caller
  /// knows of this rank.
  /// `clock`: read where time is minimised.
  void start(GradientSums sums, std::int64_t steps, const std::map<std::string, Layer>& layers,
             const BucketClock& clock, PlanRecord record);
  [[nodiscard]] bool started() const { return pending_.valid(); }
  /// Waits for what start() began: a plan, or none (no layers) where errors are beyond floating
  /// point. @throws what planning threw: CommError, ContractError where the ranks' plans differ.
  [[nodiscard]] PlanRecord take() { return pending_.get(); }
  /// See comm::Communicator::give_up().
  void give_up(const std::string& why) noexcept { communicator_->give_up(why); }
  /// Payload bytes that this rank has sent for planning.
  [[nodiscard]] std::uint64_t bytes_sent() const { return communicator_->bytes_sent(); }

 private:
  struct Work;
  [[nodiscard]] PlanRecord plan(Work& work);
  void average(Work& work);
  void tabulate(Work& work);
  void measure_codecs(const Layer& layer, std::span<const float> gradient, Work& work);
  void exchange_tables(Work& work);
  void exchange_times(Work& work);
  void average_step_error(PlanRecord& record);
  void solve(Work& work);
  [[nodiscard]] Choice fastest_choice(Work& work, double allowed) const;
  void compare_hashes(const std::string& hash);
  void give_way() const;

  std::unique_ptr<comm::Communicator> communicator_;
  Family& family_;
  PlanRequest request_;
  const std::atomic<bool>& busy_;
  std::shared_ptr<Executor> executor_;  // shared with the family
  std::atomic<bool> leaving_ = false;
  std::unique_ptr<PlanTiming> timing_;  // null unless plans minimise time
  std::future<PlanRecord> pending_;  // last: its thread uses all above, and its end is waited for
};

}  // namespace convoy::compress::internal
