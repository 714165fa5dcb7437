// SPDX-License-Identifier: Apache-2.0
// What is linked into programs: the kernels where CUDA was there, else what says that they are
// missing. On a machine without GPU both must say in one line what to do.
#include "compress/cuda/usable.h"

#include <gtest/gtest.h>

#include "compress/cuda/engine.h"

namespace convoy::compress::cuda {
namespace {

TEST(Cuda, IsBuiltAsTheConfigurationSays) { EXPECT_EQ(is_built(), CONVOY_CUDA_EXPECTED); }

TEST(Cuda, SaysWhatKeepsItFromRunning) {
  const std::string why = why_unusable();
  if (why.empty()) GTEST_SKIP() << "about machines without a GPU, and here is one";
  EXPECT_EQ(why.find('\n'), std::string::npos);
  if (is_built()) {
    EXPECT_EQ(why.rfind("no CUDA d", 0), 0U) << why;  // driver or device
  } else {
    EXPECT_NE(why.find("-DCONVOY_WITH_CUDA=ON"), std::string::npos) << why;
  }
}

/// The message of the CudaError that `call` throws.
template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const CudaError& error) {
    return error.what();
  }
  return "no CudaError";
}

TEST(Cuda, ThrowsThatWhereItCannotRun) {
  const std::string why = why_unusable();
  if (why.empty()) GTEST_SKIP() << "about machines without a GPU, and here is one";
  EXPECT_EQ(error_of([] { (void)make_engine(); }), why);
}

}  // namespace
}  // namespace convoy::compress::cuda
