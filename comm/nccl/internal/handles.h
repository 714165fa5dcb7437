// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstddef>
#include <utility>

namespace convoy::comm::nccl {

/// Owns one C handle, a pointer, and gives it back. Moving empties the source.
template <typename T, void (*kRelease)(T) noexcept>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T value) : value_(value) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Handle() {
    if (value_ != nullptr) kRelease(value_);
  }

  [[nodiscard]] T get() const { return value_; }
  /// The caller owns it from now on.
  [[nodiscard]] T release() { return std::exchange(value_, nullptr); }

 private:
  T value_ = nullptr;
};

void destroy_stream(cudaStream_t stream) noexcept;
void destroy_event(cudaEvent_t event) noexcept;
void abort_communicator(ncclComm_t comm) noexcept;
void free_device_memory(std::byte* memory) noexcept;
void free_pinned_memory(std::byte* memory) noexcept;

using Stream = Handle<cudaStream_t, destroy_stream>;
using Event = Handle<cudaEvent_t, destroy_event>;
/// One that is still owned when it goes is aborted: a clean end releases it first.
using NcclComm = Handle<ncclComm_t, abort_communicator>;
using DeviceMemory = Handle<std::byte*, free_device_memory>;
/// Host memory that a device copies to and from on its own.
using PinnedMemory = Handle<std::byte*, free_pinned_memory>;

// All on the current device. @throws internal::TransportError with the name of the CUDA call.

/// Does not wait for the legacy default stream, nor that for it.
[[nodiscard]] Stream make_stream();
/// Without time stamps, which would cost time.
[[nodiscard]] Event make_event();
/// None (null) for 0 bytes.
[[nodiscard]] DeviceMemory make_device_memory(std::size_t bytes);
[[nodiscard]] PinnedMemory make_pinned_memory(std::size_t bytes);

/// True when all that stood before the last cudaEventRecord() is done.
[[nodiscard]] bool is_over(const Event& event);
/// True when nothing is left to do there.
[[nodiscard]] bool is_idle(const Stream& stream);

}  // namespace convoy::comm::nccl
