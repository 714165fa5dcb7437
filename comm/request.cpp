// SPDX-License-Identifier: Apache-2.0
#include "comm/request.h"

#include <utility>

namespace convoy::comm {

Request::Request(std::unique_ptr<internal::Operation> operation)
    : operation_(std::move(operation)) {}

Request& Request::operator=(Request&& other) noexcept {
  if (this != &other) {
    finish_quietly();
    operation_ = std::move(other.operation_);
  }
  return *this;
}

Request::~Request() { finish_quietly(); }

void Request::wait() {
  if (operation_ != nullptr) wait(operation_->default_timeout());
}

void Request::wait(std::chrono::milliseconds timeout) {
  // Over in any case: after a failure there is nothing left to wait for.
  const auto operation = std::exchange(operation_, nullptr);
  if (operation != nullptr) operation->wait(timeout, nullptr, kAnyNap);
}

bool Request::wait_or(const std::function<bool()>& enough, std::chrono::microseconds longest_nap) {
  return operation_ == nullptr || wait_or(enough, longest_nap, operation_->default_timeout());
}

bool Request::wait_or(const std::function<bool()>& enough, std::chrono::microseconds longest_nap,
                      std::chrono::milliseconds timeout) {
  if (operation_ == nullptr) return true;
  return settle([&] { return operation_->wait(timeout, enough, longest_nap); });
}

bool Request::test() {
  if (operation_ == nullptr) return true;
  return settle([&] { return operation_->poll(); });
}

template <typename Look>
bool Request::settle(const Look& look) {
  bool done = false;
  try {
    done = look();
  } catch (...) {
    operation_.reset();
    throw;
  }
  if (done) operation_.reset();
  return done;
}

void Request::finish_quietly() noexcept {
  if (operation_ == nullptr) return;
  operation_->abandon();
  operation_.reset();
}

}  // namespace convoy::comm
