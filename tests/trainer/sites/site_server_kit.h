// SPDX-License-Identifier: Apache-2.0
// A SiteServer in a thread of this process, and its sites' ends of real connections.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/net/dialer.h"
#include "scheduler/net/operator_client.h"
#include "tests/scheduler/net/federation.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/sites/announcement.h"
#include "trainer/sites/site_server.h"

namespace convoy::tests {

/// For what must come: a loaded machine under a sanitizer is waited for.
inline constexpr std::chrono::seconds kServerPatience{60};
/// Polls. @return false when it has not come true in that time.
[[nodiscard]] bool comes_true(const std::function<bool()>& check);

/// "site0" to "site3", the operator "anna" and the server "hub": made once, as keys take time.
struct SiteMembers {
  SiteMembers();

  Federation federation;
  std::map<std::string, net::Credentials> credentials;
};
[[nodiscard]] SiteMembers& site_members();

/// Two sites, each of whose updates makes a version at once (FedAsync), until the test stops it.
/// Who is silent is waited for for ever.
[[nodiscard]] trainer::Job served_job();

/// Serves a job on loopback in a thread, until stop().
class RunningServer {
 public:
  /// @param before  called where the run's events happen, before the first of them.
  explicit RunningServer(trainer::Job job, const std::function<void()>& before = {});
  ~RunningServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const trainer::ModelShape& shape() const { return shape_; }
  [[nodiscard]] std::filesystem::path run_dir() const { return folder_.path() / "run"; }

  /// What an operator sees.
  [[nodiscard]] net::Status status();
  /// What the server has come to after it has looked at the clock once more than now.
  [[nodiscard]] net::RunPhase settled_phase();
  [[nodiscard]] bool sees_sites(std::int64_t count);
  void order(const net::Command& command);

  /// Ends it in good order. @throws what its thread has thrown.
  trainer::FederatedSummary stop();

 private:
  [[nodiscard]] net::OperatorClient& anna();

  TemporaryFolder folder_;
  const trainer::Job job_;
  std::atomic<bool> stop_ = false;
  const trainer::RunRequest request_;
  trainer::ModelShape shape_;
  std::unique_ptr<trainer::SiteServer> server_;
  std::uint16_t port_ = 0;
  std::future<trainer::FederatedSummary> summary_;
  std::unique_ptr<net::OperatorClient> anna_;
};

/// One connection of a site that trains nothing, spoken by a test step by step. Models are fetched
/// and thrown away; all else that the server says waits, in order, to be expected.
class SpokenSite {
 public:
  /// Dials and greets. @throws std::runtime_error where no Welcome comes.
  SpokenSite(RunningServer& server, std::string name, const std::string& instance = "1");
  /// Hangs up.
  ~SpokenSite();
  SpokenSite(const SpokenSite&) = delete;
  SpokenSite& operator=(const SpokenSite&) = delete;

  std::uint64_t say(const net::Message& message, std::uint64_t answers = 0);
  void send_chunk(std::uint64_t stream, std::int64_t offset, std::span<const std::byte> bytes);

  /// The next message, which must be a T. @throws std::runtime_error.
  template <typename T>
  T expect() {
    net::Message message = take();
    if (auto* found = std::get_if<T>(&message)) return std::move(*found);
    throw std::runtime_error(name_ + " was told " + describe(message) + " in place of " +
                             std::string(net::to_text(T::kType)));
  }
  /// The code of the Refusal that must be next.
  [[nodiscard]] net::RefusalCode expect_refusal() { return expect<net::Refusal>().code; }
  /// Whether the server ends the connection.
  [[nodiscard]] bool is_hung_up_on();
  /// Ends it as a broken link does.
  void cut();

  void say_join(std::int64_t samples = 10);
  /// say_join(), and what comes of it. @return the first round.
  net::Dispatch join(std::int64_t samples = 10);

  /// Announces an update, sends it if the server wants it. @return the server's answer.
  net::Message upload(const net::UploadBegin& update, std::span<const std::byte> bytes);
  /// An honest update for the round; fails the test where it is not acknowledged.
  void contribute(const net::Dispatch& round);

 private:
  class User;

  [[nodiscard]] net::Message take();
  [[nodiscard]] static std::string describe(const net::Message& message);

  RunningServer& server_;
  const std::string name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<net::Message> heard_;
  std::optional<std::string> why_;  ///< the connection has ended

  std::unique_ptr<net::Dialer> dialer_;
  std::shared_ptr<net::Connection> connection_;  // shared with the dialer's thread
};

/// A dense update whose parameters are all `value`.
[[nodiscard]] std::vector<std::byte> update_of(const trainer::ModelShape& shape, float value);

}  // namespace convoy::tests
