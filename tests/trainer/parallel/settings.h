// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/parallel/overlap.h"

namespace convoy::tests {

/// What carries the messages of ranks that are threads.
enum class Link : std::uint8_t {
  kSharedMemory,  ///< and sums go through memory that all see
  kMessages,
  kTcp,      ///< sockets; the ranks of a host share memory
  kDelayed,  ///< messages that are late, and overtake each other
};

/// What the bits of a training may depend on.
struct Training {
  int ranks = 2;
  std::string family = "none";
  bool hierarchical = false;  ///< on two hosts, one of which holds several ranks
};

/// What they must not depend on.
struct Setting {
  Link link = Link::kSharedMemory;
  std::size_t chunk_bytes = comm::CommunicatorOptions().chunk_bytes;
  trainer::Overlap overlap = trainer::Overlap::kOff;
  /// Of the pauses that each rank makes, and of how late its messages are. 0: no pauses.
  std::uint64_t seed = 0;
};

/// What a rank has in the end.
struct Outcome {
  std::uint64_t parameters_hash = 0;
  std::vector<float> losses;                   ///< its own, of the steps in which it had samples
  std::vector<std::string> plans;              ///< "step: hash of the plan"
  std::map<std::string, std::uint64_t> state;  ///< hashes of what compression remembers
  std::size_t buckets = 0;
};

/// Trains a small net for some steps on unequal batches, one of them empty. All that is random
/// follows from `training`, but for times, which follow from Setting::seed. A rank that fails is a
/// test failure that says why.
/// @return one for each rank.
[[nodiscard]] std::vector<Outcome> train(const Training& training, const Setting& setting);

}  // namespace convoy::tests
