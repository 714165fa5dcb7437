// SPDX-License-Identifier: Apache-2.0
// How the double's NCCL calls come to their streams, alone or in groups.
#include <algorithm>
#include <chrono>
#include <thread>

#include "base/random.h"
#include "tests/nccl_double/meeting.h"

using namespace convoy::tests::nccl_double;

namespace {

// The calls of one group, or a call alone, of one communicator.
struct Launch {
  ncclComm* comm = nullptr;
  CUstream_st* stream = nullptr;
  std::vector<std::unique_ptr<Op>> ops;
};

struct GroupOfThread {
  int depth = 0;
  std::shared_ptr<Launch> launch;
};
thread_local GroupOfThread group;

bool check_op(State& all, const Op& op, int ranks) {
  const std::size_t piece = op.count * element_bytes(op.type);
  const auto times = static_cast<std::size_t>(ranks);
  const std::size_t from = op.what == What::kReduceScatter ? piece * times : piece;
  const std::size_t to = op.what == What::kAllGather ? piece * times : piece;
  return (op.from == nullptr || check_memory(all, op.from, from, false)) &&
         (op.to == nullptr || check_memory(all, op.to, to, false));
}

// A stream has come to a launch, and stays until all of it has happened or the communicator is
// aborted.
void run(State& all, Launch& launch, std::unique_lock<std::mutex>& lock) {
  ncclComm& comm = *launch.comm;
  be_late(all, all.switches.longest_delay, lock);
  const auto given_up = [&] { return comm.stopped || all.ending; };
  const auto stands_still = [&] {
    return comm.error != ncclSuccess || all.switches.lost_ranks.contains(comm.rank);
  };
  if (stands_still()) all.changed.wait(lock, given_up);
  if (given_up()) return;
  for (const auto& op : launch.ops) {
    if (check_op(all, *op, comm.clique->ranks)) come(all, comm, *op);
  }
  all.changed.wait(lock, [&] {
    const auto done = [](const auto& op) { return op->done; };
    return given_up() || std::all_of(launch.ops.begin(), launch.ops.end(), done);
  });
  if (given_up()) leave(comm, launch.ops);
}

ncclResult_t hand_over(State& all, const std::shared_ptr<Launch>& launch) {
  ncclComm& comm = *launch->comm;
  auto put = [&all, launch] {
    push(*launch->stream, [&all, launch](auto& lock) { run(all, *launch, lock); });
  };
  if (all.switches.slow_launches == 0) {
    put();
    return ncclSuccess;
  }
  comm.answers_until_taken = all.switches.slow_launches;
  comm.not_taken.push_back(std::move(put));
  return ncclInProgress;
}

ncclResult_t call(const Op& op, ncclComm_t handle, cudaStream_t stream_handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  ncclComm* comm = use(all, handle);
  CUstream_st* stream = use(all, stream_handle);
  if (comm == nullptr || stream == nullptr) return ncclInvalidArgument;
  if (comm->answers_until_taken > 0) ++all.counters.hasty_calls;
  if (comm->error != ncclSuccess) return comm->error;
  if (stream->device != comm->device || current_device() != comm->device) {
    ++all.counters.wrong_device;
    return ncclInvalidArgument;
  }
  if (!check_op(all, op, comm->clique->ranks)) return ncclInvalidArgument;
  auto launch = group.launch;
  if (launch == nullptr) {
    launch = std::make_shared<Launch>();
    launch->comm = comm;
    launch->stream = stream;
  }
  launch->ops.push_back(std::make_unique<Op>(op));
  if (group.depth == 0) return hand_over(all, launch);
  group.launch = launch;
  return ncclSuccess;
}

Op collective(What what, const void* from, void* to, std::size_t count, ncclDataType_t type,
              ncclRedOp_t op = ncclSum, int root = -1) {
  return {.what = what,
          .from = static_cast<const std::byte*>(from),
          .to = static_cast<std::byte*>(to),
          .count = count,
          .type = type,
          .op = op,
          .peer = root};
}

}  // namespace

extern "C" {

ncclResult_t ncclGroupStart() {
  ++group.depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (group.depth == 0) return ncclInvalidUsage;
  if (--group.depth > 0 || group.launch == nullptr) return ncclSuccess;
  State& all = state();
  const std::lock_guard lock(all.mutex);
  return hand_over(all, std::exchange(group.launch, nullptr));
}

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return call(collective(What::kAllReduce, from, to, count, type, op), comm, stream);
}

ncclResult_t ncclReduceScatter(const void* from, void* to, std::size_t count, ncclDataType_t type,
                               ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return call(collective(What::kReduceScatter, from, to, count, type, op), comm, stream);
}

ncclResult_t ncclAllGather(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  return call(collective(What::kAllGather, from, to, count, type), comm, stream);
}

// Only the root's `from` is read.
ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  const void* read = comm != nullptr && comm->rank == root ? from : nullptr;
  return call(collective(What::kBroadcast, read, to, count, type, ncclSum, root), comm, stream);
}

ncclResult_t ncclSend(const void* from, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return call(collective(What::kSend, from, nullptr, count, type, ncclSum, peer), comm, stream);
}

ncclResult_t ncclRecv(void* to, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return call(collective(What::kRecv, nullptr, to, count, type, ncclSum, peer), comm, stream);
}

}  // extern "C"
