// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/ledger_file.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"

namespace convoy::trainer::privacy {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kHashDigits = 16;

[[noreturn]] void throw_system_error(const std::string& what, const fs::path& path) {
  const int error = errno;
  throw std::runtime_error(what + " " + path.string() + ": " + std::strerror(error));
}

std::uint64_t chained(std::string_view body, std::uint64_t before) {
  return hash64(std::as_bytes(std::span(body)), before);
}

std::string line_of(std::string_view body, std::uint64_t hash) {
  return fmt::format("{}\t{}\n", body, to_hex(hash));
}

/// True when all bytes are written.
bool write_at(int fd, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
  return true;
}

void require_private(int fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_system_error("cannot look at", path);
  require_config(S_ISREG(status.st_mode), path.string() + " is no plain file");
  require_config(status.st_uid == ::geteuid(),
                 path.string() + " belongs to another user than the one that runs this");
  const unsigned mode = status.st_mode & 07777U;
  require_config(
      (mode & 077U) == 0,
      fmt::format("{} has mode {:04o}: others than its owner can get at it; chmod 600 it "
                  "when you know that nobody has changed it",
                  path.string(), mode));
}

/// Never through a symbolic link.
int open_private(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  const int error = errno;
  if (fd < 0) {
    throw ConfigError("cannot open the ledger " + path.string() + ": " +
                      (error == ELOOP ? "it is a symbolic link" : std::strerror(error)));
  }
  try {
    require_private(fd, path);
  } catch (...) {
    ::close(fd);
    throw;
  }
  return fd;
}

std::string read_all(int fd, const fs::path& path) {
  std::string text;
  char piece[1 << 16];
  for (;;) {
    const ssize_t got = ::pread(fd, piece, sizeof piece, static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error("cannot read", path);
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

LedgerFile::Content parse(std::string_view text, const fs::path& path) {
  LedgerFile::Content content;
  while (content.whole_bytes < text.size()) {
    const std::string_view rest = text.substr(content.whole_bytes);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = rest.substr(0, end);
    const auto where = fmt::format("{}:{}", path.string(), content.bodies.size() + 1);
    const std::size_t tab = line.size() > kHashDigits ? line.size() - kHashDigits - 1 : 0;
    const std::string_view body = line.substr(0, tab);
    const std::uint64_t hash = chained(body, content.chain);
    require_config(line.substr(tab) == fmt::format("\t{}", to_hex(hash)),
                   where +
                       ": the ledger is damaged: this record is not what was written after "
                       "those before it");
    content.bodies.emplace_back(body);
    content.chain = hash;
    content.whole_bytes += end + 1;
  }
  content.torn_bytes = text.size() - content.whole_bytes;
  require_config(!content.bodies.empty(), path.string() + ": the ledger is damaged: it is empty");
  return content;
}

void lock(int fd, const fs::path& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) throw_system_error("cannot lock", path);
  throw ConfigError("another process holds the ledger " + path.string() +
                    ": a site spends its budget in one place at a time");
}

[[noreturn]] void cannot_begin(const fs::path& path, int error) {
  throw ConfigError("cannot begin the ledger " + path.string() + ": " + std::strerror(error));
}

}  // namespace

bool LedgerFile::create(const fs::path& path, std::string_view first_body) {
  const fs::path temporary = path.string() + ".tmp." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        S_IRUSR | S_IWUSR);
  if (fd < 0) cannot_begin(path, errno);
  const bool written = write_at(fd, line_of(first_body, chained(first_body, 0)), 0) &&
                       ::fchmod(fd, S_IRUSR | S_IWUSR) == 0 && ::fsync(fd) == 0;
  const int write_error = errno;
  ::close(fd);
  // Unlike rename() this does not replace what another process has begun meanwhile.
  const bool linked = written && ::link(temporary.c_str(), path.c_str()) == 0;
  const int link_error = errno;
  ::unlink(temporary.c_str());
  const int error = written ? link_error : write_error;
  if (!linked && (!written || error != EEXIST)) cannot_begin(path, error);
  if (linked) sync_folder(path.has_parent_path() ? path.parent_path() : ".");
  return linked;
}

LedgerFile::LedgerFile(const fs::path& path) : path_(path), fd_(open_private(path, O_RDWR)) {
  try {
    lock(fd_, path);
    content_ = parse(read_all(fd_, path), path);
    if (content_.torn_bytes > 0) {
      logger("trainer")->warn("{}: took off {} bytes of a record that a crash has cut short",
                              path.string(), content_.torn_bytes);
      if (::ftruncate(fd_, static_cast<off_t>(content_.whole_bytes)) != 0 || ::fsync(fd_) != 0) {
        throw_system_error("cannot repair", path);
      }
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
  end_ = content_.whole_bytes;
  chain_ = content_.chain;
}

LedgerFile::LedgerFile(LedgerFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      content_(std::move(other.content_)),
      end_(other.end_),
      chain_(other.chain_),
      is_broken_(other.is_broken_) {}

LedgerFile::~LedgerFile() {
  if (fd_ >= 0) ::close(fd_);
}

LedgerFile::Content LedgerFile::read(const fs::path& path) {
  const int fd = open_private(path, O_RDONLY);
  try {
    Content content = parse(read_all(fd, path), path);
    ::close(fd);
    return content;
  } catch (...) {
    ::close(fd);
    throw;
  }
}

void LedgerFile::append(std::string_view body) {
  require(fd_ >= 0, "LedgerFile::append: moved from");
  require(body.find('\n') == std::string_view::npos, "LedgerFile::append: one line");
  if (is_broken_)
    throw std::runtime_error("the ledger " + path_.string() + " could not be written before");
  const std::uint64_t hash = chained(body, chain_);
  const std::string line = line_of(body, hash);
  is_broken_ = true;
  if (!write_at(fd_, line, end_)) throw_system_error("cannot write", path_);
  if (::fdatasync(fd_) != 0) throw_system_error("cannot fdatasync", path_);
  is_broken_ = false;
  end_ += line.size();
  chain_ = hash;
}

}  // namespace convoy::trainer::privacy
