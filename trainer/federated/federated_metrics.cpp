// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/federated_metrics.h"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

namespace convoy::trainer {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();  // null in JSON

/// A mean that is fed value by value.
struct Mean {
  double sum = 0.0;
  double weights = 0.0;

  void add(double value, double weight) {
    sum += value * weight;
    weights += weight;
  }
  [[nodiscard]] double value() const { return weights > 0.0 ? sum / weights : kNothing; }
};

}  // namespace

FederatedMetrics::FederatedMetrics(const std::filesystem::path& run_dir, bool jsonl, bool quiet,
                                   std::int64_t last_step, std::int64_t last_version)
    : quiet_(quiet) {
  if (jsonl)
    file_ = std::make_unique<JsonlFile>(run_dir / "metrics.jsonl", last_step, last_version);
}

void FederatedMetrics::new_model(const NewModel& made, std::int64_t step) {
  Mean loss;
  Mean staleness;
  Mean client_loss;
  Mean client_accuracy;
  for (const auto& member : made.members) {
    loss.add(member.loss, static_cast<double>(member.samples));
    staleness.add(static_cast<double>(member.contribution.staleness), 1.0);
    if (!member.validation) continue;
    client_loss.add(member.validation->loss, static_cast<double>(member.validation->samples));
    client_accuracy.add(member.validation->accuracy,
                        static_cast<double>(member.validation->samples));
  }
  train_loss_ = loss.value();
  if (!file_) return;
  const nlohmann::ordered_json json{{"kind", "aggregate"},
                                    {"step", step},
                                    {"seconds", made.time},
                                    {"version", made.version},
                                    {"updates", made.members.size()},
                                    {"loss", loss.value()},
                                    {"staleness", staleness.value()},
                                    {"client_loss", client_loss.value()},
                                    {"client_accuracy", client_accuracy.value()}};
  file_->append(json.dump());
}

void FederatedMetrics::evaluation(const Evaluation& found, double time, std::int64_t version,
                                  std::int64_t step) {
  if (file_ && file_->evaluated_before() != version) {
    const nlohmann::ordered_json json{{"kind", "evaluation"}, {"step", step},
                                      {"seconds", time},      {"version", version},
                                      {"loss", found.loss},   {"accuracy", found.accuracy}};
    file_->append(json.dump());
  }
  if (quiet_) return;
  std::fputs(fmt::format("{:10.1f} s  version {:<5} updates {:<6} loss {:.4f}  accuracy {:.4f}\n",
                         time, version, step, found.loss, found.accuracy)
                 .c_str(),
             stderr);
}

}  // namespace convoy::trainer
