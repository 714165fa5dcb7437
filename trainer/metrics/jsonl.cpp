// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "trainer/metrics/jsonl_file.h"
#include "trainer/metrics/metrics.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::ordered_json;

class JsonlSink final : public MetricsSink {
 public:
  JsonlSink(const std::filesystem::path& path, std::int64_t last_step) : file_(path, last_step) {}

  void interval(const IntervalMetrics& m) override {
    Json json{{"kind", "train"},
              {"step", m.step},
              {"epoch", m.epoch},
              {"seconds", m.seconds},
              {"loss", m.loss},
              {"learning_rate", m.learning_rate},
              {"samples_per_second", m.samples_per_second},
              {"step_ms", m.step_ms},
              {"data_ms", m.data_ms},
              {"forward_ms", m.forward_ms},
              {"backward_ms", m.backward_ms},
              {"exposed_communication_ms", m.exposed_communication_ms},
              {"optimizer_ms", m.optimizer_ms},
              {"bytes_sent", m.bytes_sent},
              {"skipped_steps", m.skipped_steps},
              {"compression_ratio", m.compression_ratio},
              {"saturated_values", m.saturated_values},
              {"residual_bytes", m.residual_bytes}};
    if (!m.parts.empty()) json["parts"] = m.parts;
    if (m.communication) {
      json["encode_ms"] = m.communication->encode_ms;
      json["wire_ms"] = m.communication->wire_ms;
      json["decode_ms"] = m.communication->decode_ms;
    }
    if (m.straggler) {
      json["slowest_rank"] = m.straggler->rank;
      json["waited"] = m.straggler->waited;
    }
    write(json);
  }

  void evaluation(const EvaluationMetrics& m) override {
    if (file_.evaluated_before() == m.step) return;
    write({{"kind", "evaluation"},
           {"step", m.step},
           {"epoch", m.epoch},
           {"loss", m.loss},
           {"accuracy", m.accuracy}});
  }

 private:
  /// nlohmann writes numbers that are not finite as null.
  void write(const Json& json) { file_.append(json.dump()); }

  JsonlFile file_;
};

}  // namespace

std::unique_ptr<MetricsSink> make_jsonl_sink(const std::filesystem::path& path,
                                             std::int64_t resume_step) {
  return std::make_unique<JsonlSink>(path, resume_step);
}

}  // namespace convoy::trainer
