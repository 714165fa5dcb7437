// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/log_capture.h"

#include <spdlog/sinks/base_sink.h>

#include <mutex>

#include "base/log.h"

namespace convoy::tests {
namespace {

class TextSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::string text() {
    const std::scoped_lock lock(mutex_);
    return text_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    text_.append(message.payload.data(), message.payload.size());
    text_ += '\n';
  }
  void flush_() override {}

  std::string text_;
};

/// In place of standard error, for the whole process.
TextSink& sink() {
  static const auto made = [] {
    auto text = std::make_shared<TextSink>();
    logger("net")->sinks() = {text};
    return text;
  }();
  return *made;
}

}  // namespace

LogCapture::LogCapture() : start_(sink().text().size()) {}

std::string LogCapture::text() const { return sink().text().substr(start_); }

}  // namespace convoy::tests
