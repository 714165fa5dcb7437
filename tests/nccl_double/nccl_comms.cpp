// SPDX-License-Identifier: Apache-2.0
// The life of the double's communicators.
#include <algorithm>
#include <cstring>

#include "tests/nccl_double/meeting.h"

using namespace convoy::tests::nccl_double;

namespace {

// What a communicator says of itself; the last answer "in progress" takes the launches.
ncclResult_t ask(ncclComm& comm) {
  if (comm.error != ncclSuccess) return comm.error;
  if (static_cast<int>(comm.clique->joined.size()) < comm.clique->ranks) return ncclInProgress;
  if (comm.answers_until_taken > 0) {
    if (--comm.answers_until_taken > 0) return ncclInProgress;
    while (!comm.not_taken.empty()) {
      comm.not_taken.front()();
      comm.not_taken.pop_front();
    }
  }
  return ncclSuccess;
}

void stop(State& all, ncclComm& comm) {
  comm.alive = false;
  comm.stopped = true;
  --all.counters.comms;
  ++all.counters.comm_frees;
  all.changed.notify_all();
}

ncclResult_t join(State& all, ncclComm& comm, std::uint64_t id, int ranks) {
  auto& clique = all.cliques[id];
  if (clique == nullptr) clique = std::make_shared<Clique>();
  clique->ranks = ranks;
  comm.clique = clique;
  if (all.switches.absent_ranks.contains(comm.rank)) return ncclSuccess;
  for (const auto& [rank, other] : clique->joined) {
    if (rank == comm.rank || other->device == comm.device) return ncclInvalidUsage;
  }
  clique->joined[comm.rank] = &comm;
  return ncclSuccess;
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclSystemError:
      return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    default:
      return "an error of the double";
  }
}

const char* ncclGetLastError(ncclComm_t /*comm*/) { return ""; }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  const std::uint64_t number = ++all.ids;
  std::memcpy(id->internal, &number, sizeof number);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidUsage;  // not what convoy uses
  State& all = state();
  const std::lock_guard lock(all.mutex);
  std::uint64_t number = 0;
  std::memcpy(&number, id.internal, sizeof number);
  ncclComm& made = *all.comms.emplace_back(std::make_unique<ncclComm>());
  made.rank = rank;
  made.device = current_device();
  ++all.counters.comms;
  *comm = &made;
  made.error = join(all, made, number, ranks);
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t handle, ncclResult_t* error) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  ncclComm* comm = use(all, handle);
  if (comm == nullptr) return ncclInvalidArgument;
  *error = ask(*comm);
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  ncclComm* comm = use(all, handle);
  if (comm == nullptr) return ncclInvalidArgument;
  comm->answers_until_taken = all.switches.slow_launches;
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  if (handle == nullptr || !handle->alive) {
    ++all.counters.double_frees;
    return ncclInvalidArgument;
  }
  stop(all, *handle);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  if (handle == nullptr || !handle->alive) {
    ++all.counters.double_frees;
    return ncclInvalidArgument;
  }
  stop(all, *handle);
  if (!all.switches.aborts_are_seen) return ncclSuccess;
  for (const auto& [rank, peer] : handle->clique->joined) {
    if (peer->alive && peer->error == ncclSuccess) peer->error = ncclRemoteError;
  }
  return ncclSuccess;
}

}  // extern "C"
