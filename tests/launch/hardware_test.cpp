// SPDX-License-Identifier: Apache-2.0
#include "launch/process/hardware.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <stdexcept>
#include <thread>

namespace convoy::launch {
namespace {

double cpu_seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// CPU time of the whole process over that of this thread while it multiplies matrices: the number
/// of threads at work, whatever else the machine does.
double threads_at_work() {
  const double process = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double thread = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(700);
  while (std::chrono::steady_clock::now() < end) (void)gemm_gflops();
  return (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process) /
         (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - thread);
}

TEST(Hardware, HoldsTheThreadsOfBlasToo) {
  hold_threads(1);
  EXPECT_LE(threads_at_work(), 1.15);
  if (std::thread::hardware_concurrency() < 2) return;
  hold_threads(2);
  EXPECT_GE(threads_at_work(), 1.5);
  hold_threads(1);
  EXPECT_LE(threads_at_work(), 1.15);
}

TEST(Hardware, GemmHashRepeats) { EXPECT_EQ(gemm_hash(), gemm_hash()); }

TEST(Hardware, NamesTheBlasLibrary) {
  const BlasLibrary blas = blas_library();
  EXPECT_NE(blas.file, "");
  EXPECT_EQ(blas.config.find('\n'), std::string::npos);
  EXPECT_EQ(blas.holds_threads, !blas.config.empty()) << blas.config;  // all but the reference BLAS
}

TEST(Hardware, ErrorsBecomeOneLine) {
  EXPECT_EQ(one_line(std::runtime_error("first\nsecond\n")), "first second");
}

}  // namespace
}  // namespace convoy::launch
