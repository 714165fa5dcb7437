// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/errors.h"

namespace convoy {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  /// Closes now and returns close()'s result: some file systems report a full disk only here.
  [[nodiscard]] int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

[[noreturn]] void throw_system_error(const std::string& what, const std::filesystem::path& path) {
  const int error = errno;
  throw std::runtime_error(what + " " + path.string() + ": " + std::strerror(error));
}

void write_all(int file, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_system_error("cannot write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

constexpr mode_t kUsual = 0644;
constexpr mode_t kPrivate = 0600;
constexpr mode_t kOthers = 0077;

void write_durably(const std::filesystem::path& path, std::span<const std::byte> bytes,
                   mode_t mode) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (file.get() < 0) throw_system_error("cannot create", path);
  // One that a crash has left may have any mode.
  if (mode == kPrivate && ::fchmod(file.get(), mode) != 0) throw_system_error("cannot chmod", path);
  write_all(file.get(), bytes, path);
  if (::fsync(file.get()) != 0) throw_system_error("cannot fsync", path);
  if (file.close() != 0) throw_system_error("cannot close", path);
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) throw_system_error("cannot fsync", folder);
}

void sync_file(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) throw_system_error("cannot fsync", path);
}

namespace {

std::string temporary_beside(const std::filesystem::path& path) {
  return path.string() + ".tmp." + std::to_string(::getpid());
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

void replace_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                  mode_t mode) {
  const auto temporary = temporary_beside(path);
  try {
    write_durably(temporary, bytes, mode);
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      throw_system_error("cannot rename to", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder_of(path));
}

}  // namespace

void write_file_atomic(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  replace_file(path, bytes, kUsual);
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kUsual);
  if (fd_ < 0) throw_system_error("cannot create", temporary_);
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) { write_all(fd_, bytes, temporary_); }

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) throw_system_error("cannot fsync", temporary_);
  if (::close(std::exchange(fd_, -1)) != 0) throw_system_error("cannot close", temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw_system_error("cannot rename to", path_);
  }
  temporary_.clear();
  sync_folder(folder_of(path_));
}

void write_private_file_atomic(const std::filesystem::path& path,
                               std::span<const std::byte> bytes) {
  replace_file(path, bytes, kPrivate);
}

void create_private_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const auto temporary = temporary_beside(path);
  try {
    write_durably(temporary, bytes, kPrivate);
    // Unlike rename(), link() does not replace.
    if (::link(temporary.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) throw ConfigError(path.string() + " exists already and is kept");
      throw_system_error("cannot create", path);
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  ::unlink(temporary.c_str());
  sync_folder(folder_of(path));
}

void require_writable(const std::filesystem::path& path) {
  require_config(!std::filesystem::is_directory(path),
                 "cannot write " + path.string() + ": it is a folder");
  const auto temporary = temporary_beside(path);
  const FileDescriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kUsual));
  const int error = errno;
  require_config(file.get() >= 0, "cannot write " + path.string() + ": " + std::strerror(error));
  ::unlink(temporary.c_str());
}

void write_file_atomic(const std::filesystem::path& path, const std::string& text) {
  write_file_atomic(path, std::as_bytes(std::span(text)));
}

namespace {

FileDescriptor open_to_read(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw ConfigError("cannot open " + path.string() + ": " + std::strerror(errno));
  return FileDescriptor(fd);
}

/// Of the open file, so that nobody can exchange it between the check and the reading.
void require_private(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system_error("cannot stat", path);
  if ((status.st_mode & kOthers) == 0) return;
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(status.st_mode & 07777));
  throw ConfigError(path.string() + " has mode " + mode +
                    ": others than its owner can get at it; chmod 600 " + path.string());
}

template <typename Container>
Container read_all(const FileDescriptor& file, const std::filesystem::path& path) {
  Container content;
  constexpr std::size_t kStep = 1 << 20;
  for (;;) {
    const std::size_t used = content.size();
    content.resize(used + kStep);
    const ssize_t got = ::read(file.get(), content.data() + used, kStep);
    if (got < 0 && errno != EINTR) {
      throw ConfigError("cannot read " + path.string() + ": " + std::strerror(errno));
    }
    content.resize(used + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) return content;
  }
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  return read_all<std::vector<std::byte>>(open_to_read(path), path);
}

std::vector<std::byte> read_private_file(const std::filesystem::path& path) {
  const FileDescriptor file = open_to_read(path);
  require_private(file, path);
  return read_all<std::vector<std::byte>>(file, path);
}

std::string read_text_file(const std::filesystem::path& path) {
  return read_all<std::string>(open_to_read(path), path);
}

}  // namespace convoy
