// SPDX-License-Identifier: Apache-2.0
#include "trainer/compression_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "comm/values.h"
#include "compress/reduce/plan_json.h"

namespace convoy::trainer {
namespace {

double ratio_of(double dense_bytes, double sent_bytes) {
  return sent_bytes > 0.0 ? dense_bytes / sent_bytes : 1.0;
}

}  // namespace

void CompressionLog::open(const std::filesystem::path& run_dir, std::int64_t resume_step,
                          bool shadow) {
  // A plan that takes effect in the next step is announced again.
  plans_ = std::make_unique<JsonlFile>(run_dir / "plans.jsonl", resume_step - 1);
  if (shadow) shadow_ = std::make_unique<JsonlFile>(run_dir / "shadow.jsonl", resume_step);
}

void CompressionLog::after_step(compress::Reducer& reducer, std::int64_t step) {
  now_ = reducer.traffic();
  const auto plans = reducer.take_plans();
  const auto shadow = reducer.take_shadow();
  if (plans_ == nullptr) return;
  for (const auto& plan : plans) plans_->append(compress::to_json_line(plan));
  if (shadow_ != nullptr && !shadow.empty()) write_shadow(shadow, step);
}

void CompressionLog::write_shadow(const std::vector<compress::ShadowRow>& rows, std::int64_t step) {
  nlohmann::ordered_json json{{"step", step}, {"layers", nlohmann::ordered_json::array()}};
  double worst = 1.0;
  std::string worst_name = rows.front().name;
  for (const auto& row : rows) {
    json["layers"].push_back({{"name", row.name},
                              {"cosine", row.cosine},
                              {"norm_ratio", row.norm_ratio},
                              {"relative_error", row.relative_error}});
    if (row.cosine >= worst) continue;
    worst = row.cosine;
    worst_name = row.name;
  }
  shadow_->append(json.dump());
  logger("trainer")->info(
      "shadow steps are over: compressed and dense gradients agree least in {} "
      "(cosine {:.4f}); all layers are in shadow.jsonl",
      worst_name, worst);
}

double CompressionLog::ratio() const {
  return ratio_of(static_cast<double>(dense_before_ + now_.dense_bytes),
                  static_cast<double>(sent_before_ + now_.sent_bytes));
}

double CompressionLog::ratio_of_all(comm::Communicator& communicator) const {
  const auto sums = comm::all_reduce_values(
      communicator, std::vector{static_cast<double>(dense_before_ + now_.dense_bytes),
                                static_cast<double>(sent_before_ + now_.sent_bytes)});
  return ratio_of(sums[0], sums[1]);
}

void CompressionLog::fill(IntervalMetrics& metrics) const {
  metrics.compression_ratio = ratio();
  metrics.saturated_values = now_.saturated;
  metrics.residual_bytes = now_.residual_bytes;
}

void CompressionLog::save(std::map<std::string, double>& counters) const {
  counters["dense_gradient_bytes"] = static_cast<double>(dense_before_ + now_.dense_bytes);
  counters["gradient_bytes"] = static_cast<double>(sent_before_ + now_.sent_bytes);
}

void CompressionLog::restore(std::map<std::string, double>& counters) {
  dense_before_ = static_cast<std::uint64_t>(counters["dense_gradient_bytes"]);
  sent_before_ = static_cast<std::uint64_t>(counters["gradient_bytes"]);
}

}  // namespace convoy::trainer
