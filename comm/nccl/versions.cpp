// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>

#include "comm/nccl/nccl.h"

namespace convoy::comm::nccl {

std::string cuda_version_text(int code) {
  return fmt::format("{}.{}", code / 1000, code % 1000 / 10);
}

std::string nccl_version_text(int code) {
  return fmt::format("{}.{}.{}", code / 10000, code % 10000 / 100, code % 100);
}

}  // namespace convoy::comm::nccl
