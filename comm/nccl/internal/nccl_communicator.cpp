// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/nccl_communicator.h"

#include <algorithm>
#include <utility>

#include "comm/nccl/internal/staged_plans.h"

namespace convoy::comm::nccl {
namespace {

using internal::Call;
using internal::Kind;

std::shared_ptr<CallQueue> make_queue(std::unique_ptr<Communicator> side, const Options& options,
                                      int device) {
  auto connection = std::make_unique<Connection>(*side, device);
  HostSide host{.data = side->duplicate(),
                .marks = options.check_calls ? side->duplicate() : nullptr,
                .splits = nullptr};
  const CommunicatorOptions communicator_options = side->options();
  host.splits = std::move(side);
  return std::make_shared<CallQueue>(std::move(connection), std::move(host), communicator_options);
}

Call call_of(Kind kind, const ConstBuffer& values, ReduceOp op = ReduceOp::kSum) {
  return {.kind = kind, .dtype = values.dtype, .numel = values.numel(), .op = op};
}

bool is_host(const ConstBuffer& values) { return values.device == Device::kHost; }

}  // namespace

// The base reads rank, size and options before `side` goes to the queue.
NcclCommunicator::NcclCommunicator(std::unique_ptr<Communicator> side, const Options& options,
                                   int device)
    : Communicator(side->rank(), side->size(), side->options()),
      options_(options),
      queue_(make_queue(std::move(side), options, device)) {}

NcclCommunicator::~NcclCommunicator() { queue_->close(); }

cudaStream_t NcclCommunicator::caller() const {
  return reinterpret_cast<cudaStream_t>(options_.stream);
}

NcclCommunicator::OperationPtr NcclCommunicator::start_on_device(const Call& call, Launch launch,
                                                                 Owners owners, Turn turn,
                                                                 std::uint64_t bytes_sent) {
  auto operation = queue_->start(
      call,
      [&](Communicator& /*host*/, SendTurns& /*turns*/) {
        auto made =
            std::make_shared<DeviceCall>(call, queue_->connection(), caller(), std::move(launch));
        for (auto& owner : owners) made->keep(std::move(owner));
        return made;
      },
      turn);
  queue_->count_sent(bytes_sent);
  return operation;
}

template <typename Start>
NcclCommunicator::OperationPtr NcclCommunicator::start_on_host(const Call& call, Start start,
                                                               Turn turn) {
  // Shared only because std::function wants to copy what it holds.
  const auto kept = std::make_shared<Start>(std::move(start));
  return queue_->start(
      call,
      [&](Communicator& host, SendTurns& /*turns*/) {
        return std::make_shared<HostCall>(call, host,
                                          [kept](Communicator& c) { return (*kept)(c); });
      },
      turn);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_all_reduce(Buffer values, ReduceOp op,
                                                               Turn turn) {
  const Call call = call_of(Kind::kAllReduce, ConstBuffer(values), op);
  if (values.device == Device::kHost) {
    return start_on_host(
        call,
        [values = std::move(values), op](Communicator& host) mutable {
          return host.all_reduce(std::move(values), op);
        },
        turn);
  }
  // As a ring sends it, whatever NCCL does.
  const auto sent = 2 * to_each_other(values.bytes.size()) / static_cast<std::uint64_t>(size());
  auto launch = launch_all_reduce(values, op);
  return start_on_device(call, std::move(launch), {std::move(values.owner)}, turn, sent);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_reduce_scatter(ConstBuffer values, Buffer piece,
                                                                   ReduceOp op, Turn turn) {
  const Call call = call_of(Kind::kReduceScatter, values, op);
  if (is_host(values)) {
    return start_on_host(
        call,
        [values = std::move(values), piece = std::move(piece), op](Communicator& host) mutable {
          return host.reduce_scatter(std::move(values), std::move(piece), op);
        },
        turn);
  }
  const auto sent = to_each_other(piece.bytes.size());
  auto launch = launch_reduce_scatter(values, piece, op);
  return start_on_device(call, std::move(launch), {std::move(values.owner), std::move(piece.owner)},
                         turn, sent);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_all_gather_v(ConstBuffer piece, Buffer values,
                                                                 std::vector<std::int64_t> counts,
                                                                 Turn turn) {
  const Call call = call_of(Kind::kAllGather, ConstBuffer(values));
  if (is_host(piece)) {
    return start_on_host(
        call,
        [piece = std::move(piece), values = std::move(values),
         counts = std::move(counts)](Communicator& host) mutable {
          return host.all_gather_v(std::move(piece), std::move(values), std::move(counts));
        },
        turn);
  }
  const auto sent = to_each_other(piece.bytes.size());
  auto launch = launch_all_gather_v(piece, values, std::move(counts));
  return start_on_device(call, std::move(launch), {std::move(piece.owner), std::move(values.owner)},
                         turn, sent);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_all_to_all_v(
    ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
    std::vector<std::int64_t> from_counts, Turn turn) {
  const Call call = call_of(Kind::kAllToAll, from);
  if (is_host(from)) {
    return start_on_host(
        call,
        [from = std::move(from), to_counts = std::move(to_counts), to = std::move(to),
         from_counts = std::move(from_counts)](Communicator& host) mutable {
          return host.all_to_all_v(std::move(from), std::move(to_counts), std::move(to),
                                   std::move(from_counts));
        },
        turn);
  }
  const auto own = static_cast<std::size_t>(to_counts[static_cast<std::size_t>(rank())]);
  const auto sent = from.bytes.size() - own * element_bytes(from.dtype);
  auto launch = launch_all_to_all_v(from, std::move(to_counts), to, std::move(from_counts));
  return start_on_device(call, std::move(launch), {std::move(from.owner), std::move(to.owner)},
                         turn, sent);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_broadcast(Buffer values, int root, Turn turn) {
  const Call call = call_of(Kind::kBroadcast, ConstBuffer(values));
  if (values.device == Device::kHost) {
    return start_on_host(
        call,
        [values = std::move(values), root](Communicator& host) mutable {
          return host.broadcast(std::move(values), root);
        },
        turn);
  }
  const auto sent = rank() == root ? to_each_other(values.bytes.size()) : 0;
  auto launch = launch_broadcast(values, root);
  return start_on_device(call, std::move(launch), {std::move(values.owner)}, turn, sent);
}

NcclCommunicator::OperationPtr NcclCommunicator::do_send(ConstBuffer values, int peer, int tag) {
  const Call call = call_of(Kind::kSend, values);
  return queue_->start(call, [&](Communicator& host, SendTurns& turns) {
    const Copies& copies = queue_->connection().copies();
    // Of host memory too: one of device memory may be before it.
    StagedPlan plan =
        is_host(values) ? plan_host_send(values, peer, tag) : plan_send(copies, values, peer, tag);
    auto made = std::make_shared<StagedCall>(call, copies, caller(), host, std::move(plan),
                                             turns.take(peer, tag));
    made->keep(std::move(values.owner));
    return made;
  });
}

NcclCommunicator::OperationPtr NcclCommunicator::do_recv(Buffer values, int peer, int tag) {
  const Call call = call_of(Kind::kRecv, ConstBuffer(values));
  if (values.device == Device::kHost) {
    return start_on_host(call, [values = std::move(values), peer, tag](Communicator& host) mutable {
      return host.recv(std::move(values), peer, tag);
    });
  }
  return queue_->start(call, [&](Communicator& host, SendTurns& /*turns*/) {
    const Copies& copies = queue_->connection().copies();
    auto made = std::make_shared<StagedCall>(call, copies, caller(), host,
                                             plan_recv(copies, values, peer, tag));
    made->keep(std::move(values.owner));
    return made;
  });
}

NcclCommunicator::OperationPtr NcclCommunicator::do_barrier() {
  return start_on_host({.kind = Kind::kBarrier}, [](Communicator& host) { return host.barrier(); });
}

std::unique_ptr<Communicator> NcclCommunicator::do_split(int color, int key) {
  const auto side = queue_->host_for_splits();
  return std::make_unique<NcclCommunicator>(side->split(color, key), options_,
                                            queue_->connection().device());
}

}  // namespace convoy::comm::nccl
