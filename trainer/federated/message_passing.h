// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/errors.h"
#include "comm/communicator.h"
#include "trainer/federated/growing_nap.h"
#include "trainer/federated/messages.h"

// How the two ends move messages; every buffer is owned by its request.
namespace convoy::trainer::messages {

/// Of the process that runs this client.
inline int rank_of(std::int64_t client) { return static_cast<int>(client) + 1; }

/// Starts to receive into a header, a sign, or a payload of the size that is to come.
template <typename T>
comm::Request receive(comm::Communicator& communicator, const std::shared_ptr<T>& owned, int peer,
                      int tag) {
  return communicator.recv(comm::Buffer(std::span(*owned), owned), peer, tag);
}

template <typename T>
comm::Request send_owned(comm::Communicator& communicator, T values, int peer, int tag) {
  const auto owned = std::make_shared<T>(std::move(values));
  const comm::Buffer buffer{std::span(*owned), owned};
  return communicator.send(comm::ConstBuffer(buffer), peer, tag);
}

/// Waits as long as it takes: a client that is answered late has not failed.
inline void await(comm::Request& request) {
  GrowingNap nap(std::chrono::milliseconds(5));
  while (!request.test()) nap.take();
}

/// Nobody will answer; what the communicator still says about it is known.
inline void drop(comm::Request& request) {
  try {
    request.wait(std::chrono::milliseconds(0));
  } catch (const CommError&) {
  }
}

}  // namespace convoy::trainer::messages
