// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <utility>

#include "base/errors.h"
#include "comm/nccl/internal/check.h"
#include "comm/nccl/internal/connection.h"
#include "comm/nccl/internal/handles.h"
#include "tests/comm/comm_errors.h"
#include "tests/nccl_double/nccl_double.h"

namespace convoy::comm::nccl {
namespace {

using tests::NcclCounters;
using tests::NcclDouble;

// Moves a handle twice and lets it go: it must be given back once, and not before.
template <typename AnyHandle>
void expect_one_free(const NcclDouble& cuda, AnyHandle first, int NcclCounters::*frees) {
  {
    AnyHandle second = std::move(first);
    AnyHandle third;
    third = std::move(second);
    EXPECT_EQ(first.get(), nullptr);   // NOLINT(bugprone-use-after-move): that is the point
    EXPECT_EQ(second.get(), nullptr);  // NOLINT(bugprone-use-after-move)
    EXPECT_NE(third.get(), nullptr);
    EXPECT_EQ(cuda.counters().*frees, 0);
  }
  EXPECT_EQ(cuda.counters().*frees, 1);
}

TEST(NcclHandles, FreeOnceHoweverOftenTheyMove) {
  const NcclDouble cuda;
  expect_one_free(cuda, make_stream(), &NcclCounters::stream_frees);
  expect_one_free(cuda, make_event(), &NcclCounters::event_frees);
  expect_one_free(cuda, make_device_memory(100), &NcclCounters::device_frees);
  expect_one_free(cuda, make_pinned_memory(100), &NcclCounters::pinned_frees);
  ncclUniqueId id{};
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comm = nullptr;
  check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  check_nccl(ncclCommInitRankConfig(&comm, 1, id, 0, &config), "ncclCommInitRankConfig");
  expect_one_free(cuda, NcclComm(comm), &NcclCounters::comm_frees);
}

TEST(NcclHandles, OfNothingFreeNothing) {
  const NcclDouble cuda;
  EXPECT_EQ(make_device_memory(0).get(), nullptr);
  EXPECT_EQ(make_pinned_memory(0).get(), nullptr);
  EXPECT_EQ(cuda.counters().device_frees, 0);
  EXPECT_EQ(cuda.counters().pinned_frees, 0);
}

// What all other tests rely on: the double does see a leak, a second free and a late use.
TEST(NcclDouble, CountsWhatMustNotHappen) {
  NcclDouble cuda;
  cudaStream_t stream = make_stream().release();
  EXPECT_EQ(cuda.counters().faults(), "1 streams left; ");
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_NE(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_NE(cudaStreamQuery(stream), cudaSuccess);
  const auto counters = cuda.take_counters();
  EXPECT_EQ(counters.faults(), "1 double frees; 1 uses after free; ");
}

TEST(NcclDouble, KnowsItsMemory) {
  NcclDouble cuda;
  const Stream stream = make_stream();
  const auto device = make_device_memory(8);
  const auto pinned = make_pinned_memory(8);
  const auto copy = [&](std::byte* to, const std::byte* from, std::size_t bytes) {
    return cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get());
  };
  EXPECT_EQ(copy(device.get(), pinned.get(), 8), cudaSuccess);
  EXPECT_NE(copy(device.get(), pinned.get(), 9), cudaSuccess);
  EXPECT_NE(copy(pinned.get(), device.get(), 8), cudaSuccess);
  EXPECT_EQ(cuda.counters().wrong_memory, 2);
  while (!is_idle(stream)) continue;
  static_cast<void>(cuda.take_counters());
}

TEST(NcclChecks, NameTheCallAndTheLibrarysText) {
  const NcclDouble cuda;
  EXPECT_EQ(tests::comm_error([] { check_cuda(cudaErrorInvalidResourceHandle, "cudaEventQuery"); }),
            "cudaEventQuery: invalid resource handle (400)");
  EXPECT_EQ(tests::comm_error([] { check_nccl(ncclInvalidUsage, "ncclSend"); }),
            "ncclSend: invalid usage (5)");
  check_nccl(ncclInProgress, "ncclSend");
}

TEST(NcclGroups, EndEvenWhereACallInThemThrows) {
  const NcclDouble cuda;
  try {
    const Group group;
    throw CommError("in between");
  } catch (const CommError&) {
    EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage) << "there was a group open";
  }
}

}  // namespace
}  // namespace convoy::comm::nccl
