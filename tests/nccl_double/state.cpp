// SPDX-License-Identifier: Apache-2.0
#include "tests/nccl_double/state.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "base/random.h"

namespace convoy::tests {
namespace nccl_double {
namespace {

std::unique_ptr<State>& slot() {
  static std::unique_ptr<State> living;
  return living;
}

// Handles stay in their lists for as long as the double lives, also dead ones.
template <typename T>
T* use_living(State& state, T* handle) {
  if (handle != nullptr && handle->alive) return handle;
  ++state.counters.uses_after_free;
  return nullptr;
}

void work_off(State& state, CUstream_st& stream) {
  std::unique_lock lock(state.mutex);
  for (;;) {
    stream.work.wait(lock, [&] { return !stream.tasks.empty() || stream.closing || state.ending; });
    if (state.ending || stream.tasks.empty()) return;
    const Task task = std::move(stream.tasks.front());
    stream.tasks.pop_front();
    stream.busy = true;
    task(lock);
    stream.busy = false;
  }
}

}  // namespace

State& state() {
  if (slot() == nullptr) {
    std::fputs("the CUDA double was called where no NcclDouble lives\n", stderr);
    std::abort();
  }
  return *slot();
}

int& current_device() {
  thread_local int device = 0;
  return device;
}

CUstream_st* new_stream(State& state, int device) {
  CUstream_st& stream = *state.streams.emplace_back(std::make_unique<CUstream_st>());
  stream.device = device;
  stream.thread = std::thread([&state, &stream] { work_off(state, stream); });
  return &stream;
}

void push(CUstream_st& stream, Task task) {
  stream.tasks.push_back(std::move(task));
  stream.work.notify_one();
}

void be_late(State& state, std::chrono::microseconds longest, std::unique_lock<std::mutex>& lock) {
  if (longest.count() == 0) return;
  Random random{state.switches.seed, ++state.draws};
  const std::chrono::microseconds delay(random.below(static_cast<std::uint64_t>(longest.count())));
  lock.unlock();
  std::this_thread::sleep_for(delay);
  lock.lock();
}

CUstream_st* use(State& state, cudaStream_t handle) {
  if (handle != nullptr) return use_living(state, handle);
  CUstream_st*& stream = state.default_streams[current_device()];
  if (stream == nullptr) stream = new_stream(state, current_device());
  return stream;
}

CUevent_st* use(State& state, cudaEvent_t handle) { return use_living(state, handle); }

ncclComm* use(State& state, ncclComm_t handle) { return use_living(state, handle); }

bool check_memory(State& state, const void* memory, std::size_t bytes, bool pinned) {
  if (bytes == 0 || (state.switches.all_memory_is_device && !pinned)) return true;
  const auto* begin = static_cast<const std::byte*>(memory);
  auto after = state.blocks.upper_bound(begin);
  if (after != state.blocks.begin()) {
    const auto& [start, block] = *std::prev(after);
    if (block.alive && block.pinned == pinned && begin + bytes <= start + block.bytes) return true;
  }
  ++state.counters.wrong_memory;
  return false;
}

}  // namespace nccl_double

using nccl_double::state;

std::string NcclCounters::faults() const {
  std::ostringstream text;
  const auto say = [&](int count, const char* what) {
    if (count != 0) text << count << " " << what << "; ";
  };
  say(double_frees, "double frees");
  say(uses_after_free, "uses after free");
  say(wrong_memory, "uses of memory of the wrong kind");
  say(wrong_device, "handles of another device");
  say(hasty_calls, "calls while the communicator was in progress");
  say(mismatches, "collectives that do not fit together");
  say(streams, "streams left");
  say(events, "events left");
  say(comms, "communicators left");
  say(device_blocks, "blocks of device memory left");
  say(pinned_blocks, "blocks of pinned memory left");
  return text.str();
}

NcclDouble::NcclDouble(const NcclSwitches& switches) {
  nccl_double::slot() = std::make_unique<nccl_double::State>();
  set(switches);
}

NcclDouble::~NcclDouble() {
  if (!taken_) {
    EXPECT_EQ(counters().faults(), "");
  }
  auto& all = state();
  {
    const std::lock_guard lock(all.mutex);
    all.ending = true;
    for (const auto& stream : all.streams) stream->work.notify_all();
  }
  all.changed.notify_all();
  for (const auto& stream : all.streams) stream->thread.join();
  for (const auto& [memory, block] : all.blocks) std::free(const_cast<std::byte*>(memory));
  nccl_double::slot().reset();
}

void NcclDouble::set(const NcclSwitches& switches) {
  const std::lock_guard lock(state().mutex);
  state().switches = switches;
}

NcclCounters NcclDouble::counters() const {
  const std::lock_guard lock(state().mutex);
  return state().counters;
}

NcclCounters NcclDouble::take_counters() {
  taken_ = true;
  return counters();
}

void NcclDouble::fail(int rank, ncclResult_t error) {
  const std::lock_guard lock(state().mutex);
  for (const auto& comm : state().comms) {
    if (comm->alive && comm->rank == rank) comm->error = error;
  }
}

}  // namespace convoy::tests
