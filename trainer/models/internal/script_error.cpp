// SPDX-License-Identifier: Apache-2.0
#include "trainer/models/internal/script_error.h"

#include <c10/util/Exception.h>

#include <string_view>

namespace convoy::trainer::internal {
namespace {

/// How the interpreter of TorchScript introduces the error proper, which ends its listing.
constexpr std::string_view kMarkers[] = {"RuntimeError: ", "Error: "};

}  // namespace

std::string script_error_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  if (text.find("TorchScript") != std::string::npos) {
    for (const auto marker : kMarkers) {
      const auto at = text.rfind(marker);
      if (at == std::string::npos) continue;
      text.erase(0, at + marker.size());
      break;
    }
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace convoy::trainer::internal
