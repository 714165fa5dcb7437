// SPDX-License-Identifier: Apache-2.0
#include "tests/nccl_double/meeting.h"

#include <algorithm>
#include <cstring>

namespace convoy::tests::nccl_double {
namespace {

void come_to_collective(State& state, ncclComm& comm, Op& op) {
  Clique& clique = *comm.clique;
  const std::uint64_t number = ++comm.collectives;
  Meeting& meeting = clique.meetings[number];
  if (!meeting.came.empty() && !op.fits(*meeting.came.begin()->second)) {
    ++state.counters.mismatches;
    meeting.broken = true;
  }
  meeting.came[comm.rank] = &op;
  if (meeting.broken || static_cast<int>(meeting.came.size()) < clique.ranks) return;
  compute(meeting, clique.ranks);
  for (auto& [rank, theirs] : meeting.came) theirs->done = true;
  clique.meetings.erase(number);
}

void deliver(State& state, Op& send, Op& receive) {
  if (send.count != receive.count || send.type != receive.type) {
    ++state.counters.mismatches;
    return;
  }
  std::memcpy(receive.to, send.from, send.count * element_bytes(send.type));
  send.done = true;
  receive.done = true;
}

// The other side of a send or receive that waits already; null where none does.
Op* take_first(std::deque<Op*>& waiting) {
  if (waiting.empty()) return nullptr;
  Op* first = waiting.front();
  waiting.pop_front();
  return first;
}

}  // namespace

void come(State& state, ncclComm& comm, Op& op) {
  Clique& clique = *comm.clique;
  if (op.is_collective()) {
    come_to_collective(state, comm, op);
  } else if (op.what == What::kSend) {
    const std::pair route(comm.rank, op.peer);
    Op* receive = take_first(clique.receives[route]);
    receive != nullptr ? deliver(state, op, *receive) : clique.sends[route].push_back(&op);
  } else {
    const std::pair route(op.peer, comm.rank);
    Op* send = take_first(clique.sends[route]);
    send != nullptr ? deliver(state, *send, op) : clique.receives[route].push_back(&op);
  }
  state.changed.notify_all();
}

void leave(ncclComm& comm, const std::vector<std::unique_ptr<Op>>& ops) {
  const auto is_ours = [&](const Op* op) {
    return std::ranges::any_of(ops, [&](const auto& own) { return own.get() == op; });
  };
  for (auto& [number, meeting] : comm.clique->meetings) {
    if (std::erase_if(meeting.came, [&](const auto& came) { return is_ours(came.second); }) > 0) {
      meeting.broken = true;
    }
  }
  for (auto* waiting : {&comm.clique->sends, &comm.clique->receives}) {
    for (auto& [route, queue] : *waiting) std::erase_if(queue, is_ours);
  }
}

}  // namespace convoy::tests::nccl_double
