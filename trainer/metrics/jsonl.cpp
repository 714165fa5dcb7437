// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/file.h"
#include "trainer/metrics/internal/append_file.h"
#include "trainer/metrics/metrics.h"

namespace convoy::trainer {
namespace {

using Json = nlohmann::ordered_json;

bool belongs_to_steps_until(std::string_view line, std::int64_t last_step) {
  const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto step = json.find("step");
  return step != json.end() && step->is_number_integer() && step->get<std::int64_t>() <= last_step;
}

/// Keeps the complete lines of steps until `last_step`. A killed run may have left half a line.
void cut_lines(const std::filesystem::path& path, std::int64_t last_step) {
  if (!std::filesystem::is_regular_file(path)) return;
  const std::string text = read_text_file(path);
  std::string kept;
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const auto line = std::string_view(text).substr(begin, end - begin);
    if (belongs_to_steps_until(line, last_step)) kept.append(line).append("\n");
    begin = end + 1;
  }
  if (kept != text) write_file_atomic(path, kept);
}

class JsonlSink final : public MetricsSink {
 public:
  explicit JsonlSink(const std::filesystem::path& path) : file_(path) {}

  void interval(const IntervalMetrics& m) override {
    write({{"kind", "train"},
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
           {"skipped_steps", m.skipped_steps}});
  }

  void evaluation(const EvaluationMetrics& m) override {
    write({{"kind", "evaluation"},
           {"step", m.step},
           {"epoch", m.epoch},
           {"loss", m.loss},
           {"accuracy", m.accuracy}});
  }

 private:
  /// nlohmann writes numbers that are not finite as null.
  void write(const Json& json) { file_.append(json.dump() + "\n"); }

  internal::AppendFile file_;
};

}  // namespace

std::unique_ptr<MetricsSink> make_jsonl_sink(const std::filesystem::path& path,
                                             std::int64_t resume_step) {
  cut_lines(path, resume_step);
  return std::make_unique<JsonlSink>(path);
}

}  // namespace convoy::trainer
