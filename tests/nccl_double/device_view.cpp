// SPDX-License-Identifier: Apache-2.0
#include "tests/nccl_double/device_view.h"

#include <utility>

namespace convoy::tests {
namespace {

using comm::Buffer;
using comm::Communicator;
using comm::ConstBuffer;
using comm::Device;
using comm::PlaceFor;
using comm::ReduceOp;
using comm::Request;
using comm::Turn;
using comm::internal::Operation;

// A request of the communicator behind, as an operation of the one in front.
class Forwarded final : public Operation {
 public:
  Forwarded(Request request, std::chrono::milliseconds timeout)
      : request_(std::move(request)), timeout_(timeout) {}

  bool poll() override { return request_.test(); }
  bool wait(std::chrono::milliseconds timeout, const std::function<bool()>& enough,
            std::chrono::microseconds longest_nap) override {
    if (enough) return request_.wait_or(enough, longest_nap);
    request_.wait(timeout);
    return true;
  }
  void abandon() noexcept override { request_ = Request(); }
  [[nodiscard]] std::chrono::milliseconds default_timeout() const override { return timeout_; }

 private:
  Request request_;
  std::chrono::milliseconds timeout_;
};

template <typename AnyBuffer>
AnyBuffer on_device(AnyBuffer buffer) {
  buffer.device = Device::kCuda;
  return buffer;
}

class DeviceView final : public Communicator {
 public:
  explicit DeviceView(std::unique_ptr<Communicator> behind)
      : Communicator(behind->rank(), behind->size(), behind->options()),
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
  OperationPtr forward(Request request) {
    if (!request.pending()) return nullptr;
    return std::make_unique<Forwarded>(std::move(request), options().timeout);
  }
  OperationPtr do_all_reduce(Buffer values, ReduceOp op, Turn turn) override {
    return forward(behind_->all_reduce(on_device(std::move(values)), op, turn));
  }
  OperationPtr do_reduce_scatter(ConstBuffer values, Buffer piece, ReduceOp op,
                                 Turn turn) override {
    return forward(behind_->reduce_scatter(on_device(std::move(values)),
                                           on_device(std::move(piece)), op, turn));
  }
  OperationPtr do_all_gather_v(ConstBuffer piece, Buffer values, std::vector<std::int64_t> counts,
                               Turn turn) override {
    return forward(behind_->all_gather_v(on_device(std::move(piece)), on_device(std::move(values)),
                                         std::move(counts), turn));
  }
  OperationPtr do_all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
                               std::vector<std::int64_t> from_counts, Turn turn) override {
    return forward(behind_->all_to_all_v(on_device(std::move(from)), std::move(to_counts),
                                         on_device(std::move(to)), std::move(from_counts), turn));
  }
  OperationPtr do_broadcast(Buffer values, int root, Turn turn) override {
    return forward(behind_->broadcast(on_device(std::move(values)), root, turn));
  }
  OperationPtr do_send(ConstBuffer values, int peer, int tag) override {
    return forward(behind_->send(on_device(std::move(values)), peer, tag));
  }
  OperationPtr do_recv(Buffer values, int peer, int tag) override {
    return forward(behind_->recv(on_device(std::move(values)), peer, tag));
  }
  OperationPtr do_barrier() override { return forward(behind_->barrier()); }
  std::unique_ptr<Communicator> do_split(int color, int key) override {
    return as_device_memory(behind_->split(color, key));
  }
  void do_set_chunk_bytes(std::size_t bytes) override { behind_->set_chunk_bytes(bytes); }

  std::unique_ptr<Communicator> behind_;
};

}  // namespace

std::unique_ptr<Communicator> as_device_memory(std::unique_ptr<Communicator> communicator) {
  return std::make_unique<DeviceView>(std::move(communicator));
}

}  // namespace convoy::tests
