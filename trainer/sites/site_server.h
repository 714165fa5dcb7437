// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scheduler/net/listener.h"
#include "scheduler/net/server_core.h"
#include "scheduler/net/site_session.h"
#include "trainer/data/dataset.h"
#include "trainer/federated/federated_summary.h"
#include "trainer/job.h"
#include "trainer/run_request.h"
#include "trainer/sites/model_streams.h"
#include "trainer/sites/site_federation.h"
#include "trainer/sites/task_queue.h"

namespace convoy::trainer {

/// What `convoy serve` is asked for beside its job.
struct SiteServerOptions {
  net::ListenerOptions listener;
  std::string name;               ///< of the server, for its sites
  std::string job_text;           ///< what sites are sent
  std::uint64_t schema_hash = 0;  ///< that the sites' data must have; 0: any
  std::string schema;             ///< the same in words
  net::SharedBytes torchscript;   ///< the file that the model comes from; null: one of convoy's own
  bool without_old_log = false;
  std::string software;  ///< for logs
  /// Called once when the port is open, with its number.
  std::function<void(std::uint16_t)> on_listening;
};

/// Serves one federation to sites that join over TLS, from the first to the final model.
/// Connections live on the listener's threads; everything that concerns the schedule happens in
/// run(), one event after the other, each on stable storage before anybody is answered.
class SiteServer final : private net::ServerCore {
 public:
  /// Borrows job and request. @param test  for evaluation here; null: the sites' own is used.
  SiteServer(const Job& job, const RunRequest& request, SiteServerOptions options,
             const DataInfo& info, std::shared_ptr<const Dataset> test);
  ~SiteServer() override;

  /// Until the job's end, an operator's "finish", or request.stop, after which it can be resumed.
  /// @throws StorageError where the log cannot be written: nothing more is promised to anybody.
  [[nodiscard]] FederatedSummary run();

 private:
  using Clock = std::chrono::steady_clock;

  /// A site's present connection, and what is known of it.
  struct Guest {
    net::SessionPtr session;  ///< null: away
    std::string instance;
    Clock::time_point heard;
    std::int64_t samples = 1;    ///< as it says
    std::uint64_t offer_id = 0;  ///< its Join, until its number is known
    std::optional<std::int64_t> open_round;
    std::optional<std::int64_t> held_version;
    net::Progress progress;
    std::optional<Assignment> newest;  ///< without its model
    int bad_models = 0;                ///< refused by it, since its newest update
    bool is_given_up = false;          ///< evicted, and not heard of since
    bool has_final = false;
  };

  // Connections; any thread.
  void put(const net::SessionPtr& session, TaskQueue::Task task);
  void on_join(const net::SessionPtr&, std::uint64_t id, const net::Join&) override;
  void on_announced(const net::SessionPtr&, std::uint64_t id, const net::UploadBegin&) override;
  void on_uploaded(const net::SessionPtr&, std::uint64_t id, const net::UploadBegin&) override;
  void on_progress(const net::SessionPtr&, const net::Progress&) override;
  void on_leave(const net::SessionPtr&, std::uint64_t id, const net::Leave&) override;
  void on_refusal(const net::SessionPtr&, const net::Refusal&) override;
  void on_final_received(const net::SessionPtr&) override;
  void on_status_request(const net::SessionPtr&, std::uint64_t id,
                         const net::StatusRequest&) override;
  void on_command(const net::SessionPtr&, std::uint64_t id, const net::Command&) override;
  void on_closed(const net::SessionPtr&, const std::string& why) override;

  // The loop.
  void join(const net::SessionPtr& session, std::uint64_t id, const net::Join& join);
  [[nodiscard]] std::optional<net::Refusal> refusal_of(const std::string& name) const;
  [[nodiscard]] std::optional<net::Refusal> refusal_of(const net::SiteSession& session,
                                                       const net::Join& join) const;
  void welcome_back(const std::string& name);
  void begin_if_all_are_here();
  void begin();
  void announce(const net::SessionPtr& session, std::uint64_t id, const net::UploadBegin& update);
  void take_update(const net::SessionPtr& session, std::uint64_t id,
                   const net::UploadBegin& update);
  void leave(const net::SessionPtr& session, std::uint64_t id, const net::Leave& leave);
  void take_refusal(const net::SessionPtr& session, const net::Refusal& refusal);
  void obey(const net::SessionPtr& session, std::uint64_t id, const net::Command& command);
  void turn_out(const std::string& name);
  void closed(const net::SessionPtr& session, const std::string& why);
  [[nodiscard]] net::Status status(const net::SiteSession& session,
                                   const net::StatusRequest& request) const;
  [[nodiscard]] net::SiteStatus status_of(const std::string& name, const Guest& guest) const;
  [[nodiscard]] net::RunPhase phase() const;
  /// The guest whose present connection this is; null for one that was replaced.
  [[nodiscard]] Guest* guest_of(const net::SessionPtr& session);
  [[nodiscard]] std::int64_t client_number(const std::string& name) const;
  [[nodiscard]] net::JobOffer offer(std::int64_t client) const;

  void send_script(net::SiteSession& session) const;

  [[nodiscard]] std::optional<TaskQueue::Task> nap(Clock::time_point until);
  void look_around();
  void reload_lists_if_due();
  void evict_silent();
  void run_timers();
  void send_assignments();
  void send_held_back();
  [[nodiscard]] std::int64_t most_update_bytes() const;
  void send(const Assignment& assignment);
  void distribute_final();
  void send_final(Guest& guest);
  void tell_whom_it_waits_for() const;
  [[nodiscard]] Clock::time_point last_got_on() const;
  [[nodiscard]] bool all_have_final() const;
  [[nodiscard]] bool is_out(const std::string& name) const;
  [[nodiscard]] Clock::time_point next_look() const;

  const Job& job_;
  const RunRequest& request_;
  SiteServerOptions options_;
  SiteFederation federation_;
  TaskQueue tasks_;
  std::map<std::string, Guest, std::less<>> guests_;  ///< by site; also those that wait to begin
  std::optional<Clock::time_point> first_join_;
  Clock::time_point looked_ = Clock::now();
  Clock::time_point next_tick_ = Clock::now();
  Clock::time_point next_lists_ = Clock::now();
  std::set<std::int64_t> held_back_;  ///< clients whose rounds were assigned during a pause
  ModelStreams streams_{federation_.shape()};
  net::ModelBegin script_;  ///< options_.torchscript, if any
  net::SharedBytes final_;
  net::ModelBegin final_begin_;
  std::unique_ptr<net::Listener> listener_;  ///< last: its threads call the rest
};

}  // namespace convoy::trainer
