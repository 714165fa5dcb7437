// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace convoy::trainer::internal {

/// What LibTorch complains about, as one line: without the C++ stack that c10::Error carries and
/// without the listing of Python code round a TorchScript error.
[[nodiscard]] std::string script_error_line(const std::exception& error);

}  // namespace convoy::trainer::internal
