// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "scheduler/net/message_type.h"

// What stands round a stream of chunks, whose number is the request id of the ...Begin.
namespace convoy::net {

/// Of a metric, with either sign: 2^53, up to which a double is exact where it counts something.
inline constexpr double kLargestMetric = 9007199254740992.0;

struct Metric {
  std::string name;
  double value = 0.0;  ///< sent as kLargestMetric where it is larger: a loss may be
  bool operator==(const Metric&) const = default;
};

/// A site has an update. Stored before it is announced: a site that comes back sends the same
/// bytes.
struct UploadBegin {
  static constexpr MessageType kType = MessageType::kUploadBegin;
  std::string update_id;   ///< no other update of the site has it
  Sha256 sha256{};         ///< of the whole stream
  std::int64_t bytes = 0;  ///< of the whole stream; 0 exactly where the update is not finite
  std::int64_t round = 0;
  std::int64_t version = 0;   ///< that it was trained from
  std::int64_t steps = 1;     ///< done
  std::int64_t samples = 1;   ///< n, as the site joined with
  std::int64_t position = 0;  ///< batches that the site has taken after this round
  double training_seconds = 0.0;
  std::optional<double> epsilon{};  ///< spent so far, this update included
  bool finite = true;
  std::vector<Metric> metrics;
  bool operator==(const UploadBegin&) const = default;
};

/// Update and log record are on stable storage: the site may forget the bytes.
struct UploadAck {
  static constexpr MessageType kType = MessageType::kUploadAck;
  std::string update_id;
  bool duplicate = false;  ///< the server had it already
  bool operator==(const UploadAck&) const = default;
};

/// What the server sends in a stream.
enum class StreamKind : std::uint8_t {
  kModel = 1,   ///< to start a round from
  kFinalModel,  ///< the result of the run
  kTorchScript  ///< a file
};
inline constexpr StreamKind kLastStreamKind = StreamKind::kTorchScript;

struct ModelBegin {
  static constexpr MessageType kType = MessageType::kModelBegin;
  StreamKind kind = StreamKind::kModel;
  std::int64_t version = 0;
  std::uint64_t model_hash = 0;  ///< over the values that the site has afterwards
  Sha256 sha256{};               ///< of the whole stream
  std::int64_t bytes = 0;        ///< of the whole stream
  bool operator==(const ModelBegin&) const = default;
};

/// From who receives: all before `offset` is safe while its process lives, of an upload on stable
/// storage; and bytes before `limit` may be sent.
struct StreamOffset {
  static constexpr MessageType kType = MessageType::kStreamOffset;
  std::uint64_t stream = 0;
  std::int64_t offset = 0;
  std::int64_t limit = 0;  ///< never less than before
  bool operator==(const StreamOffset&) const = default;
};

/// Every byte has been sent.
struct StreamEnd {
  static constexpr MessageType kType = MessageType::kStreamEnd;
  std::uint64_t stream = 0;
  Sha256 sha256{};  ///< the one of the ...Begin
  bool operator==(const StreamEnd&) const = default;
};

}  // namespace convoy::net
