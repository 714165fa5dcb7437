// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/replanner.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include "base/errors.h"
#include "comm/values.h"
#include "compress/reduce/internal/by_maker.h"

namespace convoy::compress::internal {
namespace {

/// Values of one small all-reduce: gradients that travel meanwhile wait for at most this.
constexpr std::size_t kPiece = std::size_t{64} << 10;
/// The longest that one piece waits for gradients to be through.
constexpr std::chrono::milliseconds kPatience{50};

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// In place of the bytes of a level.
constexpr double kDropped = -1.0;

/// Bytes and error of every candidate, where this rank has made the table.
void append_costs(const LayerTable& entry, const std::vector<Level>& candidates,
                  std::vector<double>& out) {
  if (entry.levels.empty()) return;
  for (const Level candidate : candidates) {
    const auto cost = std::ranges::find(entry.levels, candidate, &LevelCost::level);
    const bool kept = cost != entry.levels.end();
    out.insert(out.end(), {kept ? cost->bytes : kDropped, kept ? cost->error : 0.0});
  }
}

bool is_finite(const Table& table) {
  return std::ranges::all_of(table, [](const LayerTable& layer) {
    return std::ranges::all_of(layer.levels,
                               [](const LevelCost& cost) { return std::isfinite(cost.error); });
  });
}

}  // namespace

/// One plan on its way.
struct Replanner::Work {
  std::int64_t steps = 1;  // in the window
  std::vector<Layer> layers;
  // Averaged in place; shared with transfers under way.
  std::vector<std::shared_ptr<std::vector<float>>> gradients;
  std::vector<int> makers;  // rank that makes the table of each layer
  Table table;
  PlanRecord record;
  // Where time is minimised:
  BucketClock clock;
  std::vector<double> codec_seconds;  // of the layers that this rank makes, for each candidate
  std::vector<LayerTimes> times;
  StepModel model;
};

Replanner::Replanner(comm::Communicator& communicator, Family& family, PlanRequest request,
                     std::shared_ptr<Executor> executor, const std::atomic<bool>& busy)
    : communicator_(communicator.duplicate()),
      family_(family),
      request_(std::move(request)),
      busy_(busy),
      executor_(std::move(executor)) {
  if (request_.minimise_time) {
    timing_ = std::make_unique<PlanTiming>(*communicator_, executor_);
  }
}

Replanner::~Replanner() {
  leaving_ = true;
  if (pending_.valid()) pending_.wait();
}

void Replanner::start(GradientSums sums, std::int64_t steps,
                      const std::map<std::string, Layer>& layers, const BucketClock& clock,
                      PlanRecord record) {
  require(!pending_.valid(), "Replanner: the last plan has not been taken");
  const auto work = std::make_shared<Work>();
  work->steps = steps;
  std::vector<std::int64_t> numels;
  for (const auto& [name, layer] : layers) {
    work->layers.push_back(layer);
    work->gradients.push_back(std::make_shared<std::vector<float>>(std::move(sums[name])));
    work->gradients.back()->resize(static_cast<std::size_t>(layer.numel));
    numels.push_back(layer.numel);
  }
  work->makers = share_out(numels, communicator_->size());
  work->record = std::move(record);
  if (timing_ != nullptr) work->clock = clock;
  pending_ = std::async(std::launch::async, [this, work] { return plan(*work); });
}

PlanRecord Replanner::plan(Work& work) {
  executor_->enter();
  auto begin = Clock::now();
  average(work);
  work.record.gather_ms = milliseconds_since(begin);
  begin = Clock::now();
  tabulate(work);
  exchange_tables(work);
  if (timing_ != nullptr) exchange_times(work);
  average_step_error(work.record);
  work.record.table_ms = milliseconds_since(begin);
  if (!is_finite(work.table)) return {};
  begin = Clock::now();
  solve(work);
  work.record.solve_ms = milliseconds_since(begin);
  compare_hashes(work.record.hash);
  return std::move(work.record);
}

void Replanner::give_way() const {
  const auto until = Clock::now() + kPatience;
  while (busy_ && !leaving_ && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Replanner::average(Work& work) {
  const auto share = 1.0F / static_cast<float>(communicator_->size() * work.steps);
  for (const auto& gradient : work.gradients) {
    for (auto rest = std::span(*gradient); !rest.empty();) {
      const auto piece = rest.first(std::min(rest.size(), kPiece));
      give_way();
      communicator_->all_reduce(comm::Buffer(piece, gradient)).wait();
      for (float& value : piece) value *= share;
      rest = rest.subspan(piece.size());
    }
  }
}

void Replanner::tabulate(Work& work) {
  for (std::size_t i = 0; i < work.layers.size(); ++i) {
    const Layer& layer = work.layers[i];
    LayerTable entry{layer.name, layer.numel, {}};
    if (work.makers[i] == communicator_->rank()) {
      const std::vector<float>& gradient = *work.gradients[i];
      entry.levels = family_.table(layer, gradient, request_.candidates, communicator_->size());
      request_.prepare(entry, gradient);
      if (timing_ != nullptr) measure_codecs(layer, gradient, work);
    }
    work.table.push_back(std::move(entry));
    work.gradients[i].reset();
  }
}

void Replanner::measure_codecs(const Layer& layer, std::span<const float> gradient, Work& work) {
  const auto& seconds =
      timing_->codec_seconds(family_, layer, gradient, request_.candidates, communicator_->size());
  work.codec_seconds.insert(work.codec_seconds.end(), seconds.begin(), seconds.end());
}

/// Every rank sends as many numbers as it has candidates; a level that was dropped has no bytes.
void Replanner::exchange_tables(Work& work) {
  const std::size_t levels = request_.candidates.size();
  std::vector<double> own;
  for (const LayerTable& entry : work.table) append_costs(entry, request_.candidates, own);
  const auto costs = gather_by_maker(*communicator_, work.makers, own, 2 * levels);
  for (std::size_t i = 0; i < work.table.size(); ++i) {
    work.table[i].levels.clear();
    for (std::size_t level = 0; level < levels; ++level) {
      if (costs[i][2 * level] == kDropped) continue;
      work.table[i].levels.push_back(
          {request_.candidates[level], costs[i][2 * level], costs[i][2 * level + 1]});
    }
  }
}

void Replanner::exchange_times(Work& work) {
  const std::size_t levels = request_.candidates.size();
  const auto seconds = gather_by_maker(*communicator_, work.makers, work.codec_seconds, levels);
  work.times = layer_times(work.table, seconds, request_.candidates, work.clock.bucket_of_layer());
  work.model = timing_->model(*communicator_, work.clock);
}

void Replanner::average_step_error(PlanRecord& record) {
  const auto errors = comm::all_gather_values(*communicator_, std::vector{record.step_error});
  const double sum = std::accumulate(errors.begin(), errors.end(), 0.0);
  record.step_error = sum / static_cast<double>(errors.size());
}

void Replanner::solve(Work& work) {
  PlanRecord& record = work.record;
  const Budget& budget = request_.budget;
  const Choice reference = uniform(work.table, budget.reference, budget.metric);
  const double allowed = max_error(work.table, budget);
  const Choice fewest = lgreco(work.table, allowed, budget.metric);
  const Choice choice = timing_ == nullptr ? fewest : fastest_choice(work, allowed);
  for (std::size_t i = 0; i < work.table.size(); ++i) {
    const Layer& layer = work.layers[i];
    const LevelCost& cost = work.table[i].levels[choice.levels[i]];
    record.layers.push_back({layer.name, layer.numel, cost.level, cost.bytes,
                             family_.payload_bytes(layer, cost.level), cost.error});
    record.dense_bytes += family_.wire_bytes(layer, Level::dense(), communicator_->size());
  }
  record.bytes = choice.bytes;
  record.error = choice.error;
  record.max_error = choice.max_error;
  record.uniform_bytes = reference.bytes;
  record.optimum_bytes = fewest.proven_bytes;
  record.optimum_is_exact = fewest.is_optimal();
  record.hash = plan_hash(record.layers);
}

Choice Replanner::fastest_choice(Work& work, double allowed) const {
  const Choice choice =
      fastest(work.table, work.times, work.model, allowed, request_.budget.metric);
  const auto milliseconds = [&](const std::vector<std::size_t>& levels) {
    return 1e3 * predicted_seconds(work.times, work.model, levels);
  };
  std::vector<std::size_t> dense;
  for (const LayerTable& layer : work.table) dense.push_back(layer.levels.size() - 1);
  work.record.predicted_ms = milliseconds(choice.levels);
  work.record.dense_predicted_ms = milliseconds(dense);
  return choice;
}

void Replanner::compare_hashes(const std::string& hash) {
  const std::vector<std::uint8_t> own(hash.begin(), hash.end());
  const auto all = comm::all_gather_values(*communicator_, own);
  for (std::size_t rank = 1; rank * own.size() < all.size(); ++rank) {
    const auto theirs = std::span(all).subspan(rank * own.size(), own.size());
    require(std::ranges::equal(theirs, std::span(all).first(own.size())),
            fmt::format("plans differ: rank {} has {}, rank 0 has {}", rank,
                        std::string(theirs.begin(), theirs.end()),
                        std::string(all.begin(), all.begin() + std::ssize(own))));
  }
}

}  // namespace convoy::compress::internal
