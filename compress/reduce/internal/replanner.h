// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/plan/plan.h"
#include "compress/reduce/family.h"
#include "compress/reduce/internal/gradient_window.h"
#include "compress/reduce/plan_record.h"

namespace convoy::compress::internal {

struct ReplannerOptions {
  std::vector<Level> candidates;
  Budget budget;
  std::int64_t window = 1;  ///< steps in a window
};

/// Makes plans from windows of gradients, off the critical path: a thread and a communicator of its
/// own average the windows in small pieces (each waits while gradients travel), share the level
/// tables out over the ranks, exchange them, and solve the same problem everywhere.
/// Paper: L-GreCo, arXiv:2210.17357, section 4. Differs: there rank 0 plans from its own gradient
/// while all others wait.
class Replanner {
 public:
  /// Collective. Borrows `communicator` only while constructing. `busy`: gradients are travelling.
  Replanner(comm::Communicator& communicator, Family& family, ReplannerOptions options,
            const std::atomic<bool>& busy);

  /// Begins to plan for `layers`, the same on all ranks; one without a sum counts as zero.
  /// Collective; returns at once. `record` holds what the caller knows: version and step.
  void start(GradientSums sums, const std::map<std::string, Layer>& layers, PlanRecord record);
  [[nodiscard]] bool started() const { return pending_.valid(); }
  /// Waits for what start() began. @throws what planning threw: CommError, ContractError where the
  /// ranks' plans differ.
  [[nodiscard]] PlanRecord take() { return pending_.get(); }

 private:
  struct Work;
  [[nodiscard]] PlanRecord plan(Work& work);
  void average(Work& work);
  void tabulate(Work& work);
  void exchange_tables(Work& work);
  void solve(Work& work);
  void compare_hashes(const std::string& hash);
  void give_way() const;

  std::unique_ptr<comm::Communicator> communicator_;
  Family& family_;
  ReplannerOptions options_;
  const std::atomic<bool>& busy_;
  std::future<PlanRecord> pending_;  // last: its thread uses all above, and its end is waited for
};

/// The rank that makes the table of each layer: the largest layers first, each to the rank with the
/// least to do. Pure. @param numels  in the order of the layers.
[[nodiscard]] std::vector<int> share_out(const std::vector<std::int64_t>& numels, int ranks);

}  // namespace convoy::compress::internal
