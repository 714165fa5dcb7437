// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/residuals.h"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {
namespace {

template <typename T>
double sum_of_squares(std::span<const T> values) {
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

/// A state of another model may have been loaded.
void require_size(const std::string& layer, std::size_t residual, std::size_t numel) {
  require_config(residual == numel, "the residual of " + layer + " has " +
                                        std::to_string(residual) + " values, the layer has " +
                                        std::to_string(numel));
}

}  // namespace

std::span<float> Residuals::Room::take(Executor& executor, std::size_t count) {
  if (used_ == 0) values_.resize(executor, static_cast<std::size_t>(numel_));
  return values_.values().subspan(std::exchange(used_, used_ + count), count);
}

std::span<float> Residuals::owed(const std::string& layer, std::span<const float> gradient,
                                 Room& room) {
  Entry& entry = entries_[layer];
  const std::size_t numel = gradient.size();
  if (storage_ == Storage::kFloat32) {
    if (entry.current.empty()) executor_->fill_zero(entry.current.resize(*executor_, numel));
    require_size(layer, entry.current.size(), numel);
    const auto out = entry.next.resize(*executor_, numel);
    executor_->add_residual(entry.current.values(), gradient, out);
    return out;
  }
  const auto out = room.take(*executor_, numel);
  if (entry.current16.empty()) {
    executor_->copy(gradient, out);
  } else {
    require_size(layer, entry.current16.size(), numel);
    executor_->add_residual(entry.current16.values(), gradient, out);
  }
  return out;
}

void Residuals::keep(const std::string& layer, std::span<const float> owed) {
  Entry& entry = entries_[layer];
  entry.pending = storage_ != Storage::kOff;
  if (storage_ != Storage::kBFloat16) return;
  executor_->keep_residual(owed, entry.next16.resize(*executor_, owed.size()));
}

bool Residuals::owes(const std::string& layer) const {
  const auto found = entries_.find(layer);
  return found != entries_.end() &&
         !(found->second.current.empty() && found->second.current16.empty());
}

void Residuals::pay(const std::string& layer, std::span<float> gradient, Room& room) {
  const auto all = owed(layer, gradient, room);
  executor_->copy(all, gradient);
  executor_->fill_zero(all);
  keep(layer, all);
}

void Residuals::commit() {
  for (auto& [name, entry] : entries_) {
    if (!entry.pending) continue;
    std::swap(entry.current, entry.next);
    std::swap(entry.current16, entry.next16);
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
    std::vector<float> room;
    std::vector<BFloat16> room16;
    sum += sum_of_squares(on_host(*executor_, entry.current, room)) +
           sum_of_squares(on_host(*executor_, entry.current16, room16));
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
    values = entry.current.to_host(*executor_);
    for (const BFloat16 value : entry.current16.to_host(*executor_)) {
      values.push_back(to_float(value));
    }
  }
}

void Residuals::load(const ReducerState& state) {
  entries_.clear();
  if (storage_ == Storage::kOff) return;
  for (const auto& [name, values] : entries_of(state, "residual/")) {
    Entry& entry = entries_[name];
    if (storage_ == Storage::kFloat32) {
      entry.current.assign(*executor_, *values);
    } else {
      std::vector<BFloat16> rounded;
      for (const float value : *values) rounded.push_back(to_bfloat16(value));
      entry.current16.assign(*executor_, rounded);
    }
  }
}

}  // namespace convoy::compress::internal
