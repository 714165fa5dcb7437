// SPDX-License-Identifier: Apache-2.0
#include "launch/process/machine_report.h"

#include <gtest/gtest.h>

namespace convoy::launch {
namespace {

MachineReport computing_at(double gflops_per_thread, const std::string& config) {
  MachineReport report{.threads = 2};
  report.blas = {.file = "/lib/libblas.so.3", .config = config};
  report.gemm_gflops = 2 * gflops_per_thread;
  return report;
}

TEST(GemmWarning, IsSilentAboutSaneRates) {
  EXPECT_EQ(gemm_warning(computing_at(kSaneGflopsPerThread, "")), "");
  EXPECT_EQ(gemm_warning(computing_at(kSaneGflopsPerThread, "OpenBLAS 0.3.21")), "");
}

TEST(GemmWarning, SaysHowToReplaceTheReferenceBlas) {
  const std::string warning = gemm_warning(computing_at(3.0, ""));
  EXPECT_NE(warning.find("6.0 GFLOP/s on 2 threads, below 40"), std::string::npos) << warning;
  EXPECT_NE(warning.find("the reference BLAS (/lib/libblas.so.3)"), std::string::npos) << warning;
  EXPECT_NE(warning.find("apt-get install libopenblas0-pthread"), std::string::npos) << warning;
}

// On a busy or slow machine another BLAS would be no cure, and MKL is inside LibTorch.
TEST(GemmWarning, DoesNotBlameABlasThatIsFast) {
  for (const char* config : {"OpenBLAS 0.3.21", "Intel(R) oneAPI Math Kernel Library"}) {
    const std::string warning = gemm_warning(computing_at(3.0, config));
    EXPECT_NE(warning.find(config), std::string::npos) << warning;
    EXPECT_EQ(warning.find("apt-get"), std::string::npos) << warning;
    EXPECT_EQ(warning.find("reference"), std::string::npos) << warning;
  }
}

}  // namespace
}  // namespace convoy::launch
