// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_server.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"

namespace convoy::trainer {
namespace {

using net::Refusal;
using net::RefusalCode;

constexpr std::chrono::milliseconds kLook{100};
/// Between two entries that only say how late it is: what a crash takes off the run's clock.
constexpr std::chrono::seconds kTick{5};
constexpr std::chrono::seconds kLists{5};
/// A nap so much longer than it should be is time in which the whole machine stood still.
constexpr std::chrono::seconds kStoodStill{3};
/// Of one connection, in the loop's queue.
constexpr int kMostTasks = 256;

net::Welcome welcome_of(const Job& job, const SiteServerOptions& options, const std::string& run) {
  constexpr std::int64_t kMostHeartbeat = 5000;
  constexpr std::int64_t kLongest = 86'400'000;  // of the protocol
  const double seconds = job.federation.liveness_seconds();
  const auto liveness =
      static_cast<std::int64_t>(std::clamp(1000.0 * seconds, 1.0, static_cast<double>(kLongest)));
  return {.version = 1,
          .server = options.name,
          .run = run,
          .capabilities = {},
          .heartbeat_ms = std::max<std::int64_t>(1, std::min(kMostHeartbeat, liveness / 6)),
          .liveness_ms = liveness,
          .software = options.software};
}

}  // namespace

SiteServer::SiteServer(const Job& job, const RunRequest& request, SiteServerOptions options,
                       const DataInfo& info, std::shared_ptr<const Dataset> test)
    : job_(job),
      request_(request),
      options_(std::move(options)),
      federation_(job, request, info, std::move(test), options_.without_old_log) {
  for (const auto& [name, site] : federation_.book().all()) {
    Guest& guest = guests_[name];
    guest.samples = site.samples;
    guest.heard = Clock::now();
  }
  if (options_.torchscript) {
    script_ = {.kind = net::StreamKind::kTorchScript,
               .sha256 = sha256(*options_.torchscript),
               .bytes = std::ssize(*options_.torchscript)};
  }
  const net::Welcome welcome = welcome_of(job, options_, to_hex(federation_.run_id()));
  net::ServerCore& core = *this;
  listener_ = std::make_unique<net::Listener>(
      options_.listener, [this, welcome, &core](std::shared_ptr<net::Connection> connection) {
        return std::make_shared<net::SiteSession>(std::move(connection), welcome,
                                                  federation_.store(), core);
      });
}

SiteServer::~SiteServer() { listener_->stop(); }

// Every call of a connection becomes a task of the loop.

/// Who asks faster than the loop can answer is hung up on: what waits takes memory.
void SiteServer::put(const net::SessionPtr& session, TaskQueue::Task task) {
  if (session->count_tasks(1) > kMostTasks) {
    session->count_tasks(-1);
    return session->end(Refusal{RefusalCode::kTooMuch, "too many requests wait for an answer"});
  }
  tasks_.put([session, task = std::move(task)] {
    session->count_tasks(-1);
    task();
  });
}

void SiteServer::on_join(const net::SessionPtr& session, std::uint64_t id, const net::Join& join) {
  put(session, [this, session, id, join] { this->join(session, id, join); });
}

void SiteServer::on_announced(const net::SessionPtr& session, std::uint64_t id,
                              const net::UploadBegin& update) {
  put(session, [this, session, id, update] { announce(session, id, update); });
}

void SiteServer::on_uploaded(const net::SessionPtr& session, std::uint64_t id,
                             const net::UploadBegin& update) {
  put(session, [this, session, id, update] { take_update(session, id, update); });
}

void SiteServer::on_progress(const net::SessionPtr& session, const net::Progress& progress) {
  put(session, [this, session, progress] {
    if (Guest* guest = guest_of(session)) guest->progress = progress;
  });
}

void SiteServer::on_leave(const net::SessionPtr& session, std::uint64_t id,
                          const net::Leave& leave) {
  put(session, [this, session, id, leave] { this->leave(session, id, leave); });
}

void SiteServer::on_refusal(const net::SessionPtr& session, const Refusal& refusal) {
  put(session, [this, session, refusal] { take_refusal(session, refusal); });
}

void SiteServer::on_final_received(const net::SessionPtr& session) {
  put(session, [this, session] {
    if (Guest* guest = guest_of(session)) guest->has_final = true;
  });
}

void SiteServer::on_status_request(const net::SessionPtr& session, std::uint64_t id,
                                   const net::StatusRequest& request) {
  put(session, [this, session, id, request] { session->answer(id, status(*session, request)); });
}

void SiteServer::on_command(const net::SessionPtr& session, std::uint64_t id,
                            const net::Command& command) {
  put(session, [this, session, id, command] { obey(session, id, command); });
}

void SiteServer::on_closed(const net::SessionPtr& session, const std::string& why) {
  tasks_.put([this, session, why] { closed(session, why); });
}

FederatedSummary SiteServer::run() {
  if (options_.on_listening) options_.on_listening(listener_->port());
  const auto is_stopped = [this] { return request_.stop != nullptr && *request_.stop; };
  while (!is_stopped() && !federation_.has_ended()) {
    if (auto task = nap(next_look())) (*task)();
    look_around();
    if (federation_.is_due_to_end()) federation_.shut_down();
  }
  if (!federation_.has_ended()) {
    for (auto& [name, guest] : guests_) {
      if (guest.session) guest.session->end("the server stops, and will go on later");
    }
    listener_->stop();
    federation_.stop();
    return federation_.finish(true);
  }
  FederatedSummary summary = federation_.finish(false);
  distribute_final();
  federation_.stop();
  return summary;
}

/// Until there is something to do, or `until`. Nobody could be heard while the machine stood still.
std::optional<TaskQueue::Task> SiteServer::nap(Clock::time_point until) {
  auto task = tasks_.take(until);
  const auto now = Clock::now();
  if (now - until > kStoodStill) {
    for (auto& [name, guest] : guests_) guest.heard = now;
  }
  return task;
}

SiteServer::Clock::time_point SiteServer::next_look() const {
  Clock::time_point next = Clock::now() + kLook;
  const auto timer = federation_.server().policy().next_timer();
  if (!timer) return next;
  const std::chrono::duration<double> left(std::max(0.0, *timer - federation_.now()));
  if (left < kLook) next = Clock::now() + std::chrono::duration_cast<Clock::duration>(left);
  return next;
}

void SiteServer::look_around() {
  const auto now = Clock::now();
  looked_ = now;
  begin_if_all_are_here();
  if (federation_.has_begun()) {
    run_timers();
    evict_silent();
    federation_.look_after();
    if (now >= next_tick_) {
      federation_.tick();
      next_tick_ = now + kTick;
    }
  }
  send_assignments();
  reload_lists_if_due();
}

/// Living connections of who has been revoked end with it.
void SiteServer::reload_lists_if_due() {
  const auto now = Clock::now();
  if (now < next_lists_) return;
  if (const auto wrong = listener_->reload_lists()) logger("net")->error("{}", *wrong);
  next_lists_ = now + kLists;
}

void SiteServer::run_timers() {
  while (true) {
    const auto timer = federation_.server().policy().next_timer();
    if (!timer || *timer > federation_.now()) return;
    federation_.on_time();
  }
}

/// A slow site is not a dead one: what counts is that something is heard of it.
void SiteServer::evict_silent() {
  const std::chrono::duration<double> most(job_.federation.liveness_seconds());
  std::vector<std::int64_t> silent;
  for (const auto& [client, assignment] : federation_.server().outstanding()) {
    Guest& guest = guests_.find(federation_.book().name_of(client))->second;
    if (guest.session) guest.heard = std::max(guest.heard, guest.session->last_heard());
    if (guest.is_given_up || looked_ - guest.heard <= most) continue;
    guest.is_given_up = true;
    silent.push_back(client);
  }
  for (const auto client : silent) {
    logger("trainer")->warn("site {} has given no sign of life for {:.3g} s",
                            federation_.book().name_of(client), most.count());
    federation_.evict(client);
  }
}

SiteServer::Guest* SiteServer::guest_of(const net::SessionPtr& session) {
  const auto found = guests_.find(session->name());
  if (found == guests_.end() || found->second.session != session) return nullptr;
  return &found->second;
}

}  // namespace convoy::trainer
