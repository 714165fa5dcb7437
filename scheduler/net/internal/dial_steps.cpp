// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/dial_steps.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>

#include "scheduler/net/internal/asio_connection.h"
#include "scheduler/net/internal/proxy_answer.h"
#include "scheduler/net/tls_settings.h"

namespace convoy::net::internal {
namespace {

std::string reason(const ErrorCode& error) {
  if (error == asio::error::timed_out) return "no answer in time";
  if (error == asio::error::operation_aborted) return "cancelled";
  if (error == asio::error::eof) return "the connection was closed";
  return error.message();
}

[[noreturn]] void fail(const std::string& step, const std::string& place, const std::string& why,
                       bool is_final = false) {
  throw DialError(fmt::format("{} {}: {}", step, place, why), is_final);
}

/// What comes before the end of the proxy's answer, in pieces: the TLS bytes behind it are not
/// ours.
ErrorCode read_answer(StepWaiter& waiter, Tcp::socket& socket, Clock::time_point deadline,
                      std::string& answer) {
  const auto buffer = std::make_shared<std::array<char, 1024>>();
  const auto count = std::make_shared<std::size_t>(0);
  const auto error = waiter.wait(deadline, [&](auto done) {
    socket.async_read_some(asio::buffer(*buffer),
                           [done, buffer, count](const ErrorCode& code, std::size_t bytes) {
                             *count = bytes;
                             done(code);
                           });
  });
  if (!error) answer.append(buffer->data(), *count);
  return error;
}

}  // namespace

std::string text_of(const HostPort& place) {
  const bool is_v6 = place.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", place.host, place.port)
               : fmt::format("{}:{}", place.host, place.port);
}

std::vector<Tcp::endpoint> resolve(StepWaiter& waiter, const HostPort& place,
                                   std::chrono::milliseconds limit) {
  ErrorCode is_name;
  const auto address = asio::ip::make_address(place.host, is_name);
  if (!is_name) return {{address, place.port}};
  const auto resolver = std::make_shared<Tcp::resolver>(waiter.context());
  const auto found = std::make_shared<std::vector<Tcp::endpoint>>();
  const auto error = waiter.wait(Clock::now() + limit, [&](auto done) {
    resolver->async_resolve(place.host, std::to_string(place.port),
                            [=](const ErrorCode& code, const Tcp::resolver::results_type& results) {
                              for (const auto& result : results)
                                found->push_back(result.endpoint());
                              done(code);
                            });
  });
  if (error) resolver->cancel();
  if (error) fail("resolve", place.host, reason(error));
  if (found->empty()) fail("resolve", place.host, "it has no address");
  return *found;
}

Tcp::socket connect(StepWaiter& waiter, const std::vector<Tcp::endpoint>& addresses,
                    const HostPort& place, std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::string reasons;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = Clock::now();
    const auto share = (end - now) / static_cast<int>(addresses.size() - i);
    Tcp::socket socket(waiter.context());
    const auto error = waiter.wait(
        now + share, [&](auto done) { socket.async_connect(addresses[i], std::move(done)); });
    if (!error) return socket;
    reasons += fmt::format("{}{}: {}", i == 0 ? "" : "; ", text_of(addresses[i]), reason(error));
    if (error == asio::error::operation_aborted) break;
  }
  fail("connect", text_of(place), reasons);
}

void ask_proxy(StepWaiter& waiter, Tcp::socket& socket, const HostPort& proxy,
               const HostPort& server, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const auto request = std::make_shared<std::string>(proxy_request(server));
  auto error = waiter.wait(deadline, [&](auto done) {
    asio::async_write(socket, asio::buffer(*request),
                      [done, request](const ErrorCode& code, std::size_t) { done(code); });
  });
  std::string received;
  ProxyAnswer answer;
  while (!error && !answer.is_whole) {
    error = read_answer(waiter, socket, deadline, received);
    if (!error) answer = read_proxy_answer(received);
  }
  if (error) fail("proxy", text_of(proxy), reason(error));
  if (!answer.problem.empty()) fail("proxy", text_of(proxy), answer.problem);
}

std::unique_ptr<TlsStream> shake_hands(StepWaiter& waiter, Tcp::socket& socket, SSL_CTX& context,
                                       const HostPort& server, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto tls = std::make_unique<TlsStream>(context, socket.native_handle(), TlsStream::End::kClient);
  tls->ask_for(server.host);
  for (;;) {
    const auto outcome = tls->handshake();
    if (outcome == TlsOutcome::kDone) return tls;
    if (outcome != TlsOutcome::kWantRead && outcome != TlsOutcome::kWantWrite) {
      const bool is_other = !refusal_in_handshake(tls->ssl()).empty();
      fail("handshake with", text_of(server), tls->problem(), is_other);
    }
    const auto what =
        outcome == TlsOutcome::kWantRead ? Tcp::socket::wait_read : Tcp::socket::wait_write;
    const auto error =
        waiter.wait(deadline, [&](auto done) { socket.async_wait(what, std::move(done)); });
    if (error) fail("handshake with", text_of(server), reason(error));
  }
}

}  // namespace convoy::net::internal
