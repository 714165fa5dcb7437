// SPDX-License-Identifier: Apache-2.0
#include "tests/comm/faulty_transport.h"

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>

#include "base/random.h"
#include "comm/internal/transport_communicator.h"
#include "comm/local/internal/group.h"

namespace convoy::tests {
namespace {

using comm::internal::Message;
using comm::internal::SplitGroup;
using comm::internal::Transport;
using comm::internal::TransportError;
using comm::internal::Wakeup;
using Clock = std::chrono::steady_clock;

// So much a link that was idle may make up for.
constexpr std::chrono::milliseconds kBurst(1);

class FaultyTransport final : public Transport {
 public:
  FaultyTransport(std::unique_ptr<Transport> inner, const Faults& faults)
      : inner_(std::move(inner)), faults_(faults), random_(faults.seed) {}

  [[nodiscard]] int rank() const override { return inner_->rank(); }
  [[nodiscard]] int size() const override { return inner_->size(); }
  [[nodiscard]] std::string_view backend() const override { return inner_->backend(); }
  [[nodiscard]] std::size_t max_message_bytes() const override {
    return faults_.max_message_bytes.value_or(inner_->max_message_bytes());
  }
  [[nodiscard]] Wakeup& wakeup() override { return inner_->wakeup(); }
  [[nodiscard]] Naps naps() const override {
    const std::chrono::microseconds often(50);
    return faults_.longest_delay.count() > 0 || faults_.link_rate > 0 ? Naps{often, often}
                                                                      : inner_->naps();
  }
  void leave(const std::string& failure) override {
    late_.clear();
    queue_.clear();
    inner_->leave(failure);
  }
  [[nodiscard]] bool leave_releases_memory() const override {
    return !faults_.keeps_writing && inner_->leave_releases_memory();
  }
  [[nodiscard]] bool flush() override { return inner_->flush(); }
  [[nodiscard]] std::vector<std::uint8_t> prepare_split() override {
    return inner_->prepare_split();
  }
  [[nodiscard]] std::unique_ptr<Transport> split(const SplitGroup& group) override {
    return make_faulty(inner_->split(group), faults_);
  }

  void isend(Message& message) override {
    count_call();
    if (faults_.link_rate > 0) {
      const auto at = std::ranges::upper_bound(queue_, message.priority, {}, &Message::priority);
      queue_.insert(at, &message);
      return;
    }
    if (faults_.longest_delay.count() == 0) return inner_->isend(message);
    send_late(message);
  }
  void irecv(Message& message) override {
    count_call();
    inner_->irecv(message);
  }
  void progress() override {
    while (!late_.empty() && late_.front().leaves_at <= Clock::now()) {
      Message* message = late_.front().message;
      late_.pop_front();
      inner_->isend(*message);
    }
    while (!queue_.empty() && link_free_at_ <= Clock::now()) {
      Message* message = queue_.front();
      queue_.pop_front();
      const std::chrono::duration<double> taken(static_cast<double>(message->source.size()) /
                                                faults_.link_rate);
      link_free_at_ = std::max(link_free_at_, Clock::now() - kBurst) +
                      std::chrono::duration_cast<Clock::duration>(taken);
      inner_->isend(*message);
    }
    inner_->progress();
  }

 private:
  struct Late {
    Message* message;
    Clock::time_point leaves_at;
  };

  void send_late(Message& message) {
    const std::chrono::microseconds delay(
        random_.below(static_cast<std::uint64_t>(faults_.longest_delay.count())));
    auto leaves_at = Clock::now() + delay;
    for (const Late& before : late_) {
      if (before.message->route == message.route) leaves_at = std::max(leaves_at, before.leaves_at);
    }
    const auto at = std::ranges::upper_bound(late_, leaves_at, {}, &Late::leaves_at);
    late_.insert(at, {&message, leaves_at});
  }
  void count_call() {
    if (++calls_ == faults_.fail_at_call) throw TransportError("injected failure");
  }

  std::unique_ptr<Transport> inner_;
  Faults faults_;
  Random random_;
  int calls_ = 0;
  std::deque<Late> late_;       // the next to leave first
  std::deque<Message*> queue_;  // for the link
  Clock::time_point link_free_at_{};
};

}  // namespace

std::unique_ptr<Transport> make_faulty(std::unique_ptr<Transport> inner, const Faults& faults) {
  return std::make_unique<FaultyTransport>(std::move(inner), faults);
}

void run_faulty(const std::vector<Faults>& faults,
                const std::function<void(comm::Communicator&)>& body,
                const comm::CommunicatorOptions& options) {
  const auto group = std::make_shared<comm::local::Group>(static_cast<int>(faults.size()));
  std::vector<std::jthread> threads;
  for (std::size_t r = 0; r < faults.size(); ++r) {
    auto transport =
        make_faulty(comm::local::make_transport(group, static_cast<int>(r)), faults[r]);
    auto communicator =
        std::make_shared<comm::internal::TransportCommunicator>(std::move(transport), options);
    threads.emplace_back([&body, communicator = std::move(communicator)]() mutable {
      body(*communicator);
      communicator.reset();
    });
  }
}

}  // namespace convoy::tests
