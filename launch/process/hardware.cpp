// SPDX-License-Identifier: Apache-2.0
#include "launch/process/hardware.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>

#include "base/hash.h"

namespace convoy::launch {
namespace {

/// A function of a library that is loaded already, or nullptr. BLAS libraries are chosen when the
/// program starts, so their extras cannot be linked.
template <typename Function>
Function* loaded_function(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

constexpr const char* kSetThreads = "openblas_set_num_threads";

/// The first line of what the MKL inside LibTorch says of itself.
std::string mkl_version() {
  std::string text = at::get_mkl_version();
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

/// Values in [-1, 1] that are the same on every machine.
torch::Tensor fixed_matrix(std::int64_t side, std::int64_t multiplier) {
  auto values = torch::arange(side * side, torch::kInt64).mul_(multiplier).remainder_(1009);
  return values.to(torch::kFloat32).div_(504.5).sub_(1.0).view({side, side});
}

}  // namespace

void hold_threads(int threads) {
  at::set_num_threads(threads);
  if (auto* set_threads = loaded_function<void(int)>(kSetThreads)) set_threads(threads);
}

int torch_threads() { return at::get_num_threads(); }

BlasLibrary blas_library() {
  BlasLibrary library;
  void* sgemm = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (sgemm != nullptr && ::dladdr(sgemm, &info) != 0) library.file = info.dli_fname;
  if (at::hasMKL()) {
    library.config = mkl_version();
  } else if (auto* get_config = loaded_function<const char*()>("openblas_get_config")) {
    library.config = get_config();
  }
  library.holds_threads = at::hasMKL() || loaded_function<void(int)>(kSetThreads) != nullptr;
  return library;
}

double gemm_gflops() {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kSide = 1024;
  constexpr int kRepeats = 5;
  const torch::NoGradGuard no_grad;
  const auto a = fixed_matrix(kSide, 7);
  const auto b = fixed_matrix(kSide, 13);
  auto c = torch::mm(a, b);
  double best_seconds = 1e9;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = Clock::now();
    torch::mm_out(c, a, b);
    best_seconds =
        std::min(best_seconds, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2.0 * kSide * kSide * kSide / best_seconds * 1e-9;
}

std::uint64_t gemm_hash() {
  constexpr std::int64_t kSide = 96;
  const torch::NoGradGuard no_grad;
  const auto product = torch::mm(fixed_matrix(kSide, 7), fixed_matrix(kSide, 13)).contiguous();
  const auto* bytes = static_cast<const std::byte*>(product.data_ptr());
  return hash64(std::span(bytes, product.nbytes()));
}

std::vector<std::string> devices() {
  std::vector<std::string> names{"cpu"};
  const int count = torch_cuda().devices;
  for (int i = 0; i < count; ++i) names.push_back("cuda:" + std::to_string(i));
  return names;
}

TorchCuda torch_cuda() {
  // Not at::hasCUDA(), which also wants a device.
  if (!at::globalContext().hasCUDART()) return {};
  return {.runtime = static_cast<int>(at::detail::getCUDAHooks().versionCUDART()),
          .devices = static_cast<int>(torch::cuda::device_count())};
}

std::string torch_version() { return TORCH_VERSION; }

std::string one_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace convoy::launch
