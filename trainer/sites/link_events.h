// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/net/refusal.h"
#include "scheduler/net/session_messages.h"
#include "scheduler/net/stream_messages.h"

// What the server's words come to, for whoever trains.
namespace convoy::trainer {

/// The server has said what is trained.
struct JobCame {
  net::Welcome welcome;
  net::JobOffer offer;
  bool is_enrolled = false;  ///< false: the site had only asked
};

/// A whole stream from the server.
struct ReceivedStream {
  net::ModelBegin begin;
  std::uint64_t stream = 0;      ///< its number...
  std::uint64_t connection = 0;  ///< ... on this connection
  std::vector<std::byte> bytes;
};

/// A round, with its model unless the site holds that already.
struct RoundCame {
  net::Dispatch dispatch;
  std::uint64_t id = 0;          ///< the Dispatch's frame...
  std::uint64_t connection = 0;  ///< ... on this connection
  std::optional<ReceivedStream> model;
};

/// What became of the update that was offered.
struct UpdateAnswered {
  std::string id;
  bool is_accepted = false;  ///< else it is to be given up
  std::string text;
};

struct FinalCame {
  ReceivedStream model;
};
struct ScriptCame {
  ReceivedStream file;
};
/// The server knows that the site has left.
struct LeaveAccepted {};

/// The connection is gone.
struct LinkEnded {
  /// Dialling again will not help.
  bool is_final = false;
  /// Nor will starting anew, before somebody has changed something: certificate, policy, roster.
  bool needs_mending = false;
  /// What the server refused; none: it just ended.
  std::optional<net::RefusalCode> code;
  std::string text;
  /// The site has what it came for.
  bool is_done = false;
  /// After which the server takes a silent site for dead; 0: it has not said.
  std::int64_t liveness_ms = 0;
};

using LinkEvent = std::variant<JobCame, RoundCame, UpdateAnswered, FinalCame, ScriptCame,
                               LeaveAccepted, LinkEnded>;

}  // namespace convoy::trainer
