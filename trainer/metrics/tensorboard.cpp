// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/metrics/internal/append_file.h"
#include "trainer/metrics/internal/tfrecord.h"
#include "trainer/metrics/metrics.h"
#include "trainer/metrics/tensorboard_event.pb.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

double wall_seconds() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return now.count();
}

/// TensorBoard takes files whose name holds "tfevents" and reads them in the order of their names.
fs::path new_event_file(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw std::runtime_error("cannot create " + folder.string() + ": " + error.message());
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  for (int number = 0;; ++number) {
    auto path = folder / fmt::format("events.out.tfevents.{:010}.{}.{}.{}",
                                     static_cast<std::int64_t>(wall_seconds()), host.data(),
                                     ::getpid(), number);
    if (!fs::exists(path)) return path;
  }
}

class TensorBoardSink final : public MetricsSink {
 public:
  TensorBoardSink(const fs::path& folder, std::int64_t resume_step)
      : file_(new_event_file(folder)) {
    tensorboard::Event version;
    version.set_file_version("brain.Event:2");
    write(0, std::move(version));
    // Makes TensorBoard drop what an earlier file of this folder has from this step on.
    tensorboard::Event start;
    start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
    write(resume_step + 1, std::move(start));
  }

  void interval(const IntervalMetrics& m) override {
    tensorboard::Event event;
    auto& summary = *event.mutable_summary();
    add(summary, "train/loss", m.loss);
    add(summary, "train/learning_rate", m.learning_rate);
    add(summary, "train/epoch", static_cast<double>(m.epoch));
    add(summary, "train/skipped_steps", static_cast<double>(m.skipped_steps));
    add(summary, "speed/samples_per_second", m.samples_per_second);
    add(summary, "speed/bytes_sent", static_cast<double>(m.bytes_sent));
    add(summary, "milliseconds/step", m.step_ms);
    add(summary, "milliseconds/data", m.data_ms);
    add(summary, "milliseconds/forward", m.forward_ms);
    add(summary, "milliseconds/backward", m.backward_ms);
    add(summary, "milliseconds/exposed_communication", m.exposed_communication_ms);
    add(summary, "milliseconds/optimizer", m.optimizer_ms);
    if (m.communication) {
      add(summary, "milliseconds/encode", m.communication->encode_ms);
      add(summary, "milliseconds/wire", m.communication->wire_ms);
      add(summary, "milliseconds/decode", m.communication->decode_ms);
    }
    if (m.straggler) {
      add(summary, "speed/slowest_rank", m.straggler->rank);
      add(summary, "milliseconds/waited_for_slowest_rank", 1e3 * m.straggler->waited);
    }
    write(m.step, std::move(event));
  }

  void evaluation(const EvaluationMetrics& m) override {
    tensorboard::Event event;
    auto& summary = *event.mutable_summary();
    add(summary, "eval/loss", m.loss);
    if (!std::isnan(m.accuracy)) add(summary, "eval/accuracy", m.accuracy);
    write(m.step, std::move(event));
  }

 private:
  static void add(tensorboard::Summary& summary, const char* tag, double value) {
    auto& point = *summary.add_value();
    point.set_tag(tag);
    point.set_simple_value(static_cast<float>(value));
  }

  void write(std::int64_t step, tensorboard::Event event) {
    event.set_wall_time(wall_seconds());
    event.set_step(step);
    file_.append(internal::tfrecord(event.SerializeAsString()));
  }

  internal::AppendFile file_;
};

}  // namespace

std::unique_ptr<MetricsSink> make_tensorboard_sink(const fs::path& folder,
                                                   std::int64_t resume_step) {
  return std::make_unique<TensorBoardSink>(folder, resume_step);
}

}  // namespace convoy::trainer
