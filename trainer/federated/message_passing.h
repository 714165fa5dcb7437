// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include "comm/communicator.h"
#include "trainer/federated/messages.h"

// How the two ends move messages; every buffer is owned by its request.
namespace convoy::trainer::messages {

inline constexpr std::chrono::microseconds kNap{200};

inline comm::Request receive(comm::Communicator& communicator,
                             const std::shared_ptr<Header>& header, int peer, int tag) {
  return communicator.recv(comm::Buffer(std::span(*header), header), peer, tag);
}

inline comm::Request receive(comm::Communicator& communicator,
                             const std::shared_ptr<Bytes>& payload, int peer, int tag) {
  return communicator.recv(comm::Buffer(std::span(*payload), payload), peer, tag);
}

template <typename T>
comm::Request send_owned(comm::Communicator& communicator, T values, int peer, int tag) {
  const auto owned = std::make_shared<T>(std::move(values));
  const comm::Buffer buffer{std::span(*owned), owned};
  return communicator.send(comm::ConstBuffer(buffer), peer, tag);
}

/// Waits as long as it takes: a client that is answered late has not failed.
inline void await(comm::Request& request) {
  while (!request.test()) std::this_thread::sleep_for(kNap);
}

}  // namespace convoy::trainer::messages
