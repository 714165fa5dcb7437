// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <cstddef>
#include <utility>

namespace convoy::comm::tcp {

/// Owns one file descriptor and closes it.
class Descriptor {
 public:
  Descriptor() = default;
  /// Takes ownership; a negative number is none.
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    if (&other != this) other.close();
    return *this;
  }
  ~Descriptor() { close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/// Raises this process's own limit to the system's hard one where less than `more` can be opened;
/// what cannot be opened after all is an error where it is opened.
void allow_descriptors(std::size_t more);

}  // namespace convoy::comm::tcp
