// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "comm/internal/engine.h"
#include "comm/internal/transport.h"

namespace convoy::comm::internal {

/// The Communicator over any Transport; the same collectives for all of them.
class TransportCommunicator final : public Communicator {
 public:
  TransportCommunicator(std::unique_ptr<Transport> transport, const CommunicatorOptions& options);
  ~TransportCommunicator() override;

  [[nodiscard]] std::string_view backend() const override { return engine_->backend(); }
  [[nodiscard]] std::uint64_t bytes_sent() const override { return engine_->bytes_sent(); }
  [[nodiscard]] bool poisoned() const override { return engine_->poisoned(); }
  [[nodiscard]] bool sums_in_messages() const override {
    return engine_->layout().size > 1 && engine_->layout().shared == nullptr;
  }
  [[nodiscard]] std::uint64_t reserve(int count, PlaceFor what) override {
    return engine_->reserve(count, what);
  }
  /// Up to here the CPU copies what a call sends or receives from or to one rank.
  [[nodiscard]] std::size_t rides_along_bytes() const {
    return engine_->layout().rides_along_bytes;
  }
  void wake() override { engine_->wake(); }
  void give_up(const std::string& why) noexcept override { engine_->give_up(why); }
  void set_context(std::uint32_t context) override { engine_->set_context(context); }

 private:
  using OperationPtr = std::unique_ptr<Operation>;
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
  void do_set_chunk_bytes(std::size_t bytes) override { engine_->set_chunk_bytes(bytes); }

  std::shared_ptr<Engine> engine_;  // shared with the requests
};

}  // namespace convoy::comm::internal
