// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/trace_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace convoy::trainer {
namespace {

using Span = Timeline::Span;

constexpr int kRowsOfAKind = 100;

/// Which kind of rows: 0 computing, 1 encoding and decoding, 2 collectives.
int kind_of(Phase phase) {
  if (phase == Phase::kWire) return 2;
  return is_communication(phase) ? 1 : 0;
}

/// What is open in one row at the moment, outer spans first.
using Open = std::vector<const Span*>;

bool fits(Open& open, const Span& span) {
  while (!open.empty() && open.back()->end <= span.begin) open.pop_back();
  if (open.empty()) return true;
  // Collectives have nothing to do with each other, even where one lasts longer.
  return span.phase != Phase::kWire && span.end <= open.back()->end;
}

std::string row_name(int row) {
  static constexpr const char* kNames[] = {"compute thread", "communication thread", "wire"};
  const std::string name = kNames[row / kRowsOfAKind];
  const int lane = row % kRowsOfAKind;
  return lane == 0 ? name : name + " " + std::to_string(lane + 1);
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string metadata(int rank, int row, const char* name, const std::string& argument) {
  return fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{{}}}}})", rank, row, name,
                     argument);
}

/// Nanoseconds as microseconds, exactly.
std::string microseconds(std::chrono::nanoseconds time) {
  const std::int64_t count = time.count();
  return fmt::format("{}{}.{:03}", count < 0 ? "-" : "", std::abs(count / 1000),
                     std::abs(count % 1000));
}

std::string event(int rank, int row, const Span& span, const ToTraceTime& to_trace_time) {
  const auto begin = to_trace_time(span.begin);
  const auto end = to_trace_time(span.end);
  const std::string phase(name(span.phase));
  const std::string layer = span.what.empty() ? "" : R"(,"layer":)" + json_text(span.what);
  return fmt::format(
      R"({{"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"name":{},"cat":"{}","args":{{"step":{}{}}}}})",
      rank, row, microseconds(begin), microseconds(end - begin),
      json_text(span.what.empty() ? phase : phase + " " + span.what), phase, span.step + 1, layer);
}

}  // namespace

std::vector<int> trace_rows(std::span<const Span> spans) {
  std::vector<std::size_t> order(spans.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    return std::tuple(spans[i].begin, -spans[i].end.time_since_epoch());
  });
  std::map<int, std::vector<Open>> lanes;  // by kind
  std::vector<int> rows(spans.size());
  for (const std::size_t i : order) {
    const int kind = kind_of(spans[i].phase);
    auto& kind_lanes = lanes[kind];
    auto lane = std::ranges::find_if(kind_lanes, [&](Open& open) { return fits(open, spans[i]); });
    if (lane == kind_lanes.end()) lane = kind_lanes.insert(lane, Open());
    lane->push_back(&spans[i]);
    const auto index = std::min<std::ptrdiff_t>(lane - kind_lanes.begin(), kRowsOfAKind - 1);
    rows[i] = kind * kRowsOfAKind + static_cast<int>(index);
  }
  return rows;
}

std::string trace_events(int rank, std::string_view label, std::span<const Span> spans,
                         const ToTraceTime& to_trace_time) {
  const auto rows = trace_rows(spans);
  std::string text =
      metadata(rank, 0, "process_name", R"("name":)" + json_text(label)) + ",\n" +
      metadata(rank, 0, "process_sort_index", R"("sort_index":)" + std::to_string(rank));
  for (const int row : std::set<int>(rows.begin(), rows.end())) {
    text += ",\n" + metadata(rank, row, "thread_name", R"("name":)" + json_text(row_name(row)));
    text +=
        ",\n" + metadata(rank, row, "thread_sort_index", R"("sort_index":)" + std::to_string(row));
  }
  for (std::size_t i = 0; i < spans.size(); ++i) {
    text += ",\n" + event(rank, rows[i], spans[i], to_trace_time);
  }
  return text;
}

std::string trace_document(std::span<const std::string> events) {
  std::string text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  for (std::size_t i = 0; i < events.size(); ++i) text += (i == 0 ? "" : ",\n") + events[i];
  return text + "\n]}\n";
}

}  // namespace convoy::trainer
