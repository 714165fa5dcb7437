// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/script_error.h"

#include <c10/util/Exception.h>

#include <string_view>

#include "trainer/checkpoint/internal/error_text.h"

namespace convoy::trainer::internal {

std::string script_error_line(const std::exception& error) {
  // "The following operation failed in the TorchScript interpreter.", the listing of the Python
  // code, and in the end what went wrong.
  constexpr std::string_view kReason = "RuntimeError: ";
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text =
      from_torch != nullptr ? from_torch->what_without_backtrace() : error.what();
  const auto reason = text.rfind(kReason);
  if (reason == std::string::npos) return one_line(error);
  const auto begin = reason + kReason.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace convoy::trainer::internal
