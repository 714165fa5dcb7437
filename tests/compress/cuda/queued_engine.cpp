// SPDX-License-Identifier: Apache-2.0
#include "tests/compress/cuda/queued_engine.h"

#include <chrono>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "comm/nccl/internal/check.h"
#include "tests/compress/cuda/host_codecs.h"
#include "tests/compress/cuda/host_runner.h"
#include "tests/nccl_double/state.h"

namespace convoy::compress::cuda {
namespace {

using comm::nccl::check_cuda;
using tests::nccl_double::state;

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

/// A stream, and the order after its caller.
class Queue {
 public:
  explicit Queue(cudaStream_t stream)
      : own_(stream == nullptr ? comm::nccl::make_stream() : comm::nccl::Stream()),
        stream_(stream == nullptr ? own_.get() : stream),
        event_(comm::nccl::make_event()) {
    const std::lock_guard lock(state().mutex);
    device_ = stream_->device;
  }

  void enter() const { tests::nccl_double::current_device() = device_; }
  void put(std::function<void()> work) {
    auto& all = state();
    const std::lock_guard lock(all.mutex);
    if (tests::nccl_double::current_device() != device_) ++all.counters.wrong_device;
    tests::nccl_double::push(
        *stream_, [&all, work = std::move(work)](std::unique_lock<std::mutex>& held) {
          tests::nccl_double::be_late(all, all.switches.longest_delay / 8, held);
          held.unlock();
          work();
          held.lock();
        });
  }
  void finish() {
    check_cuda(cudaEventRecord(event_.get(), stream_), "cudaEventRecord");
    while (!comm::nccl::is_over(event_)) nap();
  }
  void follow_caller() {
    check_cuda(cudaEventRecord(event_.get(), nullptr), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(stream_, event_.get(), 0), "cudaStreamWaitEvent");
  }
  [[nodiscard]] cudaStream_t stream() const { return stream_; }

 private:
  comm::nccl::Stream own_;
  cudaStream_t stream_;
  comm::nccl::Event event_;
  int device_ = 0;
};

}  // namespace

/// HostRunner behind a queue. Named here, so that make_codec_on() is found for it.
class QueuedRunner {
 public:
  /// Gives memory back when the program ends: the real one would wait for the device.
  template <typename T>
  class Buffer {
   public:
    DeviceSpan<T> at_least(std::int64_t count) {
      if (count > capacity_) {
        data_ = reinterpret_cast<T*>(keep(static_cast<std::size_t>(count) * sizeof(T)));
        capacity_ = count;
      }
      return {data_, count};
    }

   private:
    static std::byte* keep(std::size_t bytes) {
      static std::mutex mutex;
      static std::vector<std::shared_ptr<std::byte>> kept;
      const std::lock_guard lock(mutex);
      return kept.emplace_back(allocate_guarded(bytes)).get();
    }
    T* data_ = nullptr;
    std::int64_t capacity_ = 0;
  };

  explicit QueuedRunner(cudaStream_t stream) : queue_(std::make_shared<Queue>(stream)) {}

  template <typename Kernel>
  void launch(const Kernel& kernel, std::int64_t blocks, int threads) {
    queue_->put([kernel, blocks, threads] { HostRunner().launch(kernel, blocks, threads); });
  }
  template <typename T>
  void fill_zero(DeviceSpan<T> span) {
    queue_->put([span] { HostRunner().fill_zero(span); });
  }
  template <typename T>
  std::vector<std::remove_const_t<T>> to_host(DeviceSpan<T> span) {
    std::vector<std::remove_const_t<T>> values;
    queue_->put([span, &values] { values = HostRunner().to_host(span); });
    queue_->finish();
    return values;
  }
  [[nodiscard]] std::shared_ptr<std::byte> allocate(std::size_t bytes) {
    auto memory = allocate_guarded(bytes);
    if (memory == nullptr) return nullptr;
    std::byte* const data = memory.get();
    // Goes back in the order of the queue.
    return {data, [memory = std::move(memory), queue = queue_](std::byte*) mutable {
              queue->enter();
              queue->put([kept = std::move(memory)] {});
            }};
  }
  void enter() { queue_->enter(); }
  void copy_in(std::span<const std::byte> from, DeviceSpan<std::byte> to) {
    queue_->put(
        [copy = std::vector(from.begin(), from.end()), to] { HostRunner().copy_in(copy, to); });
  }
  void copy_out(DeviceSpan<const std::byte> from, std::span<std::byte> to) {
    queue_->put([from, to] { HostRunner().copy_out(from, to); });
    queue_->finish();
  }
  void copy(DeviceSpan<const std::byte> from, DeviceSpan<std::byte> to) {
    queue_->put([from, to] { HostRunner().copy(from, to); });
  }
  void follow_caller() { queue_->follow_caller(); }
  void finish() { queue_->finish(); }
  [[nodiscard]] Stream stream() const { return queue_->stream(); }

 private:
  std::shared_ptr<Queue> queue_;  // shared with the memory that goes back to it
};

std::unique_ptr<Engine> make_queued_engine(cudaStream_t stream) {
  return std::make_unique<EngineOn<QueuedRunner>>(QueuedRunner(stream));
}

}  // namespace convoy::compress::cuda
