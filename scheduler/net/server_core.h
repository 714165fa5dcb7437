// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "scheduler/net/operator_messages.h"
#include "scheduler/net/refusal.h"
#include "scheduler/net/session_messages.h"
#include "scheduler/net/stream_messages.h"

namespace convoy::net {

class SiteSession;
// The connection, the core and tasks between them hold on to it.
using SessionPtr = std::shared_ptr<SiteSession>;

/// The server of a federation as its connections see it. Calls come from any thread and return at
/// once; answers are SiteSession's methods. `id` is what an answer names.
class ServerCore {
 public:
  virtual ~ServerCore() = default;

  /// A site wants to take part, or does again.
  virtual void on_join(const SessionPtr& session, std::uint64_t id, const Join& join) = 0;
  /// A site has an update: accept_upload(), acknowledge() or refuse().
  virtual void on_announced(const SessionPtr& session, std::uint64_t id,
                            const UploadBegin& update) = 0;
  /// The update's bytes are in the payload store, on stable storage; there are none of one that is
  /// not finite.
  virtual void on_uploaded(const SessionPtr& session, std::uint64_t id,
                           const UploadBegin& update) = 0;
  virtual void on_progress(const SessionPtr& session, const Progress& progress) = 0;
  virtual void on_leave(const SessionPtr& session, std::uint64_t id, const Leave& leave) = 0;
  /// The site cannot use the model that it was sent, or the job.
  virtual void on_refusal(const SessionPtr& session, const Refusal& refusal) = 0;
  /// The site has the final model.
  virtual void on_final_received(const SessionPtr& session) = 0;
  virtual void on_status_request(const SessionPtr& session, std::uint64_t id,
                                 const StatusRequest& request) = 0;
  virtual void on_command(const SessionPtr& session, std::uint64_t id, const Command& command) = 0;
  /// The connection has ended. @param why  "" after an end in order.
  virtual void on_closed(const SessionPtr& session, const std::string& why) = 0;
};

}  // namespace convoy::net
