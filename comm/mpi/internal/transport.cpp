// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/internal/transport.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "comm/internal/shared_area.h"
#include "comm/internal/shared_wakeup.h"
#include "comm/mpi/internal/set_up.h"
#include "comm/mpi/internal/shared_memory.h"

namespace convoy::comm::mpi {
namespace {

using internal::Channel;
using internal::Message;

class MpiTransport final : public internal::Transport {
 public:
  MpiTransport(std::shared_ptr<Environment::State> state, MPI_Comm comm,
               const TransportOptions& options)
      : state_(std::move(state)),
        options_(options),
        collective_(SetUpCalls(comm, options.timeout).duplicate()),
        user_(SetUpCalls(comm, options.timeout).duplicate()) {
    check_mpi(MPI_Comm_rank(collective_.get(), &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(collective_.get(), &size_), "MPI_Comm_size");
    if (size_ > 1) share_memory();
  }

  ~MpiTransport() override {
    const auto lock = state_->lock();
    state_->pending -= requests_.size();
    collective_ = {};
    user_ = {};
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string_view backend() const override { return "mpi"; }
  [[nodiscard]] std::size_t max_message_bytes() const override {
    return options_.max_message_bytes;
  }
  [[nodiscard]] internal::Wakeup& wakeup() override { return *wakeup_; }
  [[nodiscard]] internal::SharedArea* shared_area() override { return area_ ? &*area_ : nullptr; }
  void signal_peers() override { area_->ring_others(); }
  // MPI says nothing of its own accord. Once a millisecond, asking costs 2 % of a core.
  [[nodiscard]] Naps naps() const override {
    return {.first = std::chrono::microseconds(20), .longest = std::chrono::microseconds(1000)};
  }

  void isend(Message& message) override;
  void irecv(Message& message) override;
  void progress() override;

  void leave(const std::string& failure) override {
    if (!failure.empty()) state_->poisoned = true;
    if (area_) area_->leave(failure);
  }
  // A cancelled MPI message may still be written.
  [[nodiscard]] bool leave_releases_memory() const override { return false; }

  [[nodiscard]] std::unique_ptr<internal::Transport> split(
      const internal::SplitGroup& group) override;

 private:
  void share_memory();
  [[nodiscard]] MPI_Comm comm(Channel channel) const {
    return channel == Channel::kCollective ? collective_.get() : user_.get();
  }
  void watch(Message& message, MPI_Request request);
  static void finish(Message& message, MPI_Status& status);
  void help_others() const;

  std::shared_ptr<Environment::State> state_;  // shared with the environment
  TransportOptions options_;
  CommHandle collective_;
  CommHandle user_;
  int rank_ = 0;
  int size_ = 1;
  SharedMemory memory_;
  std::optional<internal::SharedArea> area_;  // in memory_
  std::unique_ptr<internal::Wakeup> wakeup_ = std::make_unique<internal::Wakeup>();
  // Parallel: what MPI is asked about, in the order of the calls.
  std::vector<MPI_Request> requests_;
  std::vector<Message*> messages_;
  std::vector<int> over_;
  std::vector<MPI_Status> statuses_;
};

void MpiTransport::share_memory() {
  const std::size_t bytes = internal::SharedArea::bytes(size_);
  auto sharing =
      mpi::share_memory(collective_.get(), bytes, options_.shared_memory, options_.timeout);
  if (!sharing.failure.empty() && rank_ == 0 && !state_->missed_memory.exchange(true)) {
    logger("comm")->warn("sums go through messages: no memory of {} bytes to share ({})", bytes,
                         sharing.failure);
  }
  memory_ = std::move(sharing.memory);
  if (memory_.bytes().empty()) return;
  area_.emplace(memory_.bytes(), rank_, size_);
  wakeup_ = std::make_unique<internal::SharedWakeup>(area_->bell(rank_));
}

void MpiTransport::isend(Message& message) {
  const auto lock = state_->lock();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Isend(message.source.data(), static_cast<int>(message.source.size()), MPI_BYTE,
                      message.route.peer, message.route.tag, comm(message.route.channel), &request),
            "MPI_Isend");
  watch(message, request);
}

void MpiTransport::irecv(Message& message) {
  const auto lock = state_->lock();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Irecv(message.target.data(), static_cast<int>(message.target.size()), MPI_BYTE,
                      message.route.peer, message.route.tag, comm(message.route.channel), &request),
            "MPI_Irecv");
  watch(message, request);
}

// Small messages are often over at once; then the caller sees it without another round.
void MpiTransport::watch(Message& message, MPI_Request request) {
  int done = 0;
  MPI_Status status{};
  const int rc = MPI_Test(&request, &done, &status);
  if (done != 0) {
    status.MPI_ERROR = rc;
    finish(message, status);
    return;
  }
  check_mpi(rc, "MPI_Test");
  requests_.push_back(request);
  messages_.push_back(&message);
  ++state_->pending;
}

void MpiTransport::finish(Message& message, MPI_Status& status) {
  int error_class = MPI_SUCCESS;
  if (status.MPI_ERROR != MPI_SUCCESS) MPI_Error_class(status.MPI_ERROR, &error_class);
  int bytes = 0;  // of a received message; nobody asks for those of a sent one
  MPI_Get_count(&status, MPI_BYTE, &bytes);
  // Truncated: the stream sees it from the size and can say more.
  const bool longer = error_class == MPI_ERR_TRUNCATE;
  if (error_class == MPI_SUCCESS || longer) {
    const auto least = longer ? message.target.size() + 1 : 0;
    message.finish(std::max(static_cast<std::size_t>(bytes), least));
    return;
  }
  try {
    check_mpi(status.MPI_ERROR, "MPI_Testsome");
  } catch (const internal::TransportError& error) {
    message.fail(error.what());
  }
}

// MPI moves messages inside its calls only, those of all communicators: a rank that waits for a
// sum in shared memory must not keep its peers waiting for a message of another communicator.
void MpiTransport::help_others() const {
  if (state_->pending == 0) return;
  const auto lock = state_->lock();
  int found = 0;
  check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, collective_.get(), &found, MPI_STATUS_IGNORE),
            "MPI_Iprobe");
}

void MpiTransport::progress() {
  if (requests_.empty()) return help_others();
  int count = 0;
  over_.resize(requests_.size());
  statuses_.resize(requests_.size());
  {
    const auto lock = state_->lock();
    const int rc = MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                over_.data(), statuses_.data());
    if (count == 0 || count == MPI_UNDEFINED) return;
    if (rc != MPI_ERR_IN_STATUS) {
      check_mpi(rc, "MPI_Testsome");
      // Only then does MPI fill in the errors.
      for (int i = 0; i < count; ++i) statuses_[static_cast<std::size_t>(i)].MPI_ERROR = rc;
    }
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(over_[static_cast<std::size_t>(i)]);
      finish(*messages_[index], statuses_[static_cast<std::size_t>(i)]);
      messages_[index] = nullptr;
    }
  }
  state_->pending -= static_cast<std::size_t>(count);
  std::erase(requests_, MPI_REQUEST_NULL);
  std::erase(messages_, nullptr);
  wakeup_->signal();
}

std::unique_ptr<internal::Transport> MpiTransport::split(const internal::SplitGroup& group) {
  const auto lock = state_->lock();
  MPI_Comm part = MPI_COMM_NULL;
  // All have come here: they have said where they go.
  check_mpi(MPI_Comm_split(collective_.get(), group.color, group.index, &part), "MPI_Comm_split");
  const CommHandle handle(part);
  return make_transport(state_, part, options_);
}

}  // namespace

std::unique_ptr<internal::Transport> make_transport(std::shared_ptr<Environment::State> state,
                                                    MPI_Comm comm,
                                                    const TransportOptions& options) {
  try {
    return std::make_unique<MpiTransport>(state, comm, options);
  } catch (const internal::TransportError&) {
    state->poisoned = true;
    throw;
  }
}

}  // namespace convoy::comm::mpi
