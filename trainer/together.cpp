// SPDX-License-Identifier: Apache-2.0
#include "trainer/together.h"

#include <array>
#include <cstdint>
#include <exception>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include "base/errors.h"

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
  std::array<std::int64_t, 2> header{static_cast<std::int64_t>(own.message.size()), own.config};
  communicator.broadcast(std::span<std::int64_t>(header), root).wait();
  std::string text = own.message;
  text.resize(static_cast<std::size_t>(header[0]));
  const std::span bytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  communicator.broadcast(bytes, root).wait();
  if (own.exception) std::rethrow_exception(own.exception);
  const std::string message = "rank " + std::to_string(root) + ": " + text;
  if (header[1] != 0) throw ConfigError(message);
  throw std::runtime_error(message);
}

}  // namespace

void together(comm::Communicator& communicator, const std::function<void()>& local_work) {
  const Failure own = attempt(local_work);
  std::int32_t first = own.exception ? communicator.rank() : kNobody;
  communicator.all_reduce(std::span(&first, 1), comm::ReduceOp::kMin).wait();
  if (first == kNobody) return;
  throw_everywhere(communicator, own, first);
}

}  // namespace convoy::trainer
