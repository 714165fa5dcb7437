// SPDX-License-Identifier: Apache-2.0
#include "comm/local/local.h"

#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "comm/internal/engine.h"
#include "comm/internal/transport_communicator.h"
#include "comm/local/internal/group.h"

namespace convoy::comm::local {
namespace {

// Of all ranks' exceptions the first that is not just the echo of another one.
class FirstFailure {
 public:
  // Call inside a handler.
  void keep_current(bool echo) {
    const std::lock_guard lock(mutex_);
    auto& slot = echo ? echo_ : cause_;
    if (slot == nullptr) slot = std::current_exception();
  }
  void rethrow() const {
    if (cause_ != nullptr) std::rethrow_exception(cause_);
    if (echo_ != nullptr) std::rethrow_exception(echo_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr cause_;
  std::exception_ptr echo_;
};

void run_rank(const std::function<void(Communicator&)>& body,
              std::unique_ptr<Communicator> communicator, FirstFailure& failure) {
  // The communicator goes at the end of this function: then the others' waits fail.
  try {
    body(*communicator);
  } catch (const internal::PeerLeftError&) {
    failure.keep_current(true);
  } catch (...) {
    failure.keep_current(false);
  }
}

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_world(int ranks,
                                                      const CommunicatorOptions& options) {
  require(ranks >= 1, "a local world needs at least one rank");
  const auto group = std::make_shared<Group>(ranks, options.shared_memory);
  std::vector<std::unique_ptr<Communicator>> world;
  for (int rank = 0; rank < ranks; ++rank) {
    world.push_back(
        std::make_unique<internal::TransportCommunicator>(make_transport(group, rank), options));
  }
  return world;
}

void run(int ranks, const std::function<void(Communicator&)>& body,
         const CommunicatorOptions& options) {
  auto world = make_world(ranks, options);
  FirstFailure failure;
  {
    std::vector<std::jthread> threads;
    for (auto& communicator : world) {
      threads.emplace_back([&body, &failure, own = std::move(communicator)]() mutable {
        run_rank(body, std::move(own), failure);
      });
    }
  }
  failure.rethrow();
}

}  // namespace convoy::comm::local
