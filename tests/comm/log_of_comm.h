// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

#include "base/log.h"

namespace convoy::tests {

/// What the log of comm says while this lives.
class LogOfComm {
 public:
  LogOfComm() { logger("comm")->sinks().push_back(sink_); }
  ~LogOfComm() { logger("comm")->sinks().pop_back(); }
  LogOfComm(const LogOfComm&) = delete;
  LogOfComm& operator=(const LogOfComm&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::sinks::ostream_sink_mt> sink_ =
      std::make_shared<spdlog::sinks::ostream_sink_mt>(text_);
};

}  // namespace convoy::tests
