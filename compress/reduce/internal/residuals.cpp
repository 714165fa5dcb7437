// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/residuals.h"

#include <algorithm>
#include <utility>

#include "compress/codec/internal/elementwise.h"
#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {
namespace {

void add(std::span<const float> residual, std::span<const float> gradient, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = owed_of(residual[i], gradient[i]);
}

template <typename T>
double sum_of_squares(const std::vector<T>& values) {
  double sum = 0.0;
  for (const T value : values) {
    double x = 0.0;
    if constexpr (std::is_same_v<T, float>) {
      x = static_cast<double>(value);
    } else {
      x = static_cast<double>(to_float(value));
    }
    sum += x * x;
  }
  return sum;
}

}  // namespace

std::span<float> Residuals::Room::take(std::size_t count) {
  values_.resize(std::max(values_.size(), static_cast<std::size_t>(numel_)));
  return std::span(values_).subspan(std::exchange(used_, used_ + count), count);
}

std::span<float> Residuals::owed(const std::string& layer, std::span<const float> gradient,
                                 Room& room) {
  Entry& entry = entries_[layer];
  const std::size_t numel = gradient.size();
  if (storage_ == Storage::kFloat32) {
    entry.current.resize(numel);
    entry.next.resize(numel);
    add(entry.current, gradient, entry.next);
    return entry.next;
  }
  const auto out = room.take(numel);
  std::ranges::copy(gradient, out.begin());
  for (std::size_t i = 0; i < entry.current16.size(); ++i) {
    out[i] = owed_of(to_float(entry.current16[i]), out[i]);
  }
  return out;
}

void Residuals::keep(const std::string& layer, std::span<const float> owed) {
  Entry& entry = entries_[layer];
  entry.pending = storage_ != Storage::kOff;
  if (storage_ != Storage::kBFloat16) return;
  entry.next16.resize(owed.size());
  std::ranges::transform(owed, entry.next16.begin(),
                         [](float value) { return to_bfloat16(value); });
}

bool Residuals::owes(const std::string& layer) const {
  const auto found = entries_.find(layer);
  return found != entries_.end() &&
         !(found->second.current.empty() && found->second.current16.empty());
}

void Residuals::pay(const std::string& layer, std::span<float> gradient, Room& room) {
  const auto all = owed(layer, gradient, room);
  std::ranges::copy(all, gradient.begin());
  std::ranges::fill(all, 0.0F);
  keep(layer, all);
}

void Residuals::commit() {
  for (auto& [name, entry] : entries_) {
    if (!entry.pending) continue;
    entry.current.swap(entry.next);
    entry.current16.swap(entry.next16);
    entry.pending = false;
  }
}

void Residuals::discard() {
  for (auto& [name, entry] : entries_) entry.pending = false;
}

void Residuals::discard(const std::string& layer) {
  const auto found = entries_.find(layer);
  if (found != entries_.end()) found->second.pending = false;
}

double Residuals::squared_norm() const {
  double sum = 0.0;
  for (const auto& [name, entry] : entries_) {
    sum += sum_of_squares(entry.current) + sum_of_squares(entry.current16);
  }
  return sum;
}

std::size_t Residuals::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, entry] : entries_) {
    bytes += (entry.current.size() + entry.next.size()) * sizeof(float) +
             (entry.current16.size() + entry.next16.size()) * sizeof(BFloat16);
  }
  return bytes;
}

void Residuals::save(ReducerState& state) const {
  for (const auto& [name, entry] : entries_) {
    auto& values = state.arrays["residual/" + name];
    values = entry.current;
    for (const BFloat16 value : entry.current16) values.push_back(to_float(value));
  }
}

void Residuals::load(const ReducerState& state) {
  entries_.clear();
  if (storage_ == Storage::kOff) return;
  for (const auto& [name, values] : entries_of(state, "residual/")) {
    Entry& entry = entries_[name];
    if (storage_ == Storage::kFloat32) {
      entry.current = *values;
    } else {
      for (const float value : *values) entry.current16.push_back(to_bfloat16(value));
    }
  }
}

}  // namespace convoy::compress::internal
