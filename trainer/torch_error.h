// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/Exception.h>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

namespace convoy::trainer {

/// what(), but of LibTorch's errors without the C++ stack that they carry. May have many lines.
[[nodiscard]] inline std::string text_without_stack(const std::exception& error) {
  const auto* from_torch = dynamic_cast<const c10::Error*>(&error);
  return from_torch != nullptr ? from_torch->what_without_backtrace() : error.what();
}

/// What went wrong, in one line: without the stack and the source position that LibTorch adds.
[[nodiscard]] inline std::string one_line(const std::exception& error) {
  std::string text = text_without_stack(error);
  // "[enforce fail at inline_container.cc:147] . PytorchStreamReader failed ..."
  constexpr std::string_view kPositionEnd = "] . ";
  const auto position = text.find(kPositionEnd);
  if (text.starts_with("[enforce fail") && position != std::string::npos) {
    text.erase(0, position + kPositionEnd.size());
  }
  text.erase(std::min(text.find('\n'), text.size()));
  return text;
}

}  // namespace convoy::trainer
