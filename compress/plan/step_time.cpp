// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/step_time.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/errors.h"

namespace convoy::compress {
namespace {

/// Collectives that follow each other: one all-reduce, or two hops.
constexpr std::array<double, 3> kRounds{1.0, 2.0, 2.0};

struct BucketTime {
  double codec = 0.0;
  double wire = 0.0;
  double taken = 0.0;  // from backward
};

std::vector<BucketTime> bucket_times(const std::vector<LayerTimes>& times, const StepModel& model,
                                     const std::vector<std::size_t>& levels) {
  std::vector<BucketTime> buckets(model.ready.size());
  std::vector<std::array<bool, kRounds.size()>> travels(buckets.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    const LevelTime& level = times[i].levels[levels[i]];
    BucketTime& bucket = buckets[times[i].bucket];
    bucket.codec += level.codec_seconds;
    bucket.wire += level.wire_bytes * model.seconds_per_byte;
    bucket.taken += level.codec_seconds + level.wire_bytes * model.cpu_per_byte;
    travels[times[i].bucket][static_cast<std::size_t>(level.carriage)] = true;
  }
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    for (std::size_t kind = 0; kind < kRounds.size(); ++kind) {
      if (travels[b][kind]) buckets[b].wire += kRounds[kind] * model.latency;
    }
  }
  return buckets;
}

/// When each bucket is through.
struct Timetable {
  double end = 0.0;
  /// The first bucket of the last run without a pause: what is shorter from there on ends sooner.
  std::size_t critical = 0;
};

Timetable timetable(const std::vector<BucketTime>& buckets, const std::vector<double>& ready) {
  Timetable table;
  double taken = 0.0;  // so far
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    const double complete = ready[b] + taken;
    if (complete > table.end) {
      table.end = complete;
      table.critical = b;
    }
    table.end += buckets[b].codec + buckets[b].wire;
    taken += buckets[b].taken;
  }
  return table;
}

void check(const Table& table, const std::vector<LayerTimes>& times, const StepModel& model) {
  require(times.size() == table.size(), "fastest: times of other layers");
  for (std::size_t i = 0; i < table.size(); ++i) {
    require(
        times[i].levels.size() == table[i].levels.size() && times[i].bucket < model.ready.size(),
        "fastest: times of other levels, or of no bucket: " + table[i].name);
  }
}

using Levels = std::vector<std::size_t>;  // index of each layer's

class Search {
 public:
  Search(const Table& table, const std::vector<LayerTimes>& times, const StepModel& model,
         double max_error, ErrorMetric metric)
      : table_(table), times_(times), model_(model), max_error_(max_error), metric_(metric) {}

  Levels run() {
    Levels dense(table_.size());
    for (std::size_t i = 0; i < dense.size(); ++i) dense[i] = table_[i].levels.size() - 1;
    if (error_of(dense) <= max_error_) improve(dense);
    improve(lgreco(table_, max_error_, metric_).levels);
    // At first no byte is hidden; then those of the last timetable.
    std::vector<double> prices(model_.ready.size(), 1.0);
    for (int round = 0; round < kPriceRounds; ++round) {
      const auto levels = lgreco(priced(prices), max_error_, metric_).levels;
      improve(levels);
      const auto critical = timetable(bucket_times(times_, model_, levels), model_.ready).critical;
      for (std::size_t b = 0; b < prices.size(); ++b) {
        prices[b] = (prices[b] + (b < critical ? 0.0 : 1.0)) / 2;
      }
    }
    return best_;
  }

 private:
  static constexpr int kPriceRounds = 5;
  static constexpr std::size_t kMostForSwaps = 100;  // layers: each is tried with each

  [[nodiscard]] double error_of(std::size_t layer, std::size_t level) const {
    const double error = table_[layer].levels[level].error;
    return metric_ == ErrorMetric::kL2 ? std::sqrt(error) : error;
  }
  [[nodiscard]] double error_of(const Levels& levels) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < levels.size(); ++i) sum += error_of(i, levels[i]);
    return sum;
  }

  /// The table with seconds in place of bytes.
  [[nodiscard]] Table priced(const std::vector<double>& prices) const {
    Table table = table_;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const double price = prices[times_[i].bucket] * model_.seconds_per_byte + model_.cpu_per_byte;
      for (std::size_t level = 0; level < table[i].levels.size(); ++level) {
        const LevelTime& time = times_[i].levels[level];
        table[i].levels[level].bytes = time.codec_seconds + price * time.wire_bytes;
      }
    }
    return table;
  }

  [[nodiscard]] double seconds_of(const Levels& levels) const {
    return predicted_seconds(times_, model_, levels);
  }

  /// Changes layers, and buckets as a whole, as long as that gains anything to speak of.
  void improve(Levels levels) {
    constexpr double kWorthwhile = 1e-4;
    double seconds = seconds_of(levels);
    const auto take_if_faster = [&](Levels changed) {
      if (error_of(changed) > max_error_) return;
      const double faster = seconds_of(changed);
      if (faster >= seconds) return;
      seconds = faster;
      levels = std::move(changed);
    };
    double before = std::numeric_limits<double>::infinity();
    while (seconds < before * (1.0 - kWorthwhile)) {
      before = seconds;
      for (std::size_t i = 0; i < table_.size(); ++i) {
        for (std::size_t level = 0; level < table_[i].levels.size(); ++level) {
          Levels changed = levels;
          changed[i] = level;
          take_if_faster(changed);
          if (table_.size() <= kMostForSwaps) swap(changed, i, take_if_faster);
        }
      }
      for (const Carriage carriage : {Carriage::kDense, Carriage::kHalf}) {
        for (std::size_t b = 0; b < model_.ready.size(); ++b) {
          take_if_faster(with_bucket(levels, b, carriage));
        }
      }
    }
    if (seconds >= seconds_) return;
    seconds_ = seconds;
    best_ = std::move(levels);
  }

  /// Layer `changed` has taken error that another one may have to give back.
  template <typename Take>
  void swap(Levels levels, std::size_t changed, const Take& take_if_faster) const {
    if (error_of(levels) <= max_error_) return;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (i == changed) continue;
      const std::size_t level = levels[i];
      for (std::size_t exact = level + 1; exact < table_[i].levels.size(); ++exact) {
        levels[i] = exact;
        if (error_of(levels) > max_error_) continue;
        take_if_faster(levels);
        break;
      }
      levels[i] = level;
    }
  }

  [[nodiscard]] Levels with_bucket(Levels levels, std::size_t bucket, Carriage carriage) const {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (times_[i].bucket != bucket) continue;
      const auto& all = times_[i].levels;
      const auto found = std::ranges::find(all, carriage, &LevelTime::carriage);
      if (found != all.end()) levels[i] = static_cast<std::size_t>(found - all.begin());
    }
    return levels;
  }

  const Table& table_;
  const std::vector<LayerTimes>& times_;
  const StepModel& model_;
  double max_error_;
  ErrorMetric metric_;
  Levels best_;
  double seconds_ = std::numeric_limits<double>::infinity();
};

}  // namespace

double predicted_seconds(const std::vector<LayerTimes>& times, const StepModel& model,
                         const std::vector<std::size_t>& levels) {
  return timetable(bucket_times(times, model, levels), model.ready).end;
}

Choice fastest(const Table& table, const std::vector<LayerTimes>& times, const StepModel& model,
               double max_error, ErrorMetric metric) {
  check(table, times, model);
  Choice choice{.levels = Search(table, times, model, max_error, metric).run(),
                .max_error = max_error};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const LevelCost& cost = table[i].levels[choice.levels[i]];
    choice.bytes += cost.bytes;
    choice.error += metric == ErrorMetric::kL2 ? std::sqrt(cost.error) : cost.error;
  }
  return choice;
}

}  // namespace convoy::compress
