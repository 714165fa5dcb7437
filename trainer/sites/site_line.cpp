// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_line.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace convoy::trainer {
namespace {

using std::chrono::steady_clock;

/// For a goodbye to be sent.
constexpr std::chrono::seconds kFarewell{2};
/// A dead instance of the site is forgotten by the server after its liveness time; a living one
/// never.
constexpr int kLivenessTimes = 2;
/// Between two cancellations of a dial that must end.
constexpr std::chrono::milliseconds kCancelAgain{50};

/// A server that offers its job and ends the connection again and again is not got further with.
bool is_progress(const LinkEvent& event) {
  const auto* answer = std::get_if<UpdateAnswered>(&event);
  return std::holds_alternative<RoundCame>(event) || (answer != nullptr && answer->is_accepted);
}

}  // namespace

/// One connection's user: one that ends before it was opened is none of the link's.
class SiteLine::User final : public net::ConnectionUser {
 public:
  explicit User(SiteLine& line) : line_(line) {}

  void open(const std::shared_ptr<net::Connection>& connection) {
    if (is_closed_) return;
    is_open_ = true;
    line_.drain();
    line_.link_.open(connection);
  }

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t answers) override {
    if (is_open_) line_.link_.on_message(message, id, answers);
  }
  void on_chunk(const net::Chunk& chunk) override {
    if (is_open_) line_.link_.on_chunk(chunk);
  }
  void on_drained() override {
    if (is_open_) line_.link_.on_drained();
  }
  void on_tick() override {
    if (is_open_) line_.link_.on_tick();
  }
  void on_closed(const std::string& why) override {
    is_closed_ = true;
    if (is_open_) return line_.link_.on_closed(why);
    line_.take(LinkEnded{.text = why.empty() ? "the connection ended" : why});
  }

 private:
  SiteLine& line_;
  bool is_open_ = false;
  bool is_closed_ = false;
};

SiteLine::SiteLine(LineDialing dialing, LinkIdentity identity,
                   std::function<net::Progress()> progress)
    : dialing_(std::move(dialing)),
      backoff_(dialing_.waits, dialing_.seed),
      link_(std::move(identity), {.tell = [this](LinkEvent event) { take(std::move(event)); },
                                  .progress = std::move(progress)}),
      thread_([this] { run(); }) {}

SiteLine::~SiteLine() { hang_up("this end has failed"); }

void SiteLine::tell(std::function<void(SiteLink&)> task) {
  std::shared_ptr<net::Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    connection = connection_;
  }
  if (connection) connection->post([this] { drain(); });
}

/// Where the link lives.
void SiteLine::drain() {
  for (;;) {
    std::function<void(SiteLink&)> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task(link_);
  }
}

std::optional<LinkEvent> SiteLine::next(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  (void)changed_.wait_for(lock, patience, [this] { return !events_.empty(); });
  if (events_.empty()) return std::nullopt;
  LinkEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void SiteLine::hang_up(const std::string& goodbye) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  tell([goodbye](SiteLink& link) { link.say_goodbye(goodbye); });
  std::shared_ptr<net::Connection> stuck;
  {
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, kFarewell, [this] { return connection_ == nullptr; });
    stuck = connection_;
  }
  if (stuck) stuck->post([stuck] { stuck->abort("hung up"); });
  cancel_until_over();
  thread_.join();
  dialing_ = {};  // ends the thread that posted tasks run on
}

/// Again and again: a dial() that begins after a cancel() knows nothing of it.
void SiteLine::cancel_until_over() {
  for (;;) {
    dialing_.cancel();
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kCancelAgain, [this] { return is_over_; })) return;
  }
}

/// Where the link lives.
void SiteLine::take(LinkEvent event) {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
  if (std::holds_alternative<JobCame>(event)) second_since_.reset();
  if (is_progress(event)) backoff_.reset();
  if (auto* ended = std::get_if<LinkEnded>(&event)) {
    backoff_.lasted(std::chrono::floor<std::chrono::milliseconds>(steady_clock::now() - dialled_));
    connection_.reset();
    is_cut_ = true;
    judge(*ended);
    if (!ended->is_final || is_stopping_) return;
    is_dead_ = true;
  }
  events_.push_back(std::move(event));
}

void SiteLine::judge(LinkEnded& ended) {
  if (ended.code == net::RefusalCode::kSecondInstance) {
    const auto now = steady_clock::now();
    if (!second_since_) second_since_ = now;
    ended.is_final =
        now - *second_since_ > kLivenessTimes * std::chrono::milliseconds(ended.liveness_ms);
  }
  if (!ended.is_final && !ended.is_done && !is_stopping_) {
    logger("trainer")->warn("{}; dialling again", ended.text);
  }
}

void SiteLine::run() {
  while (dial_once() && pause()) {
  }
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  changed_.notify_all();
}

/// @return whether to do it again.
bool SiteLine::dial_once() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    is_cut_ = false;
    dialled_ = steady_clock::now();
  }
  try {
    const auto user = std::make_shared<User>(*this);
    const auto connection = dialing_.dial(user);
    bool is_wanted = true;
    {
      const std::lock_guard lock(mutex_);
      if (!is_cut_) connection_ = connection;
      is_wanted = !is_stopping_;
      if (!is_cut_) dialled_ = steady_clock::now();
    }
    connection->post([user, connection, is_wanted] {
      if (!is_wanted) return connection->abort("hung up");
      user->open(connection);
    });
    return stay_connected();
  } catch (const net::DialError& error) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    if (!error.is_final()) {
      logger("trainer")->warn("{}; dialling again", error.what());
      return true;
    }
    events_.emplace_back(
        LinkEnded{.is_final = true, .needs_mending = true, .code = {}, .text = error.what()});
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(LinkEnded{.is_final = true, .code = {}, .text = error.what()});
  }
  changed_.notify_all();
  return false;
}

bool SiteLine::stay_connected() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return connection_ == nullptr; });
  return !is_stopping_ && !is_dead_;
}

/// @return false when there is nothing more to do.
bool SiteLine::pause() {
  std::unique_lock lock(mutex_);
  const auto wait = backoff_.next();
  return !changed_.wait_for(lock, wait, [this] { return is_stopping_; });
}

}  // namespace convoy::trainer
