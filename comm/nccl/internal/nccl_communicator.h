// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/internal/call_queue.h"
#include "comm/nccl/nccl.h"

namespace convoy::comm::nccl {

/// Device memory by NCCL, host memory over the bootstrap's ranks.
class NcclCommunicator final : public Communicator {
 public:
  /// Connects the ranks of `side` through their devices. Collective, blocking. @throws CommError.
  NcclCommunicator(std::unique_ptr<Communicator> side, const Options& options, int device);
  ~NcclCommunicator() override;

  [[nodiscard]] std::string_view backend() const override { return "nccl"; }
  [[nodiscard]] int device() const { return queue_->connection().device(); }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return queue_->bytes_sent(); }
  [[nodiscard]] bool poisoned() const override { return queue_->poisoned(); }
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what) override {
    return queue_->reserve(count, what);
  }
  void give_up(const std::string& why) noexcept override { queue_->give_up(why); }
  void wake() override { queue_->wake(); }
  void set_context(std::uint32_t context) override { queue_->set_context(context); }
  [[nodiscard]] bool sums_in_messages() const override { return false; }

 private:
  using OperationPtr = std::unique_ptr<internal::Operation>;
  OperationPtr do_all_reduce(Buffer values, ReduceOp op, Turn turn) override;
  OperationPtr do_reduce_scatter(ConstBuffer values, Buffer piece, ReduceOp op, Turn turn) override;
  OperationPtr do_all_gather_v(ConstBuffer piece, Buffer values, std::vector<std::int64_t> counts,
                               Turn turn) override;
  OperationPtr do_all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
                               std::vector<std::int64_t> from_counts, Turn turn) override;
  OperationPtr do_broadcast(Buffer values, int root, Turn turn) override;
  OperationPtr do_send(ConstBuffer values, int peer, int tag) override;
  OperationPtr do_recv(Buffer values, int peer, int tag) override;
  OperationPtr do_barrier() override;
  std::unique_ptr<Communicator> do_split(int color, int key) override;
  void do_set_chunk_bytes(std::size_t bytes) override { queue_->set_chunk_bytes(bytes); }
  [[nodiscard]] bool takes(Device /*device*/) const override { return true; }

  /// What keeps two buffers alive until the call is over.
  using Owners = std::vector<std::shared_ptr<void>>;
  OperationPtr start_on_device(const internal::Call& call, Launch launch, Owners owners, Turn turn,
                               std::uint64_t bytes_sent);
  /// @param start  from the communicator for host memory to a request.
  template <typename Start>
  OperationPtr start_on_host(const internal::Call& call, Start start, Turn turn = {});
  [[nodiscard]] std::uint64_t to_each_other(std::size_t bytes) const {
    return static_cast<std::uint64_t>(bytes) * static_cast<std::uint64_t>(size() - 1);
  }
  [[nodiscard]] cudaStream_t caller() const;

  Options options_;
  std::shared_ptr<CallQueue> queue_;  // shared with the requests
};

}  // namespace convoy::comm::nccl
