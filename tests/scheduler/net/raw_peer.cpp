// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/net/raw_peer.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace convoy::tests {
namespace {

sockaddr_in loopback(std::uint16_t port, const char* host = "127.0.0.1") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  (void)::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

int new_socket() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw std::runtime_error("socket");
  return descriptor;
}

void limit_waiting(int descriptor) {
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  (void)::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

}  // namespace

RawSocket::RawSocket(std::uint16_t port, const char* from) : RawSocket(Take{new_socket()}) {
  const auto own = loopback(0, from);
  const auto address = loopback(port);
  if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0 ||
      ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("connect");
  }
}

RawSocket::RawSocket(Take take) : descriptor_(take.descriptor) { limit_waiting(descriptor_); }

RawSocket RawSocket::of(int descriptor) { return RawSocket(Take{descriptor}); }

RawSocket::RawSocket(RawSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

RawSocket::~RawSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RawSocket::write(const std::string& text) {
  return ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

std::string RawSocket::read(std::size_t most) {
  std::string text;
  std::string piece(most, '\0');
  while (text.size() < most) {
    const auto count = ::recv(descriptor_, piece.data(), most - text.size(), 0);
    if (count <= 0) break;
    text.append(piece, 0, static_cast<std::size_t>(count));
  }
  return text;
}

RawPeer::RawPeer(std::uint16_t port, const net::Credentials& own)
    : RawPeer(RawSocket(port), own, false) {}

RawPeer::RawPeer(RawSocket socket, const net::Credentials& own, bool is_server)
    : socket_(std::move(socket)),
      context_(foreign_context(is_server, own)),
      ssl_(SSL_new(context_.get())) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets raise it
  SSL_set_fd(ssl_.get(), socket_.descriptor());
  is_up_ = (is_server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
  ERR_clear_error();
}

bool RawPeer::write(std::span<const std::byte> bytes) {
  ERR_clear_error();
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool RawPeer::write(const net::Message& message) {
  net::Bytes frame;
  (void)writer.write(net::type_of(message), net::encode(message), frame);
  return write(frame);
}

net::Bytes RawPeer::read_some() {
  ERR_clear_error();
  net::Bytes bytes(std::size_t{1} << 14);
  const int count = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (count <= 0 && SSL_get_error(ssl_.get(), count) != SSL_ERROR_ZERO_RETURN) {
    problem_ = net::internal::take_openssl_errors();
  }
  return bytes;
}

net::ReadFrames RawPeer::read_all() {
  net::Bytes all;
  for (;;) {
    const auto bytes = read_some();
    if (bytes.empty()) break;
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return net::read_frames(all, all.size() + 1);
}

std::string summary(const net::ReadFrames& frames, net::Party sender) {
  std::string text;
  for (const auto& frame : frames.frames) {
    text += text.empty() ? "" : ", ";
    text += net::to_text(frame.type);
    if (frame.type != net::MessageType::kRefusal) continue;
    const auto message = net::decode(frame.view(), sender);
    const auto& refusal = std::get<net::Refusal>(std::get<net::Message>(message));
    text += " " + std::string(net::to_text(refusal.code));
  }
  return frames.error ? text + " and no frame" : text;
}

RawServer::RawServer(Script script) : descriptor_(new_socket()) {
  auto address = loopback(0);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  if (::bind(descriptor_, any, size) != 0 || ::listen(descriptor_, 16) != 0 ||
      ::getsockname(descriptor_, any, &size) != 0) {
    throw std::runtime_error("listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this, script = std::move(script)] {
    for (;;) {
      const int accepted = ::accept(descriptor_, nullptr, nullptr);
      if (accepted < 0) return;
      script(RawSocket::of(accepted));
    }
  });
}

RawServer::~RawServer() {
  (void)::shutdown(descriptor_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(descriptor_);
}

}  // namespace convoy::tests
