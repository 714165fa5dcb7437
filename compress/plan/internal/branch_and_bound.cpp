// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/branch_and_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "compress/plan/internal/suffix_bound.h"

namespace convoy::compress::internal {
namespace {

/// A plan for the layers decided so far.
struct Partial {
  double error = 0.0;
  double bytes = 0.0;
  double bound = 0.0;        ///< bytes of any plan that goes on from here
  std::uint32_t parent = 0;  ///< index into the frontier before
  std::uint32_t option = 0;  ///< of the layer decided last
};

/// Where a partial plan came from; kept for every depth to write plans down.
struct Origin {
  std::uint32_t parent = 0;
  std::uint32_t option = 0;
};

std::vector<std::size_t> branching_order(const Problem& problem, Order order) {
  std::vector<std::size_t> layers;
  for (std::size_t i = 0; i < problem.layers.size(); ++i) {
    if (order == Order::kTable || problem.layers[i].size() > 1) layers.push_back(i);
  }
  if (order == Order::kTable) return layers;
  const auto at_stake = [&](std::size_t i) {
    return problem.layers[i].back().bytes - problem.layers[i].front().bytes;
  };
  std::stable_sort(layers.begin(), layers.end(),
                   [&](std::size_t a, std::size_t b) { return at_stake(a) > at_stake(b); });
  return layers;
}

class Search {
 public:
  Search(const Problem& problem, Order order, std::int64_t partial_plans, Incumbent& incumbent)
      : problem_(problem),
        incumbent_(incumbent),
        layers_(branching_order(problem, order)),
        open_(problem, layers_),
        order_(order),
        room_(problem.max_error + rounding_slack(problem)),
        sure_room_(problem.max_error - rounding_slack(problem)),
        granularity_(granularity(problem)),
        work_left_(partial_plans) {
    update_cutoff();
  }

  SearchResult run() {
    frontier_.assign(1, decided_at_start());
    for (depth_ = 0; depth_ < layers_.size() && !frontier_.empty(); ++depth_) {
      expand();
      drop_dominated();
      if (!at_last_layer()) thin();
      remember();
    }
    return {.proven_bytes = std::min(incumbent_.bytes(), rounded_up(dropped_bound_)),
            .rejected = rejected_};
  }

 private:
  [[nodiscard]] bool at_last_layer() const { return depth_ + 1 == layers_.size(); }

  /// Layers that have no choice.
  [[nodiscard]] Partial decided_at_start() {
    Partial start;
    levels_.assign(problem_.layers.size(), 0);
    std::vector<bool> branches(problem_.layers.size(), false);
    for (const std::size_t layer : layers_) branches[layer] = true;
    for (std::size_t i = 0; i < problem_.layers.size(); ++i) {
      if (branches[i]) continue;
      const Option& only = problem_.layers[i].front();
      start.bytes += only.bytes;
      start.error += only.error;
      levels_[i] = only.level;
    }
    return start;
  }

  /// A bound at or above the cutoff promises nothing better than the incumbent.
  void update_cutoff() {
    const double best = incumbent_.bytes();
    const double rounding = 1e-12 * best;
    cutoff_ = best - (granularity_ > 100.0 * rounding ? 0.99 * granularity_ : rounding);
  }

  /// Plans have bytes in steps of the granularity, counted from the incumbent.
  [[nodiscard]] double rounded_up(double bound) const {
    const double best = incumbent_.bytes();
    if (bound >= best || granularity_ <= 1e-10 * best) return bound * (1.0 - 1e-12);
    return best - granularity_ * std::floor((best - bound) / granularity_ + 1e-6);
  }

  /// Keeps as many partial plans as the work that is left, shared among the layers, allows.
  void thin() {
    const std::size_t next = depth_ + 1;
    const auto options = static_cast<std::int64_t>(problem_.layers[layers_[next]].size());
    const auto depths = static_cast<std::int64_t>(layers_.size() - next);
    const std::int64_t share = std::max<std::int64_t>(1, work_left_ / (depths * options));
    if (static_cast<std::int64_t>(frontier_.size()) > share) keep_best(share);
    work_left_ -= static_cast<std::int64_t>(frontier_.size()) * options;
  }

  /// The `count` with the best bounds. The set is the same whatever nth_element's algorithm.
  void keep_best(std::int64_t count) {
    const auto end_kept = frontier_.begin() + count;
    std::nth_element(frontier_.begin(), end_kept, frontier_.end(),
                     [](const Partial& a, const Partial& b) {
                       return std::tie(a.bound, a.error) < std::tie(b.bound, b.error);
                     });
    for (auto it = end_kept; it != frontier_.end(); ++it) {
      dropped_bound_ = std::min(dropped_bound_, it->bound);
    }
    frontier_.erase(end_kept, frontier_.end());
    sort(frontier_);
  }

  static void sort(std::vector<Partial>& partials) {
    std::sort(partials.begin(), partials.end(), [](const Partial& a, const Partial& b) {
      return std::tie(a.error, a.bytes, a.parent, a.option) <
             std::tie(b.error, b.bytes, b.parent, b.option);
    });
  }

  /// Decides the next layer in every way that may lead to a better plan.
  void expand() {
    const std::size_t layer = layers_[depth_];
    open_.decide(problem_, layer);
    next_.clear();
    const auto& options = problem_.layers[layer];
    for (std::size_t i = 0; i < options.size(); ++i) {
      expand_with(options[i], static_cast<std::uint32_t>(i));
    }
  }

  /// The frontier is sorted by error, so the room left only shrinks.
  void expand_with(const Option& option, std::uint32_t index) {
    std::size_t taken = open_.step_count();
    for (std::size_t parent = 0; parent < frontier_.size(); ++parent) {
      Partial partial{.error = frontier_[parent].error + option.error,
                      .bytes = frontier_[parent].bytes + option.bytes,
                      .parent = static_cast<std::uint32_t>(parent),
                      .option = index};
      const double room = room_ - partial.error;
      if (room < open_.least_error()) break;
      taken = open_.steps_within(room, taken);
      partial.bound = partial.bytes + open_.bound(taken, room);
      if (partial.bound >= cutoff_) continue;
      if (partial.bytes + open_.bytes_after(taken) < incumbent_.bytes()) offer(partial, taken);
      next_.push_back(partial);
    }
  }

  /// Offers the partial plan, completed along the hull.
  void offer(const Partial& partial, std::size_t taken) {
    const double error = partial.error + open_.error_after(taken);
    if (order_ == Order::kTable && error > (at_last_layer() ? problem_.max_error : sure_room_)) {
      return;
    }
    write_levels(partial, taken);
    if (incumbent_.offer(levels_)) {
      update_cutoff();
    } else {
      rejected_ = true;
      room_ = sure_room_;  // no more of those
    }
  }

  void write_levels(const Partial& partial, std::size_t taken) {
    open_.write_levels(problem_, taken, levels_);
    Origin origin{partial.parent, partial.option};
    for (std::size_t depth = depth_;; --depth) {
      const std::size_t layer = layers_[depth];
      levels_[layer] = problem_.layers[layer][origin.option].level;
      if (depth == 0) return;
      origin = history_[depth - 1][origin.parent];
    }
  }

  void drop_dominated() {
    sort(next_);
    frontier_.clear();
    double least = std::numeric_limits<double>::infinity();
    for (const Partial& partial : next_) {
      if (partial.bytes >= least || partial.bound >= cutoff_) continue;
      least = partial.bytes;
      frontier_.push_back(partial);
    }
  }

  void remember() {
    std::vector<Origin>& origins = history_.emplace_back();
    origins.reserve(frontier_.size());
    for (const Partial& partial : frontier_) origins.push_back({partial.parent, partial.option});
  }

  const Problem& problem_;
  Incumbent& incumbent_;
  std::vector<std::size_t> layers_;  ///< in the order in which they are decided
  SuffixBound open_;                 ///< of those not decided
  Order order_;
  double room_;       ///< the budget, widened by what rounding may hide
  double sure_room_;  ///< sums up to here are within the budget in whatever order
  double granularity_;
  double cutoff_ = 0.0;
  std::int64_t work_left_;
  std::size_t depth_ = 0;
  std::vector<Partial> frontier_;  ///< by rising error and falling bytes
  std::vector<Partial> next_;
  std::vector<std::vector<Origin>> history_;  ///< [depth] of the frontier after it
  std::vector<std::size_t> levels_;           ///< the plan being written
  double dropped_bound_ = std::numeric_limits<double>::infinity();
  bool rejected_ = false;
};

}  // namespace

SearchResult branch_and_bound(const Problem& problem, Order order, std::int64_t partial_plans,
                              Incumbent& incumbent) {
  return Search(problem, order, partial_plans, incumbent).run();
}

}  // namespace convoy::compress::internal
