// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/data_identity.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "base/sha256.h"

namespace convoy::trainer::privacy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStep = std::size_t{1} << 20U;
/// 128 bits: nobody finds two data sets of one name.
constexpr std::size_t kDigits = 32;

/// Parts one after the other, each behind its length: no two lists of parts give the same bytes.
class Identity {
 public:
  explicit Identity(std::string_view kind) { add(kind); }

  void add(std::string_view text) {
    const std::string length = fmt::format("{}:", text.size());
    hash_.add(std::as_bytes(std::span(length)));
    hash_.add(std::as_bytes(std::span(text)));
  }
  void add_file(const fs::path& path);
  [[nodiscard]] std::string name() const { return to_hex(hash_.digest()).substr(0, kDigits); }

 private:
  Sha256Stream hash_;
};

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail();
  }
  ~OpenFile() { ::close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  /// @return how many bytes there were; 0 at the end.
  [[nodiscard]] std::size_t read(std::span<std::byte> out) const {
    for (;;) {
      const ssize_t got = ::read(fd_, out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail();
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw ConfigError("cannot read " + path_.string() + ": " + std::strerror(errno));
  }

  const fs::path path_;
  const int fd_;
};

/// The content has a hash of its own: its length is known only at its end.
void Identity::add_file(const fs::path& path) {
  const OpenFile file(path);
  Sha256Stream content;
  std::vector<std::byte> step(kStep);
  for (;;) {
    const std::size_t got = file.read(step);
    if (got == 0) break;
    content.add(std::span(step).first(got));
  }
  add(to_hex(content.digest()));
}

/// By relative path. Folders behind a symbolic link count, as readers of data follow it too.
std::map<std::string, fs::path> files_of(const fs::path& folder) {
  std::map<std::string, fs::path> files;
  try {
    const auto options = fs::directory_options::follow_directory_symlink;
    for (const auto& entry : fs::recursive_directory_iterator(folder, options)) {
      if (!entry.is_regular_file()) continue;
      files.emplace(entry.path().lexically_relative(folder).generic_string(), entry.path());
    }
  } catch (const fs::filesystem_error& error) {
    throw ConfigError(
        fmt::format("cannot read the folder {}: {}", folder.string(), error.code().message()));
  }
  return files;
}

}  // namespace

std::string identity_of_files(const fs::path& data, std::string_view share) {
  std::error_code ignored;
  if (!fs::is_directory(data, ignored)) {
    Identity identity("file");  // its name says nothing of the records
    identity.add_file(data);
    identity.add(share);
    return identity.name();
  }
  Identity identity("folder");
  for (const auto& [name, path] : files_of(data)) {
    identity.add(name);
    identity.add_file(path);
  }
  identity.add(share);
  return identity.name();
}

std::string identity_of_made_data(std::string_view description, std::string_view share) {
  Identity identity("made");
  identity.add(description);
  identity.add(share);
  return identity.name();
}

}  // namespace convoy::trainer::privacy
