// SPDX-License-Identifier: Apache-2.0
#include "trainer/together.h"

#include <cstdint>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/values.h"

namespace convoy::trainer {
namespace {

constexpr std::int32_t kNobody = std::numeric_limits<std::int32_t>::max();

struct Failure {
  std::exception_ptr exception;
  std::string message;
  bool config = false;
};

Failure attempt(const std::function<void()>& work) {
  Failure failure;
  try {
    work();
  } catch (const ConfigError& error) {
    failure = {std::current_exception(), error.what(), true};
  } catch (const std::exception& error) {
    failure = {std::current_exception(), error.what(), false};
  }
  return failure;
}

/// Everybody learns what rank `root` has met, and throws it.
[[noreturn]] void throw_everywhere(comm::Communicator& communicator, const Failure& own, int root) {
  const auto config =
      comm::broadcast_values(communicator, std::vector{std::int32_t{own.config}}, root);
  const std::string text = comm::broadcast_text(communicator, own.message, root);
  if (own.exception) std::rethrow_exception(own.exception);
  const std::string message = "rank " + std::to_string(root) + ": " + text;
  if (config.front() != 0) throw ConfigError(message);
  throw std::runtime_error(message);
}

}  // namespace

void together(comm::Communicator& communicator, const std::function<void()>& local_work) {
  const Failure own = attempt(local_work);
  const auto first = comm::all_reduce_value(
      communicator, own.exception ? std::int32_t{communicator.rank()} : kNobody,
      comm::ReduceOp::kMin);
  if (first == kNobody) return;
  throw_everywhere(communicator, own, first);
}

}  // namespace convoy::trainer
