// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace convoy::tests {

/// What logger("net") has written since this was made. Make it before anything that logs.
class LogCapture {
 public:
  LogCapture();
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool holds(const std::string& part) const {
    return text().find(part) != std::string::npos;
  }

 private:
  std::size_t start_;
};

}  // namespace convoy::tests
