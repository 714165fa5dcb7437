// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/exchange.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

namespace convoy::compress::internal {
namespace {

constexpr std::size_t kNoLayer = std::numeric_limits<std::size_t>::max();

/// Another level for one layer of the incumbent's plan; kNoLayer: everything stays.
struct Move {
  double error = 0.0;  ///< added
  double bytes = 0.0;  ///< added
  std::size_t layer = kNoLayer;
  std::size_t level = 0;
};

/// Of the moves up to one place: that with the fewest bytes, and the best in another layer.
struct Cheapest {
  const Move* first = nullptr;
  const Move* second = nullptr;

  void add(const Move& move) {
    if (first == nullptr || move.bytes < first->bytes) {
      if (first == nullptr || first->layer != move.layer) second = first;
      first = &move;
    } else if (move.layer != first->layer && (second == nullptr || move.bytes < second->bytes)) {
      second = &move;
    }
  }
  [[nodiscard]] const Move* not_in(std::size_t layer) const {
    return first == nullptr || first->layer != layer ? first : second;
  }
};

/// By rising error.
std::vector<Move> moves_from(const Problem& problem, const std::vector<std::size_t>& levels) {
  std::vector<Move> moves(1);
  for (std::size_t layer = 0; layer < problem.layers.size(); ++layer) {
    const auto& options = problem.layers[layer];
    const auto now = std::ranges::find(options, levels[layer], &Option::level);
    if (now == options.end()) continue;
    for (const Option& option : options) {
      if (option.level == now->level) continue;
      moves.push_back({option.error - now->error, option.bytes - now->bytes, layer, option.level});
    }
  }
  std::ranges::sort(moves, [](const Move& a, const Move& b) {
    return std::tie(a.error, a.bytes, a.layer, a.level) <
           std::tie(b.error, b.bytes, b.layer, b.level);
  });
  return moves;
}

struct Pair {
  const Move* one = nullptr;
  const Move* other = nullptr;
  double bytes = 0.0;
};

/// The two moves in different layers that save most within `room`; none where nothing saves.
Pair best_pair(const std::vector<Move>& moves, double room) {
  std::vector<Cheapest> cheapest(moves.size());
  Pair best;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (i > 0) cheapest[i] = cheapest[i - 1];
    cheapest[i].add(moves[i]);
  }
  std::size_t fit = moves.size();  // moves that fit beside moves[i]: fewer, the larger its error
  for (const Move& move : moves) {
    while (fit > 0 && moves[fit - 1].error + move.error > room) --fit;
    if (fit == 0) break;
    const Move* other = cheapest[fit - 1].not_in(move.layer);
    if (other == nullptr || move.bytes + other->bytes >= best.bytes) continue;
    best = {&move, other, move.bytes + other->bytes};
  }
  return best;
}

}  // namespace

void exchange_pairs(const Problem& problem, Incumbent& incumbent) {
  for (double before = std::numeric_limits<double>::infinity(); incumbent.bytes() < before;) {
    before = incumbent.bytes();
    std::vector<std::size_t> levels = incumbent.levels();
    const auto moves = moves_from(problem, levels);
    const Pair pair = best_pair(moves, problem.max_error - incumbent.error());
    if (pair.one == nullptr) return;
    for (const Move* move : {pair.one, pair.other}) {
      if (move->layer != kNoLayer) levels[move->layer] = move->level;
    }
    (void)incumbent.offer(levels);
  }
}

}  // namespace convoy::compress::internal
