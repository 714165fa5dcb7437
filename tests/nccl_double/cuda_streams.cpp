// SPDX-License-Identifier: Apache-2.0
// The double's streams and events.
#include <cstring>

#include "tests/nccl_double/state.h"

using namespace convoy::tests::nccl_double;

namespace {

// Whether an event and a stream are of one device.
bool fit(State& all, int a, int b) {
  if (a == b) return true;
  ++all.counters.wrong_device;
  return false;
}

bool check_copy(State& all, void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const bool to_host = kind == cudaMemcpyDeviceToHost;
  const bool from_host = kind == cudaMemcpyHostToDevice;
  return check_memory(all, to, bytes, to_host) && check_memory(all, from, bytes, from_host);
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  if (flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;
  State& all = state();
  const std::lock_guard lock(all.mutex);
  *stream = new_stream(all, current_device());
  ++all.counters.streams;
  return cudaSuccess;
}

// As the real one: what stands on the stream is still worked off.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  if (handle == nullptr || !handle->alive) {
    ++all.counters.double_frees;
    return cudaErrorInvalidResourceHandle;
  }
  handle->alive = false;
  handle->closing = true;
  handle->work.notify_one();
  --all.counters.streams;
  ++all.counters.stream_frees;
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  const CUstream_st* stream = use(all, handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  return stream->busy || !stream->tasks.empty() ? cudaErrorNotReady : cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t event_handle,
                                unsigned int /*flags*/) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  CUstream_st* stream = use(all, stream_handle);
  const CUevent_st* event = use(all, event_handle);
  if (stream == nullptr || event == nullptr) return cudaErrorInvalidResourceHandle;
  if (event->last == nullptr) return cudaSuccess;
  push(*stream, [&all, mark = event->last](std::unique_lock<std::mutex>& held) {
    all.changed.wait(held, [&] { return mark->passed || all.ending; });
  });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int /*flags*/) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  *event = all.events.emplace_back(std::make_unique<CUevent_st>()).get();
  (*event)->device = current_device();
  ++all.counters.events;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  if (event == nullptr || !event->alive) {
    ++all.counters.double_frees;
    return cudaErrorInvalidResourceHandle;
  }
  event->alive = false;
  --all.counters.events;
  ++all.counters.event_frees;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event_handle, cudaStream_t stream_handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  CUevent_st* event = use(all, event_handle);
  CUstream_st* stream = use(all, stream_handle);
  if (event == nullptr || stream == nullptr || !fit(all, event->device, stream->device)) {
    return cudaErrorInvalidResourceHandle;
  }
  event->last = std::make_shared<Mark>();
  push(*stream, [&all, mark = event->last](std::unique_lock<std::mutex>& /*held*/) {
    mark->passed = true;
    all.changed.notify_all();
  });
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  const CUevent_st* event = use(all, handle);
  if (event == nullptr) return cudaErrorInvalidResourceHandle;
  return event->last == nullptr || event->last->passed ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t handle) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  CUstream_st* stream = use(all, handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (all.switches.broken_devices.contains(stream->device)) return cudaErrorIllegalAddress;
  if (!check_copy(all, to, from, bytes, kind)) return cudaErrorInvalidValue;
  push(*stream,
       [&all, to, from, bytes, kind, device = stream->device](std::unique_lock<std::mutex>& held) {
         be_late(all, all.switches.longest_copy_delay, held);
         const auto goes_on = [&] { return !all.switches.stopped_devices.contains(device); };
         all.changed.wait(held, [&] { return goes_on() || all.ending; });
         if (all.ending) return;
         if (check_copy(all, to, from, bytes, kind)) std::memcpy(to, from, bytes);
       });
  return cudaSuccess;
}

}  // extern "C"
