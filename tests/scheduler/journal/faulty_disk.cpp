// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/journal/faulty_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>

namespace convoy::tests::disk {
namespace fs = std::filesystem;
namespace {

struct Disk {
  std::mutex mutex;
  std::map<ino_t, std::uint64_t> durable;                       // bytes of files
  std::map<std::string, std::map<std::string, ino_t>> folders;  // names at their last sync
  std::int64_t syncs = 0;
  std::int64_t writes_until_failure = -1;
  std::int64_t syncs_until_failure = -1;
  int write_code = 0;
  int sync_code = 0;
  std::function<void()> before_sync;
};

Disk& disk() {
  static Disk one;
  return one;
}

std::string path_of(int fd) { return fs::read_symlink("/proc/self/fd/" + std::to_string(fd)); }

ino_t inode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void remember_sync(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return;
  if (S_ISREG(status.st_mode)) {
    disk().durable[status.st_ino] = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  const std::string folder = path_of(fd);
  auto& names = disk().folders[folder];
  names.clear();
  for (const auto& entry : fs::directory_iterator(folder)) {
    names[entry.path().filename()] = inode_of(entry.path());
  }
}

}  // namespace

void reset() {
  Disk& now = disk();
  const std::lock_guard lock(now.mutex);
  now.durable.clear();
  now.folders.clear();
  now.syncs = 0;
  now.writes_until_failure = now.syncs_until_failure = -1;
  now.before_sync = {};
}

void survive_power_failure(const fs::path& folder, const fs::path& to) {
  Disk& now = disk();
  const std::lock_guard lock(now.mutex);
  std::map<ino_t, fs::path> living;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    living[inode_of(entry.path())] = entry.path();
  }
  const std::function<void(const fs::path&, const fs::path&)> copy = [&](const fs::path& from,
                                                                         const fs::path& target) {
    fs::create_directory(target);
    for (const auto& [name, inode] : now.folders[fs::canonical(from)]) {
      const auto found = living.find(inode);
      if (found == living.end()) continue;  // removed since
      if (fs::is_directory(found->second)) {
        copy(found->second, target / name);
        continue;
      }
      const std::uint64_t bytes = now.durable.contains(inode) ? now.durable[inode] : 0;
      fs::copy_file(found->second, target / name);
      if (bytes < fs::file_size(target / name)) fs::resize_file(target / name, bytes);
    }
  };
  copy(folder, to);
}

std::int64_t syncs() {
  const std::lock_guard lock(disk().mutex);
  return disk().syncs;
}

void fail_write(std::int64_t n, int code) {
  const std::lock_guard lock(disk().mutex);
  disk().writes_until_failure = n;
  disk().write_code = code;
}

void fail_sync(std::int64_t n, int code) {
  const std::lock_guard lock(disk().mutex);
  disk().syncs_until_failure = n;
  disk().sync_code = code;
}

void before_sync(std::function<void()> hook) {
  const std::lock_guard lock(disk().mutex);
  disk().before_sync = std::move(hook);
}

namespace {

/// @return 0, or what the call fails with.
int next_sync() {
  std::function<void()> hook;
  {
    const std::lock_guard lock(disk().mutex);
    hook = disk().before_sync;
  }
  if (hook) hook();
  const std::lock_guard lock(disk().mutex);
  ++disk().syncs;
  if (disk().syncs_until_failure < 0 || disk().syncs_until_failure-- > 0) return 0;
  return disk().sync_code;
}

/// How much of `bytes` may be written; 0 where the call fails.
std::size_t next_write(std::size_t bytes) {
  const std::lock_guard lock(disk().mutex);
  auto& left = disk().writes_until_failure;
  if (left < -1) return 0;
  if (left == -1) return bytes;
  if (left-- > 0) return bytes;
  left = -2;  // the next one fails, and all after
  return bytes / 2;
}

}  // namespace
}  // namespace convoy::tests::disk

extern "C" {

int fdatasync(int fd) {
  using namespace convoy::tests::disk;
  if (const int code = next_sync(); code != 0) {
    errno = code;
    return -1;
  }
  const auto result = ::syscall(SYS_fdatasync, fd);
  const std::lock_guard lock(disk().mutex);
  if (result == 0) remember_sync(fd);
  return static_cast<int>(result);
}

int fsync(int fd) {
  using namespace convoy::tests::disk;
  const auto result = ::syscall(SYS_fsync, fd);
  const std::lock_guard lock(disk().mutex);
  if (result == 0) remember_sync(fd);
  return static_cast<int>(result);
}

ssize_t write(int fd, const void* data, std::size_t bytes) {
  using namespace convoy::tests::disk;
  struct stat status {};
  // Only files: the test's own output goes through.
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || bytes == 0) {
    return ::syscall(SYS_write, fd, data, bytes);
  }
  const std::size_t allowed = next_write(bytes);
  if (allowed == 0) {
    errno = disk().write_code;
    return -1;
  }
  return ::syscall(SYS_write, fd, data, allowed);
}

}  // extern "C"
