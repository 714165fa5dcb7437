// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/engine.h"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include "base/log.h"

namespace convoy::comm::internal {
namespace {

using Clock = std::chrono::steady_clock;

// Who tests many requests in a row moves everything on once, and not once for each of them.
constexpr std::chrono::microseconds kFresh{2};

// When to poll and when to sleep. Every event starts it over.
class Patience {
 public:
  explicit Patience(Transport::Naps naps) : naps_(naps) {}

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
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough) override {
    return engine_->wait(*exchange_, timeout, enough);
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
  const std::size_t largest = transport_->max_message_bytes();
  const std::size_t chunk = std::min(options.chunk_bytes, largest) / kAlignment * kAlignment;
  layout_ = {.rank = transport_->rank(),
             .size = transport_->size(),
             .chunk_bytes = std::max(chunk, kAlignment),
             .least_chunk_bytes = transport_->least_chunk_bytes(),
             .max_message_bytes = largest};
}

std::unique_ptr<Operation> Engine::start(std::shared_ptr<Exchange> exchange) {
  const std::lock_guard lock(mutex_);
  if (poisoned_)
    throw CommError(exchange->describe() +
                    ": not started, the communicator is poisoned: " + poison_);
  exchange->set_sequence(exchange->is_collective() ? ++collectives_ : ++user_calls_);
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
                  const std::function<bool()>& enough) {
  const auto deadline = Clock::now() + timeout;
  Patience patience(transport_->naps());
  for (;;) {
    const std::uint64_t ticket = transport_->wakeup().ticket();
    const auto now = Clock::now();
    if (poll(exchange)) return true;
    if (enough && enough()) return false;
    if (now >= deadline) {
      const std::lock_guard lock(mutex_);
      fail(exchange, exchange.describe_delay(timeout), false);
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
    wait(exchange, options_.timeout, nullptr);
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
  try {
    if (exchange.advance(*transport_)) exchange.state = Exchange::State::kDone;
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
  poison(exchange.failure);
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
