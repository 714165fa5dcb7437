// SPDX-License-Identifier: Apache-2.0
// The engine that tests of reducers work on: it must see what would go wrong on a GPU.
#include "tests/compress/cuda/host_engine.h"

#include <gtest/gtest.h>

#include "tests/compress/cuda/host_memory.h"

namespace convoy::compress::cuda {
namespace {

TEST(HostEngine, CountsWhatHasAnOwner) {
  const std::int64_t before = live_guarded_allocations();
  auto engine = make_host_engine();
  auto memory = engine->allocate(100);
  auto other = memory;
  EXPECT_EQ(live_guarded_allocations(), before + 1);
  engine.reset();
  memory.reset();
  EXPECT_EQ(live_guarded_allocations(), before + 1);
  other.reset();
  EXPECT_EQ(live_guarded_allocations(), before);
}

TEST(HostEngine, FreshMemoryIsNotZero) {
  const auto memory = make_host_engine()->allocate(8);
  EXPECT_NE(memory.get()[7], std::byte{0});
}

TEST(HostEngineDeathTest, SeesWritesBeyondTheEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto write_at = [](std::ptrdiff_t at) {
    const auto memory = make_host_engine()->allocate(8);
    *(memory.get() + at) = std::byte{1};
  };
  write_at(7);
  EXPECT_DEATH(write_at(8), "written beyond device memory of 8 bytes");
  EXPECT_DEATH(write_at(-1), "written beyond device memory of 8 bytes");
}

}  // namespace
}  // namespace convoy::compress::cuda
