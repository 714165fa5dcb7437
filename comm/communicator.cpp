// SPDX-License-Identifier: Apache-2.0
#include "comm/communicator.h"

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "comm/internal/transport.h"

namespace convoy::comm {
namespace {

// The messages are made only when they are needed: these checks stand before every operation.
void check_types(const char* operation, const ConstBuffer& a, const ConstBuffer& b) {
  if (a.dtype == b.dtype && a.device == b.device) return;
  throw ContractError(fmt::format("{}: buffers of {} and {} on one device are needed to be equal",
                                  operation, name(a.dtype), name(b.dtype)));
}

void check_numel(const char* operation, const char* what, std::int64_t numel,
                 std::int64_t expected) {
  if (numel == expected) return;
  throw ContractError(
      fmt::format("{}: {} has {} elements, {} are needed", operation, what, numel, expected));
}

// @param allowed_at  the one place in `outer` where `inner` may lie, as a byte offset.
void check_apart(const char* operation, const ConstBuffer& inner, const ConstBuffer& outer,
                 std::optional<std::size_t> allowed_at = {}) {
  if (inner.bytes.empty() || outer.bytes.empty()) return;
  const std::byte* a = inner.bytes.data();
  const std::byte* b = outer.bytes.data();
  const std::less<> before;
  const bool apart = !before(a, b + outer.bytes.size()) || !before(b, a + inner.bytes.size());
  if (apart || (allowed_at && a == b + *allowed_at)) return;
  throw ContractError(fmt::format("{}: the buffers overlap", operation));
}

std::int64_t checked_sum(const char* operation, const std::vector<std::int64_t>& counts, int size) {
  if (counts.size() != static_cast<std::size_t>(size)) {
    throw ContractError(
        fmt::format("{}: {} counts given for {} ranks", operation, counts.size(), size));
  }
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) {
    if (count < 0) throw ContractError(fmt::format("{}: negative count {}", operation, count));
    sum += count;
  }
  return sum;
}

void check_tag(const char* operation, int tag) {
  if (tag >= 0 && tag < internal::kUserTags) return;
  throw ContractError(
      fmt::format("{}: tag {} is not in [0, {})", operation, tag, internal::kUserTags));
}

}  // namespace

Communicator::Communicator(int rank, int size, CommunicatorOptions options)
    : rank_(rank), size_(size), options_(options) {
  require(size > 0 && rank >= 0 && rank < size, "a communicator needs 0 <= rank < size");
  require(options.timeout.count() > 0, "CommunicatorOptions::timeout must be positive");
  require(options.chunk_bytes > 0, "CommunicatorOptions::chunk_bytes must be positive");
}

void Communicator::check(const char* operation, const ConstBuffer& buffer) const {
  if (!takes(buffer.device)) {
    throw ContractError(fmt::format("{}: the {} backend does not take memory of this device",
                                    operation, backend()));
  }
  const std::size_t element = element_bytes(buffer.dtype);
  if (buffer.bytes.size() % element != 0 ||
      reinterpret_cast<std::uintptr_t>(buffer.bytes.data()) % element != 0) {
    throw ContractError(fmt::format("{}: {} bytes are not whole, aligned elements of {}", operation,
                                    buffer.bytes.size(), name(buffer.dtype)));
  }
}

void Communicator::check_peer(const char* operation, int peer) const {
  if (peer >= 0 && peer < size_) return;
  throw ContractError(fmt::format("{}: there is no rank {} among {}", operation, peer, size_));
}

void Communicator::check_op(const char* operation, ReduceOp op, DType dtype) const {
  const bool is_integer =
      dtype == DType::kInt32 || dtype == DType::kInt64 || dtype == DType::kUInt8;
  if (op != ReduceOp::kMean || !is_integer) return;
  throw ContractError(fmt::format("{}: {} elements have no mean", operation, name(dtype)));
}

Request Communicator::all_reduce(Buffer values, ReduceOp op, Turn turn) {
  check("all_reduce", values);
  check_op("all_reduce", op, values.dtype);
  return Request(do_all_reduce(std::move(values), op, turn));
}

Request Communicator::reduce_scatter(ConstBuffer values, Buffer piece, ReduceOp op, Turn turn) {
  check("reduce_scatter", values);
  check("reduce_scatter", piece);
  check_types("reduce_scatter", values, piece);
  check_op("reduce_scatter", op, values.dtype);
  check_numel("reduce_scatter", "values", values.numel(), piece.numel() * size_);
  check_apart("reduce_scatter", piece, values,
              piece.bytes.size() * static_cast<std::size_t>(rank_));
  return Request(do_reduce_scatter(std::move(values), std::move(piece), op, turn));
}

Request Communicator::all_gather(ConstBuffer piece, Buffer values, Turn turn) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(size_), piece.numel());
  return all_gather_v(std::move(piece), std::move(values), std::move(counts), turn);
}

Request Communicator::all_gather_v(ConstBuffer piece, Buffer values,
                                   std::vector<std::int64_t> counts, Turn turn) {
  check("all_gather", piece);
  check("all_gather", values);
  check_types("all_gather", piece, values);
  check_numel("all_gather", "values", values.numel(), checked_sum("all_gather", counts, size_));
  check_numel("all_gather", "piece", piece.numel(), counts[static_cast<std::size_t>(rank_)]);
  const auto own_place = std::accumulate(counts.begin(), counts.begin() + rank_, std::int64_t{0});
  check_apart("all_gather", piece, values,
              static_cast<std::size_t>(own_place) * element_bytes(values.dtype));
  return Request(do_all_gather_v(std::move(piece), std::move(values), std::move(counts), turn));
}

Request Communicator::all_to_all(ConstBuffer from, Buffer to, Turn turn) {
  if (from.numel() % size_ != 0) {
    throw ContractError(
        fmt::format("all_to_all: {} elements do not divide by {} ranks", from.numel(), size_));
  }
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(size_), from.numel() / size_);
  return all_to_all_v(std::move(from), counts, std::move(to), counts, turn);
}

Request Communicator::all_to_all_v(ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
                                   std::vector<std::int64_t> from_counts, Turn turn) {
  check("all_to_all", from);
  check("all_to_all", to);
  check_types("all_to_all", from, to);
  check_numel("all_to_all", "from", from.numel(), checked_sum("all_to_all", to_counts, size_));
  check_numel("all_to_all", "to", to.numel(), checked_sum("all_to_all", from_counts, size_));
  check_apart("all_to_all", from, to);
  const auto own = static_cast<std::size_t>(rank_);
  check_numel("all_to_all", "the own piece", from_counts[own], to_counts[own]);
  return Request(do_all_to_all_v(std::move(from), std::move(to_counts), std::move(to),
                                 std::move(from_counts), turn));
}

Request Communicator::broadcast(Buffer values, int root, Turn turn) {
  check("broadcast", values);
  check_peer("broadcast", root);
  return Request(do_broadcast(std::move(values), root, turn));
}

Request Communicator::send(ConstBuffer values, int peer, int tag) {
  check("send", values);
  check_peer("send", peer);
  check_tag("send", tag);
  return Request(do_send(std::move(values), peer, tag));
}

Request Communicator::recv(Buffer values, int peer, int tag) {
  check("recv", values);
  check_peer("recv", peer);
  check_tag("recv", tag);
  return Request(do_recv(std::move(values), peer, tag));
}

Request Communicator::barrier() { return Request(do_barrier()); }

void Communicator::set_chunk_bytes(std::size_t bytes) {
  require(bytes > 0, "set_chunk_bytes: a chunk must have a byte");
  options_.chunk_bytes = bytes;
  do_set_chunk_bytes(bytes);
}

std::unique_ptr<Communicator> Communicator::split(int color, int key) {
  require(color >= 0, "split: color must not be negative");
  return do_split(color, key);
}

}  // namespace convoy::comm
