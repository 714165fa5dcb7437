// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/collectives.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {
namespace {

// kMean is NCCL's own: it multiplies each rank's value by 1 / ranks before it adds.
ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return ncclSum;
    case ReduceOp::kMin:
      return ncclMin;
    case ReduceOp::kMax:
      return ncclMax;
    case ReduceOp::kMean:
      return ncclAvg;
  }
  throw ContractError("nccl: unknown ReduceOp");
}

std::size_t bytes_of(std::int64_t count, std::size_t element) {
  return static_cast<std::size_t>(count) * element;
}

bool all_equal(const std::vector<std::int64_t>& counts) {
  return std::ranges::adjacent_find(counts, std::not_equal_to<>()) == counts.end();
}

// Pieces that lie one after the other: calls `use` with rank, count and byte offset of each.
template <typename Use>
void for_each_piece(const std::vector<std::int64_t>& counts, std::size_t element, const Use& use) {
  std::size_t offset = 0;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    if (counts[rank] > 0) {
      use(static_cast<int>(rank), static_cast<std::size_t>(counts[rank]), offset);
    }
    offset += bytes_of(counts[rank], element);
  }
}

}  // namespace

ncclDataType_t nccl_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return ncclFloat32;
    case DType::kFloat16:
      return ncclFloat16;
    case DType::kBFloat16:
      return ncclBfloat16;
    case DType::kFloat64:
      return ncclFloat64;
    case DType::kInt32:
      return ncclInt32;
    case DType::kInt64:
      return ncclInt64;
    case DType::kUInt8:
      return ncclUint8;
  }
  throw ContractError("nccl: NCCL has no elements of " + std::string(name(dtype)));
}

Launch launch_all_reduce(const Buffer& values, ReduceOp op) {
  return [memory = values.bytes, numel = values.numel(), type = nccl_type(values.dtype),
          how = nccl_op(op)](const Connection& to) {
    check_nccl(ncclAllReduce(memory.data(), memory.data(), static_cast<std::size_t>(numel), type,
                             how, to.comm(), to.stream()),
               "ncclAllReduce", to.comm());
  };
}

Launch launch_reduce_scatter(const ConstBuffer& values, const Buffer& piece, ReduceOp op) {
  return [from = values.bytes.data(), into = piece.bytes.data(), numel = piece.numel(),
          type = nccl_type(values.dtype), how = nccl_op(op)](const Connection& to) {
    check_nccl(ncclReduceScatter(from, into, static_cast<std::size_t>(numel), type, how, to.comm(),
                                 to.stream()),
               "ncclReduceScatter", to.comm());
  };
}

Launch launch_all_gather_v(const ConstBuffer& piece, const Buffer& values,
                           std::vector<std::int64_t> counts) {
  const ncclDataType_t type = nccl_type(values.dtype);
  const std::size_t element = element_bytes(values.dtype);
  if (all_equal(counts)) {
    return [from = piece.bytes.data(), into = values.bytes.data(), numel = piece.numel(),
            type](const Connection& to) {
      check_nccl(
          ncclAllGather(from, into, static_cast<std::size_t>(numel), type, to.comm(), to.stream()),
          "ncclAllGather", to.comm());
    };
  }
  return [from = piece.bytes.data(), into = values.bytes.data(), counts = std::move(counts), type,
          element](const Connection& to) {
    Group group;
    for_each_piece(counts, element, [&](int root, std::size_t count, std::size_t offset) {
      check_nccl(ncclBroadcast(from, into + offset, count, type, root, to.comm(), to.stream()),
                 "ncclBroadcast", to.comm());
    });
    group.end();
  };
}

Launch launch_all_to_all_v(const ConstBuffer& from, std::vector<std::int64_t> to_counts,
                           const Buffer& to, std::vector<std::int64_t> from_counts) {
  return [source = from.bytes.data(), target = to.bytes.data(), to_counts = std::move(to_counts),
          from_counts = std::move(from_counts), type = nccl_type(from.dtype),
          element = element_bytes(from.dtype)](const Connection& by) {
    const std::byte* own = nullptr;
    Group group;
    for_each_piece(to_counts, element, [&](int peer, std::size_t count, std::size_t offset) {
      if (peer == by.rank()) {
        own = source + offset;
        return;
      }
      check_nccl(ncclSend(source + offset, count, type, peer, by.comm(), by.stream()), "ncclSend",
                 by.comm());
    });
    for_each_piece(from_counts, element, [&](int peer, std::size_t count, std::size_t offset) {
      if (peer == by.rank()) {
        check_cuda(cudaMemcpyAsync(target + offset, own, count * element, cudaMemcpyDeviceToDevice,
                                   by.stream()),
                   "cudaMemcpyAsync");
        return;
      }
      check_nccl(ncclRecv(target + offset, count, type, peer, by.comm(), by.stream()), "ncclRecv",
                 by.comm());
    });
    group.end();
  };
}

Launch launch_broadcast(const Buffer& values, int root) {
  return [memory = values.bytes.data(), numel = values.numel(), type = nccl_type(values.dtype),
          root](const Connection& to) {
    check_nccl(ncclBroadcast(memory, memory, static_cast<std::size_t>(numel), type, root, to.comm(),
                             to.stream()),
               "ncclBroadcast", to.comm());
  };
}

}  // namespace convoy::comm::nccl
