// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/report_queue.h"

#include <algorithm>
#include <utility>

namespace convoy::trainer {

void ReportQueue::put(ClientReport report, WallTime arrived, WallTime not_before) {
  report.ready = std::max(arrived, not_before);
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t client = report.client;
    entries_.insert_or_assign(client, Entry{not_before, std::move(report)});
  }
  changed_.notify_all();
}

void ReportQueue::fail(std::exception_ptr error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  changed_.notify_all();
}

void ReportQueue::rethrow_error() {
  const std::lock_guard lock(mutex_);
  rethrow();
}

void ReportQueue::rethrow() const {
  if (error_) std::rethrow_exception(error_);
}

ReportQueue::Entries::iterator ReportQueue::earliest() {
  return std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
    return a.second.not_before < b.second.not_before;
  });
}

ClientReport ReportQueue::take(Entries::iterator found) {
  return std::move(entries_.extract(found).mapped().report);
}

std::optional<ClientReport> ReportQueue::next(WallTime until) {
  std::unique_lock lock(mutex_);
  while (true) {
    rethrow();
    const auto now = std::chrono::steady_clock::now();
    const auto found = earliest();
    if (found != entries_.end() && found->second.not_before <= now) return take(found);
    if (now >= until) return std::nullopt;
    changed_.wait_until(
        lock, found == entries_.end() ? until : std::min(until, found->second.not_before));
  }
}

std::optional<ClientReport> ReportQueue::of(std::int64_t client, WallTime until) {
  std::unique_lock lock(mutex_);
  const auto is_known = [&] { return error_ != nullptr || entries_.contains(client); };
  if (!changed_.wait_until(lock, until, is_known)) return std::nullopt;
  rethrow();
  return take(entries_.find(client));
}

}  // namespace convoy::trainer
