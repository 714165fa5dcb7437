// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/engine.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "base/log.h"
#include "comm/internal/shared_area.h"

namespace convoy::comm::internal {
namespace {

using Clock = std::chrono::steady_clock;

// Who tests many requests in a row moves everything on once, and not once for each of them.
constexpr std::chrono::microseconds kFresh{2};

// Who waits for longer looks so often whether a peer on this host is lost.
constexpr std::chrono::milliseconds kWatchEvery{1};

// When to poll and when to sleep. Every event starts it over.
class Patience {
 public:
  Patience(Transport::Naps naps, std::chrono::microseconds longest) : naps_(naps) {
    naps_.longest = std::min(naps_.longest, longest);
    naps_.first = std::min(naps_.first, longest);
  }

  void rest(Wakeup& wakeup, std::uint64_t ticket, Clock::time_point now,
            Clock::time_point deadline) {
    if (wakeup.ticket() != ticket) {
      last_event_ = now;
      return;
    }
    const auto waited = std::chrono::floor<std::chrono::microseconds>(now - last_event_);
    if (waited < naps_.poll_for) {
      std::this_thread::yield();
      return;
    }
    // Whoever sleeps a sixteenth of the time that it has waited is at most so much late.
    const auto nap = std::clamp(waited / 16, naps_.first, naps_.longest);
    wakeup.wait(ticket,
                std::min(nap, std::chrono::ceil<std::chrono::microseconds>(deadline - now)));
  }

 private:
  Transport::Naps naps_;
  Clock::time_point last_event_ = Clock::now();
};

}  // namespace

class Engine::Handle final : public Operation {
 public:
  Handle(std::shared_ptr<Engine> engine, std::shared_ptr<Exchange> exchange)
      : engine_(std::move(engine)), exchange_(std::move(exchange)) {}

  bool poll() override { return engine_->test(*exchange_); }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    return engine_->wait(*exchange_, timeout, enough, longest_nap);
  }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override {
    return engine_->options_.timeout;
  }
  void abandon() noexcept override { engine_->abandon(*exchange_); }

 private:
  std::shared_ptr<Engine> engine_;
  std::shared_ptr<Exchange> exchange_;
};

Engine::Engine(std::unique_ptr<Transport> transport, const CommunicatorOptions& options)
    : transport_(std::move(transport)), options_(options) {
  layout_ = {.rank = transport_->rank(),
             .size = transport_->size(),
             .least_chunk_bytes = transport_->least_chunk_bytes(),
             .max_message_bytes = transport_->max_message_bytes(),
             .rides_along_bytes = transport_->rides_along_bytes(),
             .shared = options.shared_memory ? transport_->shared_area() : nullptr,
             .scratch = &scratch_};
  set_chunk_bytes(options.chunk_bytes);
  heard_in_.resize(static_cast<std::size_t>(layout_.size));
}

void Engine::set_chunk_bytes(std::size_t bytes) {
  const std::size_t whole = std::min(bytes, layout_.max_message_bytes) / kAlignment * kAlignment;
  layout_.chunk_bytes = std::max(whole, kAlignment);
}

std::uint64_t Engine::reserve(int count, PlaceFor what) {
  const std::lock_guard lock(mutex_);
  auto& open = what == PlaceFor::kAllReduce ? open_sums_ : open_others_;
  const std::uint64_t first = collectives_ + 1;
  for (int i = 0; i < count; ++i) open.push_back(++collectives_);
  return first;
}

std::uint64_t Engine::place_of(const Exchange& exchange, std::uint64_t reserved) {
  if (!exchange.is_collective()) return ++user_calls_;
  if (reserved == 0) {
    if (exchange.begins_in_order()) open_sums_.push_back(collectives_ + 1);
    return ++collectives_;
  }
  auto& open = exchange.call().kind == Kind::kAllReduce ? open_sums_ : open_others_;
  const auto at = std::ranges::lower_bound(open, reserved);
  if (at == open.end() || *at != reserved) {
    throw ContractError(exchange.describe() + ": place " + std::to_string(reserved) +
                        " is not reserved for it");
  }
  if (!exchange.begins_in_order()) open.erase(at);
  return reserved;
}

bool Engine::may_begin(const Exchange& exchange) {
  if (!exchange.begins_in_order()) return true;
  if (open_sums_.front() != exchange.call().sequence) return false;
  open_sums_.erase(open_sums_.begin());
  return true;
}

std::unique_ptr<Operation> Engine::start(std::shared_ptr<Exchange> exchange, Turn turn) {
  const std::lock_guard lock(mutex_);
  if (poisoned_)
    throw CommError(exchange->describe() +
                    ": not started, the communicator is poisoned: " + poison_);
  exchange->set_sequence(place_of(*exchange, turn.place), context_);
  exchange->set_priority(turn.priority);
  history_.add(exchange->call(), Clock::now());
  if (layout_.shared != nullptr && exchange->is_collective()) {
    layout_.shared->announce(exchange->mark());
  }
  const auto less_urgent = std::ranges::upper_bound(
      active_, exchange->priority(), {}, [](const auto& active) { return active->priority(); });
  active_.insert(less_urgent, exchange);
  advance(*exchange);
  flush();
  if (is_over(*exchange)) {
    std::erase(active_, exchange);
    return nullptr;
  }
  return std::make_unique<Handle>(shared_from_this(), std::move(exchange));
}

void Engine::give_up(const std::string& why) noexcept {
  const std::lock_guard lock(mutex_);
  if (may_leave()) poison(why);
}

void Engine::close() {
  const std::lock_guard lock(mutex_);
  if (poisoned_) return;
  if (active_.empty()) {
    transport_->leave("");
  } else {
    poison("the communicator was destroyed while " + active_.front()->describe() +
           " was under way");
  }
}

std::vector<std::uint8_t> Engine::prepare_split() {
  const std::lock_guard lock(mutex_);
  try {
    return transport_->prepare_split();
  } catch (const TransportError& error) {
    poison(std::string("split: ") + error.what());
    throw CommError(poison_);
  }
}

std::unique_ptr<Transport> Engine::split(const SplitGroup& group) {
  const std::lock_guard lock(mutex_);
  try {
    return transport_->split(group);
  } catch (const TransportError& error) {
    poison(std::string("split: ") + error.what());
    throw CommError(poison_);
  }
}

bool Engine::test(Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  if (is_over(exchange)) return true;
  if (Clock::now() - progressed_ > kFresh) {
    progress();
    progressed_ = Clock::now();
  }
  return is_over(exchange);
}

bool Engine::poll(Exchange& exchange) {
  const std::lock_guard lock(mutex_);
  if (is_over(exchange)) return true;
  progress();
  return is_over(exchange);
}

bool Engine::wait(Exchange& exchange, std::chrono::milliseconds timeout,
                  const std::function<bool()>& enough, std::chrono::microseconds longest_nap) {
  const auto deadline = Clock::now() + timeout;
  Patience patience(transport_->naps(), longest_nap);
  auto watch_at = Clock::now() + kWatchEvery;
  for (;;) {
    const std::uint64_t ticket = transport_->wakeup().ticket();
    const auto now = Clock::now();
    if (poll(exchange)) return true;
    if (enough && enough()) return false;
    if (now >= deadline) {
      const std::lock_guard lock(mutex_);
      fail(exchange, exchange.describe_delay(timeout), false);
    }
    if (now >= watch_at) {
      watch_at = now + kWatchEvery;
      const std::lock_guard lock(mutex_);
      watch_peers();
    }
    patience.rest(transport_->wakeup(), ticket, now, deadline);
  }
}

void Engine::abandon(Exchange& exchange) noexcept {
  try {
    // An exception is on its way out: peers that wait for this rank must not wait for us to wait.
    if (std::uncaught_exceptions() > 0) {
      const std::lock_guard lock(mutex_);
      if (exchange.state != Exchange::State::kActive) return;
      if (may_leave()) return poison(exchange.describe() + " was dropped by an exception");
    }
    wait(exchange, options_.timeout, nullptr, kAnyNap);
  } catch (const std::exception& error) {
    logger("comm")->error("a request that nobody waited for failed: {}", error.what());
  }
}

void Engine::progress() {
  if (poisoned_) return;
  try {
    transport_->progress();
  } catch (const TransportError& error) {
    poison(error.what());
    return;
  }
  advance_all();
  flush();
  if (poisoned_) return;
  const auto over = [](const auto& exchange) {
    return exchange->state != Exchange::State::kActive;
  };
  if (std::erase_if(active_, over) > 0) transport_->wakeup().signal();
}

void Engine::advance_all() {
  for (const auto& exchange : active_) {
    if (exchange->state == Exchange::State::kActive) advance(*exchange);
  }
}

void Engine::flush() {
  try {
    while (!poisoned_ && transport_->flush()) advance_all();
  } catch (const TransportError& error) {
    poison(error.what());
  }
}

void Engine::advance(Exchange& exchange) {
  if (!may_begin(exchange)) return;
  try {
    if (exchange.advance(*transport_)) {
      exchange.state = Exchange::State::kDone;
      if (exchange.is_collective()) exchange.note_heard(heard_in_);
    }
    bytes_sent_ += exchange.take_bytes_sent();
  } catch (const TransportError& error) {
    fail(exchange, error.what(), error.peer_left());
  }
}

bool Engine::is_over(const Exchange& exchange) {
  if (exchange.state == Exchange::State::kFailed) {
    if (exchange.failed_by_peer) throw PeerLeftError(exchange.failure);
    throw CommError(exchange.failure);
  }
  return exchange.state == Exchange::State::kDone;
}

void Engine::fail(Exchange& exchange, const std::string& why, bool by_peer) {
  if (exchange.state != Exchange::State::kActive) return;
  exchange.state = Exchange::State::kFailed;
  exchange.failure = exchange.describe() + ": " + why;
  exchange.failed_by_peer = by_peer;
  const bool first = !poisoned_;
  poison(exchange.failure);
  if (first) log_last_calls(exchange);
}

void Engine::watch_peers() {
  if (layout_.shared == nullptr || poisoned_ || active_.empty()) return;
  SharedArea& area = *layout_.shared;
  for (int rank = 0; rank < layout_.size; ++rank) {
    if (rank == layout_.rank) continue;
    for (const auto& exchange : active_) {
      const auto theirs = area.announced(rank, exchange->call().sequence);
      if (!exchange->is_collective() || !theirs) continue;
      try {
        check_agreement(rank, *theirs, exchange->mark());
      } catch (const TransportError& error) {
        return fail(*exchange, error.what(), false);
      }
    }
    // Who has left in peace may have sent all that is needed.
    const auto why = area.why_left(rank);
    if (!why || why->empty()) continue;
    return fail(*active_.front(),
                "rank " + std::to_string(rank) + " has left the communicator (" + *why + ")", true);
  }
}

void Engine::log_last_calls(const Exchange& failed) {
  const auto log = logger("comm");
  log->error("rank {}/{} has failed; its last calls: {}", layout_.rank, layout_.size,
             history_.report(Clock::now(), [&](const Call& call) {
               return std::ranges::any_of(active_, [&](const auto& exchange) {
                 return exchange->call().kind == call.kind &&
                        exchange->call().sequence == call.sequence;
               });
             }));
  if (!failed.is_collective()) return;
  for (const auto& exchange : active_) {
    if (exchange->is_collective()) exchange->note_heard(heard_in_);
  }
  for (int rank = 0; rank < layout_.size; ++rank) {
    if (rank == layout_.rank || !is_silent(rank, failed)) continue;
    std::uint64_t heard = heard_in_[static_cast<std::size_t>(rank)];
    if (layout_.shared != nullptr) heard = std::max(heard, layout_.shared->last_announced(rank));
    log->error("nothing heard of rank {} in {}; last heard of in {}", rank,
               to_string(failed.call()),
               heard == 0 ? "no call at all" : history_.collective(heard));
  }
}

// Who has come to a later call may still be missing here: reserved places begin in any order. Only
// of ranks that owe this one nothing is no more known than the last call they were heard of in.
bool Engine::is_silent(int rank, const Exchange& failed) const {
  const std::uint64_t sequence = failed.call().sequence;
  if (layout_.shared != nullptr && layout_.shared->has_announced(rank, sequence)) return false;
  return failed.awaits(rank) || heard_in_[static_cast<std::size_t>(rank)] < sequence;
}

bool Engine::may_leave() const {
  return transport_->leave_releases_memory() ||
         std::ranges::none_of(active_, [](const auto& exchange) { return exchange->borrows(); });
}

void Engine::poison(const std::string& why) {
  if (poisoned_) return;
  poison_ = why;
  poisoned_ = true;
  for (const auto& exchange : active_) {
    if (exchange->state != Exchange::State::kActive) continue;
    exchange->state = Exchange::State::kFailed;
    exchange->failure = exchange->describe() + ": the communicator is poisoned: " + why;
  }
  transport_->leave(why);
  if (!transport_->leave_releases_memory()) {
    // The transport may still write into scratch memory and buffers: this keeps them for ever.
    static_cast<void>(new std::shared_ptr<Engine>(shared_from_this()));
  }
  transport_->wakeup().signal();
}

}  // namespace convoy::comm::internal
