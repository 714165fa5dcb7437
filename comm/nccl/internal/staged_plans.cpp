// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/staged_plans.h"

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <numeric>
#include <span>
#include <utility>

namespace convoy::comm::nccl {
namespace {

// Pinned memory of the size and element type of `values`, which it owns.
Buffer take_room(const Copies& copies, const ConstBuffer& values) {
  auto memory = copies.pool().take(values.bytes.size());
  const std::span<std::byte> bytes(memory.get(), values.bytes.size());
  return {bytes, values.dtype, std::move(memory)};
}

// Empty where there is nothing to copy: such a call does not wait for the device.
std::vector<Copy> copy_of(std::span<std::byte> to, std::span<const std::byte> from,
                          cudaMemcpyKind kind) {
  if (from.empty()) return {};
  return {{.to = to.data(), .from = from.data(), .bytes = from.size(), .kind = kind}};
}

std::vector<Copy> copy_in(const Buffer& there, const ConstBuffer& own) {
  return copy_of(there.bytes, own.bytes, cudaMemcpyDeviceToHost);
}

std::vector<Copy> copy_back(const Buffer& own, const Buffer& there) {
  return copy_of(own.bytes, there.bytes, cudaMemcpyHostToDevice);
}

Buffer part(const Buffer& whole, std::size_t at, std::size_t bytes) {
  return {whole.bytes.subspan(at, bytes), whole.dtype, whole.owner};
}

// Where the piece of `rank` begins, in bytes.
std::size_t begin_of(const std::vector<std::int64_t>& counts, int rank, DType dtype) {
  const auto elements = std::accumulate(counts.begin(), counts.begin() + rank, std::int64_t{0});
  return static_cast<std::size_t>(elements) * element_bytes(dtype);
}

// For a host that does not tell the two kinds of memory apart.
template <typename AnyBuffer>
AnyBuffer as_host(AnyBuffer buffer) {
  buffer.device = Device::kHost;
  return buffer;
}

std::string not_taken(int peer) { return fmt::format("rank {} has not taken its data", peer); }
std::string no_data(int peer) { return fmt::format("no data from rank {}", peer); }

}  // namespace

StagedPlan plan_all_reduce(const Copies& copies, const Buffer& values, ReduceOp op, Turn turn) {
  const Buffer there = take_room(copies, values);
  return {.in = copy_in(there, values),
          .back = copy_back(values, there),
          .start = [=](Communicator& host) { return host.all_reduce(there, op, turn); }};
}

StagedPlan plan_reduce_scatter(const Copies& copies, const ConstBuffer& values, const Buffer& piece,
                               ReduceOp op, int rank, Turn turn) {
  const Buffer there = take_room(copies, values);
  const std::size_t bytes = piece.bytes.size();
  const Buffer own = part(there, static_cast<std::size_t>(rank) * bytes, bytes);
  return {.in = copy_in(there, values),
          .back = copy_back(piece, own),
          .start = [=](Communicator& host) { return host.reduce_scatter(there, own, op, turn); }};
}

StagedPlan plan_all_gather_v(const Copies& copies, const ConstBuffer& piece, const Buffer& values,
                             std::vector<std::int64_t> counts, int rank, Turn turn) {
  const Buffer there = take_room(copies, values);
  const Buffer own = part(there, begin_of(counts, rank, values.dtype), piece.bytes.size());
  return {.in = copy_in(own, piece),
          .back = copy_back(values, there),
          .start = [=, counts = std::move(counts)](Communicator& host) {
            return host.all_gather_v(own, there, counts, turn);
          }};
}

StagedPlan plan_all_to_all_v(const Copies& copies, const ConstBuffer& from,
                             std::vector<std::int64_t> to_counts, const Buffer& to,
                             std::vector<std::int64_t> from_counts, Turn turn) {
  const Buffer from_there = take_room(copies, from);
  const Buffer to_there = take_room(copies, to);
  return {.in = copy_in(from_there, from),
          .back = copy_back(to, to_there),
          .start = [=, to_counts = std::move(to_counts),
                    from_counts = std::move(from_counts)](Communicator& host) {
            return host.all_to_all_v(from_there, to_counts, to_there, from_counts, turn);
          }};
}

StagedPlan plan_broadcast(const Copies& copies, const Buffer& values, int root, int rank,
                          Turn turn) {
  const Buffer there = take_room(copies, values);
  const auto start = [=](Communicator& host) { return host.broadcast(there, root, turn); };
  if (rank == root) return {.in = copy_in(there, values), .start = start};
  return {.back = copy_back(values, there), .start = start};
}

StagedPlan plan_send(const Copies& copies, const ConstBuffer& values, int peer, int tag) {
  const Buffer there = take_room(copies, values);
  return {.in = copy_in(there, values),
          .start = [=](Communicator& host) { return host.send(there, peer, tag); },
          .late = not_taken(peer)};
}

StagedPlan plan_recv(const Copies& copies, const Buffer& values, int peer, int tag) {
  const Buffer there = take_room(copies, values);
  return {.back = copy_back(values, there),
          .start = [=](Communicator& host) { return host.recv(there, peer, tag); },
          .late = no_data(peer)};
}

StagedPlan plan_direct_all_gather_v(const ConstBuffer& piece, const Buffer& values,
                                    std::vector<std::int64_t> counts, int rank, Turn turn) {
  const Buffer all = as_host(values);
  const Buffer own = part(all, begin_of(counts, rank, values.dtype), piece.bytes.size());
  const bool in_place = own.bytes.data() == piece.bytes.data();
  return {.in = in_place ? std::vector<Copy>()
                         : copy_of(own.bytes, piece.bytes, cudaMemcpyDeviceToDevice),
          .start = [=, counts = std::move(counts)](
                       Communicator& host) { return host.all_gather_v(own, all, counts, turn); },
          .is_direct = true};
}

StagedPlan plan_direct_broadcast(const Buffer& values, int root, Turn turn) {
  return {.start = [values = as_host(values), root,
                    turn](Communicator& host) { return host.broadcast(values, root, turn); },
          .is_direct = true};
}

StagedPlan plan_direct_send(const ConstBuffer& values, int peer, int tag) {
  StagedPlan plan = plan_host_send(as_host(values), peer, tag);
  plan.is_direct = true;
  return plan;
}

StagedPlan plan_direct_recv(const Buffer& values, int peer, int tag) {
  StagedPlan plan = plan_host_recv(as_host(values), peer, tag);
  plan.is_direct = true;
  return plan;
}

StagedPlan plan_host_send(const ConstBuffer& values, int peer, int tag) {
  return {.start = [=](Communicator& host) { return host.send(values, peer, tag); },
          .late = not_taken(peer)};
}

StagedPlan plan_host_recv(const Buffer& values, int peer, int tag) {
  return {.start = [=](Communicator& host) { return host.recv(values, peer, tag); },
          .late = no_data(peer)};
}

}  // namespace convoy::comm::nccl
