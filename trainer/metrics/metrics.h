// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace convoy::trainer {

/// [metrics] of the job file.
struct MetricsConfig {
  bool jsonl = true;
  bool tensorboard = false;
  std::int64_t every_steps = 50;  ///< steps that one line sums up
  bool layers = false;            ///< layers.jsonl: where the time of each layer goes
};

/// What the communication thread did, in milliseconds of a step.
struct CommunicationMetrics {
  double encode_ms = 0.0;
  double wire_ms = 0.0;  ///< some collective was under way
  double decode_ms = 0.0;
};

/// The rank that the others waited for.
struct Straggler {
  int rank = 0;
  double waited = 0.0;  ///< seconds a step, mean over the other ranks
};

/// Means over the steps since the last line; what metrics.jsonl holds. Milliseconds are of rank 0.
struct IntervalMetrics {
  std::int64_t step = 0;  ///< steps done
  std::int64_t epoch = 0;
  double seconds = 0.0;  ///< since the run began
  double loss = 0.0;     ///< mean over all samples of all ranks
  double learning_rate = 0.0;
  double samples_per_second = 0.0;  ///< all ranks together
  double step_ms = 0.0;
  double data_ms = 0.0;
  double forward_ms = 0.0;
  double backward_ms = 0.0;
  double exposed_communication_ms = 0.0;
  double optimizer_ms = 0.0;
  std::uint64_t bytes_sent = 0;  ///< by rank 0 in the interval
  std::int64_t skipped_steps = 0;
  /// Of gradients, since the run began: bytes that dense averaging would have sent over bytes sent.
  double compression_ratio = 1.0;
  std::uint64_t saturated_values = 0;  ///< beyond the range of float16, by rank 0 since the start
  std::uint64_t residual_bytes = 0;    ///< memory of error feedback on rank 0
  /// [ranks] samples of a full global batch, where they follow speed; else empty.
  std::vector<std::int64_t> parts;
  std::optional<CommunicationMetrics> communication;  ///< where layers are watched
  std::optional<Straggler> straggler;  ///< of several ranks, unless they wait inside layers
};

struct EvaluationMetrics {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double loss = 0.0;
  double accuracy = 0.0;  ///< NaN for regression; written as null
};

/// Receives what training reports. One line or point each.
class MetricsSink {
 public:
  virtual ~MetricsSink() = default;
  virtual void interval(const IntervalMetrics& metrics) = 0;
  virtual void evaluation(const EvaluationMetrics& metrics) = 0;
};

/// {"kind":"train",...} and {"kind":"evaluation",...}, one JSON object a line, flushed each. A
/// resumed run cuts off the lines after `resume_step` and appends; an evaluation that is there it
/// does not write again.
/// @throws std::runtime_error that names the path and the reason.
[[nodiscard]] std::unique_ptr<MetricsSink> make_jsonl_sink(const std::filesystem::path& path,
                                                           std::int64_t resume_step);
/// A new TensorBoard event file in `folder`: train/loss, train/learning_rate, eval/accuracy,
/// milliseconds/step, ... Each point is flushed. TensorBoard leaves out what files of earlier runs
/// in this folder have after `resume_step`.
/// @throws std::runtime_error that names the path and the reason.
[[nodiscard]] std::unique_ptr<MetricsSink> make_tensorboard_sink(
    const std::filesystem::path& folder, std::int64_t resume_step = 0);

}  // namespace convoy::trainer
