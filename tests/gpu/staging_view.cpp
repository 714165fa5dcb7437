// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/staging_view.h"

#include <exception>
#include <utility>

#include "tests/gpu/staged_call.h"

namespace convoy::tests {
namespace {

using comm::Buffer;
using comm::Communicator;
using comm::ConstBuffer;
using comm::PlaceFor;
using comm::ReduceOp;
using comm::Request;
using comm::Turn;
using comm::internal::Operation;

// A request of the communicator behind; when it is over, its results come back to the host.
class Staged final : public Operation {
 public:
  Staged(Request request, StagedCall call, std::chrono::milliseconds timeout)
      : call_(std::move(call)), request_(std::move(request)), timeout_(timeout) {}

  bool poll() override { return request_.test() && copy_back(); }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    if (enough) return request_.wait_or(enough, longest_nap) && copy_back();
    request_.wait(timeout);
    return copy_back();
  }
  void abandon() noexcept override {
    request_ = Request();  // waits; what has failed leaves its memory as it is
    try {
      copy_back();
    } catch (const std::exception&) {
    }
  }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override { return timeout_; }

 private:
  bool copy_back() {
    call_.copy_back();
    return true;
  }

  StagedCall call_;
  Request request_;
  std::chrono::milliseconds timeout_;
};

struct Staging {
  comm::nccl::Stream stream = comm::nccl::make_stream();
  std::shared_ptr<DeviceArena> arena;
};

class StagingView final : public Communicator {
 public:
  StagingView(std::unique_ptr<Communicator> behind, std::shared_ptr<Staging> staging)
      : Communicator(behind->rank(), behind->size(), behind->options()),
        staging_(std::move(staging)),
        behind_(std::move(behind)) {}

  [[nodiscard]] std::string_view backend() const override { return behind_->backend(); }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return behind_->bytes_sent(); }
  [[nodiscard]] bool poisoned() const override { return behind_->poisoned(); }
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what) override {
    return behind_->reserve(count, what);
  }
  void give_up(const std::string& why) noexcept override { behind_->give_up(why); }
  void wake() override { behind_->wake(); }
  void set_context(std::uint32_t context) override { behind_->set_context(context); }
  [[nodiscard]] bool sums_in_messages() const override { return behind_->sums_in_messages(); }

 private:
  using OperationPtr = std::unique_ptr<Operation>;
  [[nodiscard]] StagedCall stage() const { return {staging_->arena, staging_->stream}; }
  OperationPtr forward(Request request, StagedCall call) {
    if (request.pending()) {
      return std::make_unique<Staged>(std::move(request), std::move(call), options().timeout);
    }
    call.copy_back();
    return nullptr;
  }
  OperationPtr do_all_reduce(Buffer values, ReduceOp op, Turn turn) override {
    auto call = stage();
    auto request = behind_->all_reduce(call.in_and_out(std::move(values)), op, turn);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_reduce_scatter(ConstBuffer values, Buffer piece, ReduceOp op,
                                 Turn turn) override {
    auto call = stage();
    auto all = call.in(std::move(values));
    auto request =
        behind_->reduce_scatter(std::move(all), call.in_and_out(std::move(piece)), op, turn);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_all_gather_v(ConstBuffer piece, Buffer values, std::vector<std::int64_t> counts,
                               Turn turn) override {
    auto call = stage();
    auto all = call.in_and_out(std::move(values));
    auto request =
        behind_->all_gather_v(call.in(std::move(piece)), std::move(all), std::move(counts), turn);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
                               std::vector<std::int64_t> from_counts, Turn turn) override {
    auto call = stage();
    auto request =
        behind_->all_to_all_v(call.in(std::move(from)), std::move(to_counts),
                              call.in_and_out(std::move(to)), std::move(from_counts), turn);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_broadcast(Buffer values, int root, Turn turn) override {
    auto call = stage();
    auto request = behind_->broadcast(call.in_and_out(std::move(values)), root, turn);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_send(ConstBuffer values, int peer, int tag) override {
    auto call = stage();
    auto request = behind_->send(call.in(std::move(values)), peer, tag);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_recv(Buffer values, int peer, int tag) override {
    auto call = stage();
    auto request = behind_->recv(call.in_and_out(std::move(values)), peer, tag);
    return forward(std::move(request), std::move(call));
  }
  OperationPtr do_barrier() override { return forward(behind_->barrier(), stage()); }
  std::unique_ptr<Communicator> do_split(int color, int key) override {
    return std::make_unique<StagingView>(behind_->split(color, key), staging_);
  }
  void do_set_chunk_bytes(std::size_t bytes) override { behind_->set_chunk_bytes(bytes); }

  std::shared_ptr<Staging> staging_;  // shared with the parts that split() has made
  std::unique_ptr<Communicator> behind_;
};

}  // namespace

std::unique_ptr<Communicator> make_staging_nccl(Communicator& bootstrap,
                                                comm::nccl::Options options, std::size_t bytes) {
  auto staging = std::make_shared<Staging>();
  staging->arena = std::make_shared<DeviceArena>(bytes);
  options.stream = reinterpret_cast<std::uintptr_t>(staging->stream.get());
  return std::make_unique<StagingView>(comm::nccl::make(bootstrap, options), std::move(staging));
}

}  // namespace convoy::tests
