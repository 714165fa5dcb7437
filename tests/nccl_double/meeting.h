// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tests/nccl_double/state.h"

namespace convoy::tests::nccl_double {

enum class What : std::uint8_t { kAllReduce, kReduceScatter, kAllGather, kBroadcast, kSend, kRecv };

/// One NCCL call of one rank.
struct Op {
  What what = What::kAllReduce;
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  std::size_t count = 0;
  ncclDataType_t type = ncclUint8;
  ncclRedOp_t op = ncclSum;
  int peer = -1;  // or the root
  bool done = false;

  [[nodiscard]] bool is_collective() const { return what < What::kSend; }
  [[nodiscard]] bool fits(const Op& other) const {
    return what == other.what && count == other.count && type == other.type && op == other.op &&
           (what != What::kBroadcast || peer == other.peer);
  }
};

/// One collective: who has come to it.
struct Meeting {
  std::map<int, Op*> came;  // by rank
  bool broken = false;      // it will never happen
};

struct Clique {
  int ranks = 0;
  std::map<int, ncclComm*> joined;            // by rank
  std::map<std::uint64_t, Meeting> meetings;  // by number
  // Sends and receives that wait for their other side, by (sender, receiver).
  std::map<std::pair<int, int>, std::deque<Op*>> sends;
  std::map<std::pair<int, int>, std::deque<Op*>> receives;
};

/// `comm`'s stream has come to `op`: if it is the last, what was called happens. Needs the lock.
void come(State& state, ncclComm& comm, Op& op);
/// `comm` gives up: what it has come to never happens, and its memory is touched no more.
void leave(ncclComm& comm, const std::vector<std::unique_ptr<Op>>& ops);

[[nodiscard]] std::size_t element_bytes(ncclDataType_t type);
/// Does what all ranks of `meeting` have called, in rank order of `came`.
void compute(const Meeting& meeting, int ranks);

}  // namespace convoy::tests::nccl_double
