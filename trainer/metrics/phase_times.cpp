// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/phase_times.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace convoy::trainer {
namespace {

using Span = Timeline::Span;

double seconds(Timeline::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double union_of(std::vector<const Span*> spans) {
  std::ranges::sort(spans, {}, &Span::begin);
  double sum = 0.0;
  Timeline::Clock::time_point covered{};
  for (const Span* span : spans) {
    if (span->end > covered) sum += seconds(span->end - std::max(covered, span->begin));
    covered = std::max(covered, span->end);
  }
  return sum;
}

}  // namespace

std::vector<double> own_seconds(std::span<const Span> spans) {
  std::vector<double> own;
  std::vector<std::size_t> computing;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    own.push_back(seconds(spans[i].end - spans[i].begin));
    if (!is_communication(spans[i].phase)) computing.push_back(i);
  }
  // Outer ones before those that lie inside.
  std::ranges::stable_sort(computing, {}, [&](std::size_t i) {
    return std::tuple(spans[i].begin, -spans[i].end.time_since_epoch());
  });
  std::vector<std::size_t> outer;
  for (const std::size_t i : computing) {
    while (!outer.empty() && spans[outer.back()].end <= spans[i].begin) outer.pop_back();
    if (!outer.empty()) own[outer.back()] -= seconds(spans[i].end - spans[i].begin);
    outer.push_back(i);
  }
  return own;
}

PhaseSeconds phase_seconds(std::span<const Span> spans) {
  PhaseSeconds sums{};
  const auto own = own_seconds(spans);
  std::vector<const Span*> wire;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].phase == Phase::kWire) wire.push_back(&spans[i]);
    sums[static_cast<std::size_t>(spans[i].phase)] += own[i];
  }
  sums[static_cast<std::size_t>(Phase::kWire)] = union_of(std::move(wire));
  return sums;
}

}  // namespace convoy::trainer
