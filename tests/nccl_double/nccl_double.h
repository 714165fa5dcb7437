// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

namespace convoy::tests {

/// How the double behaves; read at every call.
struct NcclSwitches {
  int devices = 8;
  int driver = 13000;                      ///< CUDA version of the driver; 0: none
  cudaError_t device_error = cudaSuccess;  ///< what counting devices ends with
  /// All of the process's memory passes for device memory: for tensors that live on the host.
  bool all_memory_is_device = false;
  /// Before a collective a stream sleeps for a random time up to this.
  std::chrono::microseconds longest_delay{0};
  /// The same before a copy.
  std::chrono::microseconds longest_copy_delay{0};
  std::uint64_t seed = 1;
  /// So many questions after its state a communicator has taken a launch: until then nothing of it
  /// stands on a stream, and everything answers ncclInProgress.
  int slow_launches = 0;
  /// These devices refuse copies.
  std::set<int> broken_devices;
  /// These devices never come to a copy.
  std::set<int> stopped_devices;
  /// The devices of these ranks never come to a collective.
  std::set<int> lost_ranks;
  /// These ranks never join a new communicator.
  std::set<int> absent_ranks;
  /// Peers of an aborted communicator see ncclRemoteError; else they wait in vain.
  bool aborts_are_seen = false;
};

/// What must not happen, and what is alive. Handles stay known after they have been given back.
struct NcclCounters {
  int double_frees = 0;
  int uses_after_free = 0;
  int wrong_memory = 0;  ///< not of the device, not pinned, or given back
  int wrong_device = 0;  ///< a stream, event or communicator of another one
  int hasty_calls = 0;   ///< on a communicator that was still in progress
  int mismatches = 0;    ///< ranks that call different things: then it hangs
  int stream_frees = 0, event_frees = 0, comm_frees = 0, device_frees = 0, pinned_frees = 0;
  int streams = 0, events = 0, comms = 0, device_blocks = 0, pinned_blocks = 0;  ///< alive

  /// Empty when nothing is wrong and nothing is left.
  [[nodiscard]] std::string faults() const;
};

/// A CUDA runtime and an NCCL of host memory, threads and queues, in place of the real ones, for as
/// long as this lives; one at a time. Ranks are threads. Each stream is a queue that a thread works
/// off; events come with the queue; a collective happens when the streams of all its ranks have
/// come to it, and takes sums in the order of a ring, each chunk from another rank on.
class NcclDouble {
 public:
  explicit NcclDouble(const NcclSwitches& switches = {});
  /// Adds a test failure where counters().faults() is not empty, unless they were taken before.
  ~NcclDouble();
  NcclDouble(const NcclDouble&) = delete;
  NcclDouble& operator=(const NcclDouble&) = delete;

  void set(const NcclSwitches& switches);
  [[nodiscard]] NcclCounters counters() const;
  /// The caller looks at them: the destructor says nothing about them.
  [[nodiscard]] NcclCounters take_counters();
  /// The communicators of `rank` fail: they say `error` when asked, and their collectives stand
  /// still.
  void fail(int rank, ncclResult_t error);

 private:
  bool taken_ = false;
};

}  // namespace convoy::tests
