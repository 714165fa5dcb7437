// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

/// All that the program asks of LibTorch directly, so that one file includes it.
namespace convoy::launch {

/// Holds LibTorch, the MKL inside it, and OpenBLAS, which does not listen to LibTorch, to `threads`
/// threads each. Call it before other threads use them.
void hold_threads(int threads);

/// The threads that LibTorch uses for one operation.
[[nodiscard]] int torch_threads();

/// The BLAS library that really computes.
struct BlasLibrary {
  std::string file;            ///< where its sgemm was loaded from; empty: none found
  std::string config;          ///< what MKL or OpenBLAS says of itself; empty: neither
  bool holds_threads = false;  ///< hold_threads() reaches it
};
[[nodiscard]] BlasLibrary blas_library();

/// Rate of a 1024 x 1024 x 1024 float32 matrix product through LibTorch with the threads that it
/// has now, best of a few; about half a second.
[[nodiscard]] double gemm_gflops();

/// Under this rate for each thread a processor of this age computes without its vector units.
inline constexpr double kSaneGflopsPerThread = 20.0;

/// Hash of the bits of a small matrix product with fixed input. Processors for which BLAS has
/// different kernels give different bits.
[[nodiscard]] std::uint64_t gemm_hash();

/// "cpu", "cuda:0", ...
[[nodiscard]] std::vector<std::string> devices();

/// What LibTorch has of CUDA.
struct TorchCuda {
  int runtime = 0;  ///< CUDA's version that it was built with, 13000 for 13.0; 0: without
  int devices = 0;  ///< that it can use
};
[[nodiscard]] TorchCuda torch_cuda();

[[nodiscard]] std::string torch_version();

/// what() in one line, without LibTorch's stack trace.
[[nodiscard]] std::string one_line(const std::exception& error);

}  // namespace convoy::launch
