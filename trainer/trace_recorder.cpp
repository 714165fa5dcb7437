// SPDX-License-Identifier: Apache-2.0
#include "trainer/trace_recorder.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/log.h"
#include "comm/values.h"
#include "trainer/metrics/trace_file.h"

namespace convoy::trainer {
namespace {

constexpr std::int64_t kMostSpans = 500'000;  // of all ranks: some 80 MB of text
constexpr std::int64_t kStepsByDefault = 20;
constexpr std::int64_t kSkippedByDefault = 9;  // memory, buckets and caches settle
constexpr int kTag = 12;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "?";
  return name.data();
}

/// Rank 0: the texts of all ranks; others: nothing. Collective.
std::vector<std::string> gather_texts(comm::Communicator& communicator, std::string own) {
  const auto sizes =
      comm::all_gather_values(communicator, std::vector{static_cast<std::int64_t>(own.size())});
  if (communicator.rank() > 0) {
    const auto bytes = std::make_shared<std::string>(std::move(own));
    communicator
        .send(comm::ConstBuffer(std::as_bytes(std::span(*bytes)), comm::DType::kUInt8, bytes), 0,
              kTag)
        .wait();
    return {};
  }
  std::vector<std::string> texts{std::move(own)};
  for (std::size_t rank = 1; rank < sizes.size(); ++rank) {
    const auto text = std::make_shared<std::string>(static_cast<std::size_t>(sizes[rank]), ' ');
    communicator
        .recv(comm::Buffer(std::as_writable_bytes(std::span(*text)), comm::DType::kUInt8, text),
              static_cast<int>(rank), kTag)
        .wait();
    texts.push_back(std::move(*text));
  }
  return texts;
}

}  // namespace

StepRange traced_steps(const TraceRequest& request, StepRange run) {
  if (request.first_step == 0) {
    const std::int64_t spare = std::max<std::int64_t>(0, run.end - run.begin - kStepsByDefault);
    const std::int64_t begin = run.begin + std::min(kSkippedByDefault, spare);
    return {begin, std::min(begin + kStepsByDefault, run.end)};
  }
  const StepRange steps{std::max(request.first_step - 1, run.begin),
                        std::min(request.last_step, run.end)};
  require_config(steps.begin < steps.end,
                 fmt::format("there is nothing to trace in steps {} to {}: this run has steps {} "
                             "to {}",
                             request.first_step, request.last_step, run.begin + 1, run.end));
  return steps;
}

TraceRecorder::TraceRecorder(comm::Communicator& communicator, std::filesystem::path file,
                             StepRange steps)
    : communicator_(communicator),
      file_(std::move(file)),
      steps_(steps),
      one_clock_(have_one_clock(communicator)),
      start_(read_clock()),
      origin_(comm::broadcast_values(
                  communicator,
                  std::vector{std::chrono::nanoseconds(start_.at.time_since_epoch()).count()}, 0)
                  .front()) {}

ClockReading TraceRecorder::read_clock() {
  return one_clock_ ? ClockReading{.at = Timeline::Clock::now()} : compare_clocks(communicator_);
}

void TraceRecorder::add(std::span<const Timeline::Span> spans) {
  for (const auto& span : spans) {
    if (span.step < steps_.begin || span.step >= steps_.end) continue;
    if (std::ssize(spans_) < kMostSpans / communicator_.size()) {
      spans_.push_back(span);
    } else {
      ++left_out_;
    }
  }
}

std::string TraceRecorder::own_events() {
  const ClockReading end = read_clock();
  const auto to_trace_time = [&](Timeline::Clock::time_point time) {
    return std::chrono::nanoseconds(time.time_since_epoch()) - ahead_at(start_, end, time) -
           std::chrono::nanoseconds(origin_);
  };
  const int rank = communicator_.rank();
  return trace_events(rank, fmt::format("rank {} on {}", rank, host_name()), spans_, to_trace_time);
}

void TraceRecorder::write() {
  written_ = true;
  if (left_out_ > 0) {
    logger("trainer")->warn("{} spans of this rank have no room in {}: trace fewer steps",
                            left_out_, file_.string());
  }
  const auto texts = gather_texts(communicator_, own_events());
  std::exchange(spans_, {});
  if (communicator_.rank() != 0) return;
  try {
    write_file_atomic(file_, trace_document(texts));
  } catch (const std::exception& error) {
    logger("trainer")->error("there is no trace: {}", error.what());
  }
}

}  // namespace convoy::trainer
