// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "compress/update/update_codec.h"

namespace convoy::compress {

/// The server's end of the downlink. Clients hold different versions, so they follow one reference
/// r instead of the model w itself:
///
///   r_0 = w_0,   r_{V+1} = r_V + decode(encode(w_{V+1} - r_V))
///
/// What compression leaves out of one version is in the difference of the next. A client that
/// holds r_v gets the payloads v+1..V, or r_V dense where v has left the ring or that is smaller;
/// either way it ends with the bits of r_V, which the hash in every message proves.
/// One payload (and one plan) a version, whatever the number of clients. One thread.
class ReferenceTrajectory {
 public:
  /// `codec` must outlive it. @param model  w_0. @param versions  payloads that are kept at most.
  /// @param seed  of stochastic rounding.
  ReferenceTrajectory(const UpdateCodec& codec, std::span<const float> model, std::size_t versions,
                      std::uint64_t seed);

  /// The model has a new version. @throws ContractError for another number of values.
  void advance(std::span<const float> model);

  [[nodiscard]] std::int64_t version() const { return version_; }
  /// r_V: what clients start from, and what their deltas are taken against.
  [[nodiscard]] const std::vector<float>& values() const { return values_; }
  /// Of the bits of r_V.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

  /// What a client needs to get from `known` (none: it has nothing) to r_V.
  [[nodiscard]] std::vector<std::byte> message(std::optional<std::int64_t> known) const;
  /// Of values and payloads.
  [[nodiscard]] std::size_t memory_bytes() const;

  /// Goes on from a checkpoint. The ring is empty then: clients get their next model dense.
  /// @throws ConfigError for another number of values.
  void restore(std::int64_t version, std::vector<float> values);

 private:
  const UpdateCodec& codec_;
  std::size_t versions_;
  std::uint64_t seed_;
  std::int64_t version_ = 0;
  std::vector<float> values_;
  std::uint64_t hash_ = 0;
  std::deque<std::vector<std::byte>> ring_;  // payloads of versions version_-size+1..version_
};

/// A client's end of the downlink. One thread.
class ReferenceFollower {
 public:
  /// `codec` must outlive it.
  explicit ReferenceFollower(const UpdateCodec& codec) : codec_(codec) {}

  /// The version held; none at first.
  [[nodiscard]] std::optional<std::int64_t> version() const { return version_; }
  [[nodiscard]] const std::vector<float>& values() const { return values_; }
  /// Follows a message of ReferenceTrajectory. @throws PayloadError where it is damaged, does not
  /// begin at what is held, or leads to other bits than the server's; nothing is held then.
  void follow(std::span<const std::byte> message);
  /// Takes over r_version, which has come by another way. @throws ContractError for another number
  /// of values.
  void hold(std::int64_t version, std::vector<float> values);
  /// Forgets everything, as a new process has.
  void reset();

 private:
  void follow_payloads(std::span<const std::byte> message);

  const UpdateCodec& codec_;
  std::optional<std::int64_t> version_;
  std::vector<float> values_;
};

}  // namespace convoy::compress
