// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/script_error.h"

#include <string_view>

#include "trainer/torch_error.h"

namespace convoy::trainer::internal {

std::string script_error_line(const std::exception& error) {
  // "The following operation failed in the TorchScript interpreter.", the listing of the Python
  // code, and in the end what went wrong.
  constexpr std::string_view kReason = "RuntimeError: ";
  const std::string text = text_without_stack(error);
  const auto reason = text.rfind(kReason);
  if (reason == std::string::npos) return one_line(error);
  const auto begin = reason + kReason.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace convoy::trainer::internal
