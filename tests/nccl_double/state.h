// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/nccl_double/nccl_double.h"

namespace convoy::tests::nccl_double {

/// What a stream has to do; called with the lock held, which it may give up to wait.
using Task = std::function<void(std::unique_lock<std::mutex>&)>;

/// One cudaEventRecord().
struct Mark {
  bool passed = false;
};

struct Block {
  std::size_t bytes = 0;
  bool pinned = false;
  bool alive = true;
};

/// All ranks of one unique id.
struct Clique;

}  // namespace convoy::tests::nccl_double

struct CUstream_st {
  int device = 0;
  bool alive = true;
  bool closing = false;
  bool busy = false;
  std::deque<convoy::tests::nccl_double::Task> tasks;
  std::condition_variable work;
  std::thread thread;
};

struct CUevent_st {
  int device = 0;
  bool alive = true;
  std::shared_ptr<convoy::tests::nccl_double::Mark> last;
};

struct ncclComm {
  int rank = 0;
  int device = 0;
  bool alive = true;
  bool stopped = false;  // aborted or destroyed
  ncclResult_t error = ncclSuccess;
  int answers_until_taken = 0;
  std::deque<std::function<void()>> not_taken;  // launches, before they stand on their stream
  std::uint64_t collectives = 0;                // that its streams have come to
  std::shared_ptr<convoy::tests::nccl_double::Clique> clique;
};

namespace convoy::tests::nccl_double {

/// Everything of one NcclDouble; guarded by `mutex`.
struct State {
  std::mutex mutex;
  std::condition_variable changed;  // what tasks wait for
  bool ending = false;
  NcclSwitches switches;
  NcclCounters counters;
  std::deque<std::unique_ptr<CUstream_st>> streams;
  std::map<int, CUstream_st*> default_streams;  // by device
  std::deque<std::unique_ptr<CUevent_st>> events;
  std::deque<std::unique_ptr<ncclComm>> comms;
  std::map<const std::byte*, Block> blocks;
  std::map<std::uint64_t, std::shared_ptr<Clique>> cliques;  // by unique id
  std::uint64_t ids = 0;
  std::uint64_t draws = 0;  // random numbers so far
};

/// Of the double that lives now. Aborts where none does.
State& state();

/// The current device of this thread.
int& current_device();

/// Null for a handle that is none or was given back, which is counted.
CUstream_st* use(State& state, cudaStream_t handle);
CUevent_st* use(State& state, cudaEvent_t handle);
ncclComm* use(State& state, ncclComm_t handle);

/// True where all bytes lie in living memory of that kind; else counts.
bool check_memory(State& state, const void* memory, std::size_t bytes, bool pinned);

CUstream_st* new_stream(State& state, int device);
void push(CUstream_st& stream, Task task);

/// A stream sleeps for a random time up to `longest`.
void be_late(State& state, std::chrono::microseconds longest, std::unique_lock<std::mutex>& lock);

}  // namespace convoy::tests::nccl_double
