// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/internal/staging_queue.h"

namespace convoy::comm::nccl {

/// See stage().
class StagingCommunicator final : public Communicator {
 public:
  /// @param owned  `host`, or null where somebody else owns it.
  StagingCommunicator(Communicator& host, std::unique_ptr<Communicator> owned,
                      std::shared_ptr<StagingDevice> device);
  ~StagingCommunicator() override;

  [[nodiscard]] std::string_view backend() const override { return host_.backend(); }
  [[nodiscard]] int device() const { return queue_->device().device; }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return queue_->bytes_sent(); }
  [[nodiscard]] bool poisoned() const override { return queue_->poisoned(); }
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what) override {
    return queue_->reserve(count, what);
  }
  void give_up(const std::string& why) noexcept override { queue_->give_up(why); }
  void wake() override { queue_->wake(); }
  void set_context(std::uint32_t context) override { queue_->set_context(context); }
  [[nodiscard]] bool sums_in_messages() const override { return host_.sums_in_messages(); }

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
  void do_set_chunk_bytes(std::size_t bytes) override { host_.set_chunk_bytes(bytes); }
  [[nodiscard]] bool takes(Device /*device*/) const override { return true; }

  [[nodiscard]] const Copies& copies() const { return queue_->device().copies; }
  /// True when a piece of so many bytes may go to the host from device memory.
  [[nodiscard]] bool goes_direct(std::size_t bytes) const { return bytes >= least_direct_bytes_; }

  Communicator& host_;
  std::unique_ptr<Communicator> owned_;
  std::size_t least_direct_bytes_;
  std::shared_ptr<StagingQueue> queue_;  // shared with the requests
};

}  // namespace convoy::comm::nccl
