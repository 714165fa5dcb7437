// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/internal/error_text.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <string_view>

namespace convoy::trainer::internal {

std::string one_line(const std::exception& error) {
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  std::string text = from_torch != nullptr ? from_torch->what_without_backtrace() : error.what();
  // "[enforce fail at inline_container.cc:147] . PytorchStreamReader failed ..."
  constexpr std::string_view kPositionEnd = "] . ";
  const auto position = text.find(kPositionEnd);
  if (text.starts_with("[enforce fail") && position != std::string::npos) {
    text.erase(0, position + kPositionEnd.size());
  }
  text.erase(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace convoy::trainer::internal
