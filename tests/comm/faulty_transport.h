// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/transport.h"

namespace convoy::tests {

/// What goes wrong on one rank.
struct Faults {
  /// This call of isend() or irecv(), counted from 1, throws.
  std::optional<int> fail_at_call;
  /// Messages leave up to so much later, each by a time of its own: those of one route keep their
  /// order, others overtake each other. Zero: at once.
  std::chrono::microseconds longest_delay{0};
  /// A link of this many bytes a second: messages leave one by one, the most urgent first. 0: none.
  double link_rate = 0.0;
  /// Replaces what the transport says.
  std::optional<std::size_t> max_message_bytes;
  /// Like MPI: messages may still be written after leave().
  bool keeps_writing = false;
  std::uint64_t seed = 1;
};

/// Sits between the engine and a real transport.
[[nodiscard]] std::unique_ptr<comm::internal::Transport> make_faulty(
    std::unique_ptr<comm::internal::Transport> inner, const Faults& faults);

/// comm::local::run with faults: `faults[r]` for rank r. Exceptions of `body` end the test.
void run_faulty(const std::vector<Faults>& faults,
                const std::function<void(comm::Communicator&)>& body,
                const comm::CommunicatorOptions& options = {});

}  // namespace convoy::tests
