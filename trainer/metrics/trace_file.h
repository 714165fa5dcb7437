// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/timeline.h"

namespace convoy::trainer {

// Traces in the Trace Event Format, which chrome://tracing and ui.perfetto.dev show.

/// Where a span is drawn: in one row spans nest or follow each other. 0: the computing thread; 100:
/// the communication thread, encoding and decoding; 200, 201, ...: collectives, as many rows as
/// are under way at a time; a thread whose spans overlap after all has more rows, too.
/// @return one for each span. Pure; O(n log n).
[[nodiscard]] std::vector<int> trace_rows(std::span<const Timeline::Span> spans);

/// A moment on the clock that all ranks share, since the beginning of the trace.
using ToTraceTime = std::function<std::chrono::nanoseconds(Timeline::Clock::time_point)>;

/// The events of one rank, as JSON objects with commas between: names of the process (`label`) and
/// of its rows, then one event "X" for each span, named by phase and layer, with phase as category
/// and the step, counted from 1, in args. Pure.
[[nodiscard]] std::string trace_events(int rank, std::string_view label,
                                       std::span<const Timeline::Span> spans,
                                       const ToTraceTime& to_trace_time);

/// The whole file. @param events  of each rank. Pure.
[[nodiscard]] std::string trace_document(std::span<const std::string> events);

}  // namespace convoy::trainer
