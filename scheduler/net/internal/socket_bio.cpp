// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/socket_bio.h"

#include <sys/socket.h>

#include <cerrno>

namespace convoy::net::internal {
namespace {

using Method = Owned<BIO_METHOD, BIO_meth_free>;

TlsStream::Channel& channel_of(BIO* bio) {
  return *static_cast<TlsStream::Channel*>(BIO_get_data(bio));
}

bool may_retry(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int read_socket(BIO* bio, char* out, int size) {
  auto& channel = channel_of(bio);
  BIO_clear_retry_flags(bio);
  const auto count = ::recv(channel.descriptor, out, static_cast<std::size_t>(size), 0);
  if (count == 0) channel.at_end = true;
  if (count >= 0) return static_cast<int>(count);
  channel.error = errno;
  if (may_retry(errno)) BIO_set_retry_read(bio);
  return -1;
}

int write_socket(BIO* bio, const char* bytes, int size) {
  auto& channel = channel_of(bio);
  BIO_clear_retry_flags(bio);
  const auto count =
      ::send(channel.descriptor, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count >= 0) {
    channel.written += static_cast<std::uint64_t>(count);
    return static_cast<int>(count);
  }
  channel.error = errno;
  if (may_retry(errno)) BIO_set_retry_write(bio);
  return -1;
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_EOF:
      return channel_of(bio).at_end ? 1 : 0;
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
      return 1;
    default:
      return 0;
  }
}

Method new_method() {
  auto method = own_openssl<Method>(
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "convoy socket"), "BIO_meth_new");
  check_openssl(BIO_meth_set_read(method.get(), read_socket), "BIO_meth_set_read");
  check_openssl(BIO_meth_set_write(method.get(), write_socket), "BIO_meth_set_write");
  check_openssl(BIO_meth_set_ctrl(method.get(), control), "BIO_meth_set_ctrl");
  return method;
}

}  // namespace

Bio new_socket_bio(TlsStream::Channel& channel) {
  static const Method method = new_method();  // OpenSSL has few indices to give
  auto bio = own_openssl<Bio>(BIO_new(method.get()), "BIO_new");
  BIO_set_data(bio.get(), &channel);
  BIO_set_init(bio.get(), 1);
  return bio;
}

}  // namespace convoy::net::internal
