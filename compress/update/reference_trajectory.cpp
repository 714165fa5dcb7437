// SPDX-License-Identifier: Apache-2.0
// A message, little-endian: i64 version before (-1: none, the values follow whole), i64 version
// after, u64 hash of the values after; then the float32 values, or for each version in between u64
// bytes and its payload.
#include "compress/update/reference_trajectory.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/random.h"
#include "compress/update/internal/byte_stream.h"

namespace convoy::compress {
namespace {

constexpr std::int64_t kNothing = -1;

std::uint64_t hash_of(const std::vector<float>& values) {
  return hash64(std::as_bytes(std::span(values)));
}

}  // namespace

ReferenceTrajectory::ReferenceTrajectory(const UpdateCodec& codec, std::span<const float> model,
                                         std::size_t versions, std::uint64_t seed)
    : codec_(codec),
      versions_(versions),
      seed_(seed),
      values_(model.begin(), model.end()),
      hash_(hash_of(values_)) {
  require(std::ssize(model) == codec.numel(), "ReferenceTrajectory: another number of values");
}

void ReferenceTrajectory::advance(std::span<const float> model) {
  require(model.size() == values_.size(), "ReferenceTrajectory: another number of values");
  std::vector<float> difference(model.begin(), model.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= values_[i];
  ++version_;
  auto payload = codec_.encode(difference, mix({seed_, static_cast<std::uint64_t>(version_)}));
  codec_.add_decoded(payload, 1.0F, values_);
  hash_ = hash_of(values_);
  ring_.push_back(std::move(payload));
  if (ring_.size() > versions_) ring_.pop_front();
}

std::vector<std::byte> ReferenceTrajectory::message(std::optional<std::int64_t> known) const {
  const std::int64_t oldest = version_ - std::ssize(ring_);
  const auto dense = std::as_bytes(std::span(values_));
  std::size_t bytes = 0;
  if (known && *known >= oldest && *known <= version_) {
    for (auto i = static_cast<std::size_t>(*known - oldest); i < ring_.size(); ++i) {
      bytes += sizeof(std::uint64_t) + ring_[i].size();
    }
  } else {
    known.reset();
  }
  if (bytes >= dense.size()) known.reset();
  internal::ByteWriter out;
  out.put(known.value_or(kNothing));
  out.put(version_);
  out.put(hash_);
  if (!known) out.put_bytes(dense);
  for (std::int64_t version = known.value_or(version_); version < version_; ++version) {
    const auto& payload = ring_[static_cast<std::size_t>(version - oldest)];
    out.put(std::uint64_t{payload.size()});
    out.put_bytes(payload);
  }
  return out.take();
}

std::size_t ReferenceTrajectory::memory_bytes() const {
  std::size_t bytes = values_.size() * sizeof(float);
  for (const auto& payload : ring_) bytes += payload.size();
  return bytes;
}

void ReferenceTrajectory::restore(std::int64_t version, std::vector<float> values) {
  require_config(values.size() == values_.size(), "the checkpoint's reference is of another model");
  version_ = version;
  values_ = std::move(values);
  hash_ = hash_of(values_);
  ring_.clear();
}

void ReferenceFollower::follow(std::span<const std::byte> message) {
  try {
    follow_payloads(message);
  } catch (...) {
    reset();
    throw;
  }
}

void ReferenceFollower::follow_payloads(std::span<const std::byte> message) {
  internal::ByteReader in(message);
  const auto before = in.get<std::int64_t>();
  const auto after = in.get<std::int64_t>();
  const auto hash = in.get<std::uint64_t>();
  if (after < 0 || before > after) throw PayloadError("the message's versions do not follow");
  if (before == kNothing) {
    values_.resize(static_cast<std::size_t>(codec_.numel()));
    const auto dense = in.take(values_.size() * sizeof(float));
    std::memcpy(values_.data(), dense.data(), dense.size());
  } else if (version_ != before) {
    throw PayloadError("the message begins at version " + std::to_string(before) +
                       ", which is not held");
  } else {
    for (std::int64_t version = before; version < after; ++version) {
      codec_.add_decoded(in.take(in.get<std::uint64_t>()), 1.0F, values_);
    }
  }
  if (!in.at_end()) throw PayloadError("the message has bytes behind its end");
  if (hash_of(values_) != hash) {
    throw PayloadError("version " + std::to_string(after) + " has other bits than the server's");
  }
  version_ = after;
}

void ReferenceFollower::hold(std::int64_t version, std::vector<float> values) {
  require(std::ssize(values) == codec_.numel(), "ReferenceFollower: another number of values");
  version_ = version;
  values_ = std::move(values);
}

void ReferenceFollower::reset() {
  version_.reset();
  values_.clear();
}

}  // namespace convoy::compress
