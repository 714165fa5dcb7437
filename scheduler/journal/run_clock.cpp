// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/run_clock.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/errors.h"

namespace convoy::scheduler::journal {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

RunClock::RunClock(Source source) : source_(source ? std::move(source) : steady_seconds) {}

void RunClock::observe(double time) {
  require(!is_running_, "RunClock: it is running");
  state_.was_used = true;
  state_.newest = std::max(state_.newest, time);
}

void RunClock::add_outage(double time) {
  observe(time);
  // A crash right after a start leaves the same time twice.
  if (state_.outages.empty() || state_.outages.back() != time) state_.outages.push_back(time);
}

double RunClock::start() {
  require(!is_running_, "RunClock: it is running");
  if (state_.was_used) {
    add_outage(state_.newest);
    // So that what is assigned from now on does not count as assigned before the outage.
    base_ = std::nextafter(state_.newest, std::numeric_limits<double>::infinity());
  }
  state_.was_used = true;
  origin_ = source_();
  is_running_ = true;
  return base_;
}

double RunClock::now() const {
  require(is_running_, "RunClock: it does not run");
  return base_ + std::max(0.0, source_() - origin_);
}

bool RunClock::was_down_between(double begin, double end) const {
  // What arrived at the time of an outage arrived before it.
  return std::any_of(state_.outages.begin(), state_.outages.end(),
                     [&](double outage) { return begin <= outage && outage < end; });
}

RunClock::State RunClock::state() const {
  State state = state_;
  if (is_running_) state.newest = std::max(state.newest, now());
  return state;
}

void RunClock::restore(State state) {
  require(!is_running_, "RunClock: it is running");
  state_ = std::move(state);
}

}  // namespace convoy::scheduler::journal
