// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "scheduler/net/message_type.h"

// How a connection begins and ends, and a site's rounds. Bounds of every field: docs/protocol.md.
namespace convoy::net {

/// Of samples, steps and batches that a message may name. More is nobody's, and sums over all sites
/// stay far below 2^63.
inline constexpr std::int64_t kMostCounted = std::int64_t{1} << 40;

/// Protocol versions that one end speaks: all from `lowest` to `highest`.
struct VersionRange {
  std::uint32_t lowest = 1;
  std::uint32_t highest = 1;
  bool operator==(const VersionRange&) const = default;
};

/// The first message of who has dialled.
struct Hello {
  static constexpr MessageType kType = MessageType::kHello;
  VersionRange versions;
  Party party = Party::kSite;  ///< kSite or kOperator
  std::string name;            ///< as in the certificate
  std::string instance;        ///< of one process: chosen at random when it starts
  std::vector<std::string> capabilities;
  std::string software;  ///< for logs
  bool operator==(const Hello&) const = default;
};

/// The server's first message, unless it refuses.
struct Welcome {
  static constexpr MessageType kType = MessageType::kWelcome;
  std::uint32_t version = 1;  ///< that both speak from now on
  std::string server;
  std::string run;  ///< the same after a restart of the server
  std::vector<std::string> capabilities;
  std::int64_t heartbeat_ms = 5000;  ///< a site is silent for no longer
  std::int64_t liveness_ms = 30000;  ///< silent for longer, it is dead
  std::string software;
  bool operator==(const Welcome&) const = default;
};

/// The last message of either end: the connection closes for a reason.
struct Goodbye {
  static constexpr MessageType kType = MessageType::kGoodbye;
  std::string text;
  bool operator==(const Goodbye&) const = default;
};

/// The server has done what was asked, where there is nothing else to say.
struct Accepted {
  static constexpr MessageType kType = MessageType::kAccepted;
  std::string text;
  bool operator==(const Accepted&) const = default;
};

/// A site wants to take part, or does again. With `schema_hash` 0 it only asks what the job is, to
/// read its data accordingly: JobOffer answers, nobody is enrolled, and another Join follows.
struct Join {
  static constexpr MessageType kType = MessageType::kJoin;
  std::int64_t samples = 1;
  std::uint64_t schema_hash = 0;                ///< over columns, types and classes of its data
  std::int64_t threads = 1;                     ///< of each rank
  std::int64_t ranks = 1;                       ///< of the MPI job that the site is
  std::optional<std::int64_t> held_version{};   ///< of the model that it has whole
  std::optional<std::string> pending_update{};  ///< that it has and that was not acknowledged
  /// That it is training or whose update it is about to send: the server need not dispatch it
  /// again.
  std::optional<std::int64_t> open_round{};
  bool operator==(const Join&) const = default;
};

/// Of a job as text.
inline constexpr std::size_t kMaxJobBytes = std::size_t{48} << 10;

struct JobOffer {
  static constexpr MessageType kType = MessageType::kJobOffer;
  std::string job;                             ///< TOML
  std::uint64_t model_hash = 0;                ///< over names, types and shapes
  std::optional<Sha256> torchscript_sha256{};  ///< none: one of convoy's own models
  std::int64_t client = 0;                     ///< the site's number in this run
  bool operator==(const JobOffer&) const = default;
};

/// A round. The model follows in a stream of its own, unless the site holds it.
struct Dispatch {
  static constexpr MessageType kType = MessageType::kDispatch;
  std::int64_t round = 0;
  std::int64_t version = 0;      ///< of the model to start from; the update's base
  std::uint64_t model_hash = 0;  ///< over its values
  std::int64_t steps = 1;
  std::optional<double> deadline_seconds{};  ///< from now: clocks differ. None: there is none
  std::uint64_t seed = 0;
  std::int64_t position = 0;  ///< batches that the site has taken before
  std::int64_t updates = 0;   ///< that had reached the server: the learning rate's place
  bool take_back = false;     ///< the server has refused the site's newest update
  bool operator==(const Dispatch&) const = default;
};

/// What a site is doing.
enum class Activity : std::uint8_t { kIdle = 1, kReceiving, kTraining, kSending };
inline constexpr Activity kLastActivity = Activity::kSending;

/// A site is alive.
struct Progress {
  static constexpr MessageType kType = MessageType::kProgress;
  Activity activity = Activity::kIdle;
  std::optional<std::int64_t> round{};
  std::int64_t steps_done = 0;
  bool operator==(const Progress&) const = default;
};

enum class LeaveReason : std::uint8_t { kDone = 1, kPrivacyBudget, kStopped, kFailed };
inline constexpr LeaveReason kLastLeaveReason = LeaveReason::kFailed;

/// A site takes part no longer.
struct Leave {
  static constexpr MessageType kType = MessageType::kLeave;
  LeaveReason reason = LeaveReason::kStopped;
  std::string text;
  bool operator==(const Leave&) const = default;
};

}  // namespace convoy::net
