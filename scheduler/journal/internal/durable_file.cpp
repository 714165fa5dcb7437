// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/internal/durable_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace convoy::scheduler::journal {

StorageError::StorageError(const std::string& operation, const std::filesystem::path& path,
                           int code)
    : std::runtime_error("cannot " + operation + " " + path.string() + ": " + std::strerror(code)),
      code_(code) {}

bool StorageError::is_full() const { return code_ == ENOSPC || code_ == EDQUOT; }

namespace internal {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

}  // namespace

DurableFile::DurableFile(std::filesystem::path path, int flags) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, kFileMode);
  if (fd_ < 0) throw StorageError("open", path_, errno);
}

DurableFile& DurableFile::operator=(DurableFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

DurableFile::~DurableFile() {
  if (fd_ >= 0) ::close(fd_);
}

DurableFile DurableFile::create(const std::filesystem::path& path) {
  DurableFile file(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL);
  // Whatever the umask says.
  if (::fchmod(file.fd_, kFileMode) != 0) throw StorageError("chmod", path, errno);
  return file;
}

DurableFile DurableFile::open(const std::filesystem::path& path, bool writable) {
  return {path, writable ? O_RDWR | O_APPEND : O_RDONLY};
}

void DurableFile::write(std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw StorageError("write", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void DurableFile::sync() const {
  if (::fdatasync(fd_) != 0) throw StorageError("sync", path_, errno);
}

void DurableFile::start_writing(std::uint64_t offset, std::uint64_t bytes) const {
  // Only a hint: sync() says whether it worked.
  (void)::sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(bytes),
                          SYNC_FILE_RANGE_WRITE);
}

void DurableFile::cut(std::uint64_t size) const {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) throw StorageError("cut", path_, errno);
  sync();
}

std::uint64_t DurableFile::size() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) throw StorageError("look at", path_, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

std::size_t DurableFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw StorageError("read", path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

bool DurableFile::try_lock() const {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) throw StorageError("lock", path_, errno);
  return false;
}

void sync_names(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw StorageError("open", folder, errno);
  const int failed = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failed != 0) throw StorageError("sync", folder, failed);
}

void make_private_folder(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    if (!std::filesystem::is_directory(parent, error)) make_private_folder(parent);
    if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      throw StorageError("make folder", path, errno);
    }
  }
  if (::chmod(path.c_str(), kFolderMode) != 0) throw StorageError("chmod", path, errno);
  // Also where it was there already: a crash may have come before this line.
  sync_names(parent);
}

void replace_file(const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> parts) {
  const std::filesystem::path temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  try {
    const DurableFile file = DurableFile::create(temporary);
    for (const auto part : parts) file.write(part);
    file.sync();
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  move_file(temporary, path);
}

void move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw StorageError("rename to", to, errno);
  sync_names(to.parent_path());
}

std::vector<std::byte> read_all(const std::filesystem::path& path) {
  const DurableFile file = DurableFile::open(path, false);
  std::vector<std::byte> bytes(file.size());
  bytes.resize(file.read(0, bytes));
  return bytes;
}

}  // namespace internal
}  // namespace convoy::scheduler::journal
