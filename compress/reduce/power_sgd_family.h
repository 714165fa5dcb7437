// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "compress/codec/low_rank.h"
#include "compress/reduce/array.h"
#include "compress/reduce/family.h"
#include "compress/reduce/pool.h"

namespace convoy::compress {

/// Family `power_sgd`: layer M is sent as P Q^T. P = M Q with the last step's Q, averaged over
/// ranks and orthogonalised; then Q = M^T P, averaged. All layers of a bucket share one all-reduce
/// for their P and one for their Q; between the two other buckets have their turn. A layer for
/// which r (rows + columns) >= rows * columns is sent dense.
///
/// When a layer's rank changes, the leading columns of its Q stay; new ones, and columns that have
/// vanished, are drawn from the item's key, equally on all ranks.
/// Paper: PowerSGD, arXiv:1905.13727, algorithm 1. Differs: the published L-GreCo code drops the
/// warm start when a rank changes.
class PowerSgdFamily final : public Family {
 public:
  /// Borrows `communicator`.
  PowerSgdFamily(comm::Communicator& communicator, const Executors& executors)
      : communicator_(communicator), executors_(executors) {}

  [[nodiscard]] std::string_view name() const override { return "power_sgd"; }
  void check_level(Level level) const override;
  [[nodiscard]] Reduction reduce(std::span<const Item> items, int priority) override;
  [[nodiscard]] double wire_bytes(const Layer& layer, Level level, int ranks) const override;
  [[nodiscard]] double payload_bytes(const Layer& layer, Level level) const override;
  [[nodiscard]] bool sends_dense(const Layer& layer, Level level) const override;
  [[nodiscard]] std::vector<LevelCost> table(const Layer& layer, std::span<const float> gradient,
                                             std::span<const Level> candidates, int ranks) override;
  [[nodiscard]] double codec_seconds(const Layer& layer, std::span<const float> gradient,
                                     Level level, int ranks) override;
  void commit() override;
  void discard() override;
  void discard(const std::string& layer) override;
  void save(ReducerState& state) const override;
  void load(const ReducerState& state) override;

 private:
  using Factor = Array<float>;  // P or Q, column after column
  struct WarmStart {            // of Q
    Factor current;             // of the last step that counts
    Factor next;                // of the step that is not yet final
    bool pending = false;       // there is one
  };

  /// Of the items of one call.
  struct Work {
    // One matrix after the other.
    Factor p;
    Factor q;
    Factor start;  // the Q that one layer begins with
    std::vector<Executor::Columns> columns;
  };

  void make_p(std::span<const Item> items, Work& work);
  void make_q(std::span<const Item> items, Work& work);
  void apply(std::span<const Item> items, const Work& work);
  void begin_with(const Item& item, Factor& q);
  [[nodiscard]] Reduction average(const Item& first, const Factor& factors, comm::Turn turn);

  comm::Communicator& communicator_;
  Executors executors_;
  std::map<std::string, WarmStart> factors_;  // by layer
  Pool<Work> works_;
  // Of table(), which another thread calls.
  std::map<std::string, std::vector<float>> table_factors_;
};

}  // namespace convoy::compress
