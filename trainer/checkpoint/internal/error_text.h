// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace convoy::trainer::internal {

/// What went wrong, in one line: without the backtrace and source position that LibTorch adds.
[[nodiscard]] std::string one_line(const std::exception& error);

}  // namespace convoy::trainer::internal
