// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/layer_times.h"

#include <algorithm>
#include <tuple>

#include "trainer/metrics/phase_times.h"

namespace convoy::trainer {
namespace {

using Span = Timeline::Span;

double seconds(Timeline::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

bool is_unnamed_wait(const Span& span) {
  return span.phase == Phase::kExposed && span.what.empty();
}

/// One end of a span.
struct Edge {
  Timeline::Clock::time_point at;
  bool begins;
  const Span* span;
};

std::vector<Edge> edges_of(std::span<const Span> spans) {
  std::vector<Edge> edges;
  for (const Span& span : spans) {
    if (!is_communication(span.phase) && !is_unnamed_wait(span)) continue;
    edges.push_back({span.begin, true, &span});
    edges.push_back({span.end, false, &span});
  }
  // At one moment, beginnings first: a span without length ends after it has begun.
  std::ranges::sort(edges, {}, [](const Edge& edge) { return std::tuple(edge.at, !edge.begins); });
  return edges;
}

/// Goes through time from edge to edge and shares each stretch out.
class Sweep {
 public:
  Sweep(const WireShares& shares, LayerTimes& sums) : shares_(shares), sums_(sums) {}

  void run(std::span<const Edge> edges) {
    for (const Edge& edge : edges) {
      share_out(seconds(edge.at - now_));
      now_ = edge.at;
      auto& group = is_unnamed_wait(*edge.span)        ? waits_
                    : edge.span->phase == Phase::kWire ? wires_
                                                       : codecs_;
      if (edge.begins) {
        group.push_back(edge.span);
      } else {
        group.erase(std::ranges::find(group, edge.span));
      }
    }
  }

 private:
  using Group = std::vector<const Span*>;

  void share_out(double length) {
    if (wires_.empty() && codecs_.empty()) return;
    for (const Span* wire : wires_) {
      add(*wire, &LayerSeconds::wire, length / static_cast<double>(wires_.size()));
    }
    if (waits_.empty()) return;
    const double part = length / static_cast<double>(wires_.size() + codecs_.size());
    for (const Span* wire : wires_) add(*wire, &LayerSeconds::exposed, part);
    for (const Span* codec : codecs_) sums_[codec->what].exposed += part;
  }

  void add(const Span& wire, double LayerSeconds::*member, double length) {
    for (const auto& [layer, share] : shares_.of(wire.what)) sums_[layer].*member += length * share;
  }

  const WireShares& shares_;
  LayerTimes& sums_;
  Timeline::Clock::time_point now_;
  Group wires_;
  Group codecs_;
  Group waits_;
};

void add_named(const Span& span, double length, LayerTimes& sums) {
  switch (span.phase) {
    case Phase::kForward:
      sums[span.what].forward += length;
      break;
    case Phase::kBackward:
      sums[span.what].backward += length;
      break;
    case Phase::kEncode:
    case Phase::kDecode:
      sums[span.what].compress += length;
      break;
    case Phase::kExposed:
      sums[span.what].exposed += length;
      break;
    case Phase::kOptimizer:
    case Phase::kWire:
    case Phase::kData:
      break;
  }
}

}  // namespace

WireShares::WireShares(const std::vector<std::vector<std::string>>& buckets,
                       const std::map<std::string, double>& bytes) {
  for (const auto& layers : buckets) {
    Shares shares;
    double sum = 0.0;
    for (const auto& layer : layers) {
      const auto found = bytes.find(layer);
      shares.emplace_back(layer, found == bytes.end() ? 0.0 : found->second);
      sum += shares.back().second;
      bucket_of_[layer] = buckets_.size();
    }
    for (auto& [layer, share] : shares) {
      share = sum > 0.0 ? share / sum : 1.0 / static_cast<double>(layers.size());
    }
    buckets_.push_back(std::move(shares));
  }
}

const WireShares::Shares& WireShares::of(const std::string& layer) const {
  static const Shares kNone;
  const auto found = bucket_of_.find(layer);
  return found == bucket_of_.end() ? kNone : buckets_[found->second];
}

void add_layer_seconds(std::span<const Span> spans, const WireShares& shares, LayerTimes& sums) {
  const auto own = own_seconds(spans);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (!spans[i].what.empty()) add_named(spans[i], own[i], sums);
  }
  Sweep(shares, sums).run(edges_of(spans));
}

}  // namespace convoy::trainer
