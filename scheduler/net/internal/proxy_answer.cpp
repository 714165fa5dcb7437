// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/proxy_answer.h"

#include <spdlog/fmt/fmt.h>

#include "scheduler/net/internal/dial_steps.h"
#include "scheduler/net/subject.h"

namespace convoy::net::internal {
namespace {

constexpr std::string_view kStart = "HTTP/1.";
constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::size_t kCodeAt = 9;  // "HTTP/1.1 200 Connection established"

bool is_success(std::string_view line) {
  return line.size() >= kCodeAt + 3 && line[kCodeAt - 1] == ' ' && line[kCodeAt] == '2' &&
         (line.size() == kCodeAt + 3 || line[kCodeAt + 3] == ' ');
}

}  // namespace

std::string proxy_request(const HostPort& server) {
  const std::string to = text_of(server);
  return fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", to);
}

ProxyAnswer read_proxy_answer(std::string_view received) {
  const auto start = received.substr(0, kStart.size());
  if (start != kStart.substr(0, start.size())) return {true, "this is no HTTP proxy"};
  const auto end = received.find(kEnd);
  if (end == std::string_view::npos) {
    if (received.size() < kMaxProxyAnswerBytes) return {};
    return {true, fmt::format("its answer has more than {} bytes", kMaxProxyAnswerBytes)};
  }
  const auto line = received.substr(0, received.find("\r\n"));
  if (!is_success(line)) return {true, fmt::format("it has answered \"{}\"", printable(line, 100))};
  // The server speaks when it has been spoken to: these bytes would be the proxy's own.
  if (end + kEnd.size() != received.size()) return {true, "it has said more than its answer"};
  return {true, ""};
}

}  // namespace convoy::net::internal
