// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/check.h"

#include <spdlog/fmt/fmt.h>

#include <exception>

#include "base/log.h"

namespace convoy::comm::nccl {
namespace {

std::string text_of(cudaError_t result, const char* call) {
  return fmt::format("{}: {} ({})", call, cudaGetErrorString(result), static_cast<int>(result));
}

std::string text_of(ncclResult_t result, const char* call, ncclComm_t comm) {
  const char* detail = ncclGetLastError(comm);
  const bool has_detail = detail != nullptr && *detail != '\0';
  return fmt::format("{}: {} ({}){}{}", call, ncclGetErrorString(result), static_cast<int>(result),
                     has_detail ? ": " : "", has_detail ? detail : "");
}

bool is_fine(ncclResult_t result) { return result == ncclSuccess || result == ncclInProgress; }

// Never throws: for destructors.
template <typename Text>
void warn(const Text& text) noexcept {
  try {
    logger("comm")->warn("while cleaning up: {}", text());
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
  }
}

}  // namespace

void check_cuda(cudaError_t result, const char* call) {
  if (result == cudaSuccess) return;
  // The error also stays behind in CUDA's own state, where an innocent later call would find it.
  static_cast<void>(cudaGetLastError());
  throw internal::TransportError(text_of(result, call));
}

void check_nccl(ncclResult_t result, const char* call, ncclComm_t comm) {
  if (!is_fine(result)) throw internal::TransportError(text_of(result, call, comm));
}

void warn_cuda(cudaError_t result, const char* call) noexcept {
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  warn([&] { return text_of(result, call); });
}

void warn_nccl(ncclResult_t result, const char* call) noexcept {
  if (!is_fine(result)) warn([&] { return text_of(result, call, nullptr); });
}

}  // namespace convoy::comm::nccl
