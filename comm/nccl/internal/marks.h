// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/stream.h"

namespace convoy::comm::nccl {

/// Ranks tell each other what they call before they call it (Options::check_calls): NCCL itself
/// hangs, or gives wrong values, where they do not fit together.
class Marks {
 public:
  /// @param messages  carries them and nothing else.
  explicit Marks(std::unique_ptr<Communicator> messages);
  /// Requests under way end with the communicator that they belong to.
  ~Marks();
  Marks(const Marks&) = delete;
  Marks& operator=(const Marks&) = delete;

  /// Tells the others about a collective, and begins to hear from them.
  void announce(const internal::CallMark& own, Device device);
  /// See Communicator::give_up().
  void give_up(const std::string& why) noexcept { messages_->give_up(why); }
  /// True when every rank calls the same with `sequence`. @throws internal::TransportError that
  /// names a rank that does not.
  [[nodiscard]] bool agreed(std::uint64_t sequence);
  /// The ranks that have not said that they call `sequence`.
  [[nodiscard]] std::vector<int> absent(std::uint64_t sequence) const;
  /// By rank: the last collective that it has told of; 0 for none.
  [[nodiscard]] std::uint64_t heard_in(int rank) const {
    return heard_in_[static_cast<std::size_t>(rank)];
  }

 private:
  // Signature, context, device; sequence; bytes.
  using Words = std::array<std::int64_t, 4>;
  struct Round {
    internal::CallMark own;
    Device device = Device::kHost;
    std::shared_ptr<std::vector<Words>> words;  // by rank
    std::vector<Request> sent;                  // by rank; the own is empty
    std::vector<Request> received;
    std::vector<bool> heard;  // by rank: received and compared
  };
  static Words pack(const internal::CallMark& mark, Device device);
  static internal::CallMark unpack(const Words& words);
  static void check(int peer, const Words& theirs, const Round& round);
  void hear(Round& round);

  std::unique_ptr<Communicator> messages_;
  std::vector<std::uint64_t> heard_in_;
  std::map<std::uint64_t, Round> rounds_;  // by sequence
};

}  // namespace convoy::comm::nccl
