// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>

namespace convoy::comm::internal {

class ScratchPool;

/// Memory on loan; goes back at the end. Undefined content. Must not outlive its pool.
class Scratch {
 public:
  Scratch() = default;
  Scratch(Scratch&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Scratch();

  [[nodiscard]] std::byte* data() const { return bytes_.data(); }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  friend ScratchPool;
  Scratch(ScratchPool& pool, std::span<std::byte> bytes) : pool_(&pool), bytes_(bytes) {}

  ScratchPool* pool_ = nullptr;
  std::span<std::byte> bytes_;
};

/// Lends memory and keeps what comes back for the next loan, so that repeated steps allocate none:
/// fresh memory costs a page fault for every 4 KiB. Any thread.
class ScratchPool {
 public:
  ScratchPool() = default;
  ~ScratchPool();
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;

  /// @return `bytes` bytes, aligned for every element.
  [[nodiscard]] Scratch take(std::size_t bytes);

 private:
  friend Scratch;
  // Sizes are powers of two, 2^class. Idle memory holds the address of the next of its class.
  static constexpr std::size_t kClasses = 48;
  struct Idle {
    Idle* next = nullptr;
  };
  static std::size_t class_of(std::size_t bytes);
  void give_back(std::span<std::byte> bytes) noexcept;

  std::mutex mutex_;
  std::array<Idle*, kClasses> idle_{};
  std::size_t idle_bytes_ = 0;
};

}  // namespace convoy::comm::internal
