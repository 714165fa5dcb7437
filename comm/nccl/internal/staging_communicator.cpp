// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/staging_communicator.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "comm/internal/transport_communicator.h"
#include "comm/nccl/internal/staged_plans.h"

namespace convoy::comm::nccl {
namespace {

using internal::Call;
using internal::Kind;

// What rides along with a header is copied there by the CPU.
std::size_t least_direct_bytes(const Communicator& host, bool direct) {
  if (!direct) return SIZE_MAX;
  const auto* over_transport = dynamic_cast<const internal::TransportCommunicator*>(&host);
  return over_transport == nullptr ? SIZE_MAX : over_transport->rides_along_bytes() + 1;
}

Call call_of(Kind kind, const ConstBuffer& values, ReduceOp op = ReduceOp::kSum) {
  return {.kind = kind, .dtype = values.dtype, .numel = values.numel(), .op = op};
}

bool is_host(const ConstBuffer& values) { return values.device == Device::kHost; }

}  // namespace

StagingCommunicator::StagingCommunicator(Communicator& host, std::unique_ptr<Communicator> owned,
                                         std::shared_ptr<StagingDevice> device)
    : Communicator(host.rank(), host.size(), host.options()),
      host_(host),
      owned_(std::move(owned)),
      least_direct_bytes_(least_direct_bytes(host, device->direct)),
      queue_(std::make_shared<StagingQueue>(host, std::move(device))) {}

StagingCommunicator::~StagingCommunicator() { queue_->close(); }

StagingCommunicator::OperationPtr StagingCommunicator::do_all_reduce(Buffer values, ReduceOp op,
                                                                     Turn turn) {
  const Call call = call_of(Kind::kAllReduce, values, op);
  if (is_host(values)) {
    return queue_->start_on_host(
        call, [&](Communicator& host) { return host.all_reduce(std::move(values), op, turn); },
        turn);
  }
  return queue_->start(call, turn, {values.owner},
                       [&](Turn placed) { return plan_all_reduce(copies(), values, op, placed); });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_reduce_scatter(ConstBuffer values,
                                                                         Buffer piece, ReduceOp op,
                                                                         Turn turn) {
  const Call call = call_of(Kind::kReduceScatter, values, op);
  if (is_host(values)) {
    return queue_->start_on_host(
        call,
        [&](Communicator& host) {
          return host.reduce_scatter(std::move(values), std::move(piece), op, turn);
        },
        turn);
  }
  return queue_->start(call, turn, {values.owner, piece.owner}, [&](Turn placed) {
    return plan_reduce_scatter(copies(), values, piece, op, rank(), placed);
  });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_all_gather_v(
    ConstBuffer piece, Buffer values, std::vector<std::int64_t> counts, Turn turn) {
  const Call call = call_of(Kind::kAllGather, values);
  if (is_host(values)) {
    return queue_->start_on_host(
        call,
        [&](Communicator& host) {
          return host.all_gather_v(std::move(piece), std::move(values), std::move(counts), turn);
        },
        turn);
  }
  const bool direct = std::ranges::all_of(counts, [&](std::int64_t count) {
    return count == 0 || goes_direct(static_cast<std::size_t>(count) * element_bytes(values.dtype));
  });
  return queue_->start(call, turn, {piece.owner, values.owner}, [&](Turn placed) {
    return direct ? plan_direct_all_gather_v(piece, values, std::move(counts), rank(), placed)
                  : plan_all_gather_v(copies(), piece, values, std::move(counts), rank(), placed);
  });
}

// Never direct: the CPU copies the own piece.
StagingCommunicator::OperationPtr StagingCommunicator::do_all_to_all_v(
    ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
    std::vector<std::int64_t> from_counts, Turn turn) {
  const Call call = call_of(Kind::kAllToAll, from);
  if (is_host(from)) {
    return queue_->start_on_host(
        call,
        [&](Communicator& host) {
          return host.all_to_all_v(std::move(from), std::move(to_counts), std::move(to),
                                   std::move(from_counts), turn);
        },
        turn);
  }
  return queue_->start(call, turn, {from.owner, to.owner}, [&](Turn placed) {
    return plan_all_to_all_v(copies(), from, std::move(to_counts), to, std::move(from_counts),
                             placed);
  });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_broadcast(Buffer values, int root,
                                                                    Turn turn) {
  const Call call = call_of(Kind::kBroadcast, values);
  if (is_host(values)) {
    return queue_->start_on_host(
        call, [&](Communicator& host) { return host.broadcast(std::move(values), root, turn); },
        turn);
  }
  return queue_->start(call, turn, {values.owner}, [&](Turn placed) {
    return goes_direct(values.bytes.size())
               ? plan_direct_broadcast(values, root, placed)
               : plan_broadcast(copies(), values, root, rank(), placed);
  });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_send(ConstBuffer values, int peer,
                                                               int tag) {
  const Call call = call_of(Kind::kSend, values);
  return queue_->start_message(call, peer, tag, values.owner, is_host(values), [&] {
    if (is_host(values)) return plan_host_send(values, peer, tag);
    return goes_direct(values.bytes.size()) ? plan_direct_send(values, peer, tag)
                                            : plan_send(copies(), values, peer, tag);
  });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_recv(Buffer values, int peer, int tag) {
  const Call call = call_of(Kind::kRecv, values);
  return queue_->start_message(call, peer, tag, values.owner, is_host(values), [&] {
    if (is_host(values)) return plan_host_recv(values, peer, tag);
    return goes_direct(values.bytes.size()) ? plan_direct_recv(values, peer, tag)
                                            : plan_recv(copies(), values, peer, tag);
  });
}

StagingCommunicator::OperationPtr StagingCommunicator::do_barrier() {
  return queue_->start_on_host({.kind = Kind::kBarrier},
                               [](Communicator& host) { return host.barrier(); });
}

std::unique_ptr<Communicator> StagingCommunicator::do_split(int color, int key) {
  queue_->hand_over();
  auto part = host_.split(color, key);
  Communicator& host = *part;
  return std::make_unique<StagingCommunicator>(host, std::move(part), queue_->shared_device());
}

}  // namespace convoy::comm::nccl
