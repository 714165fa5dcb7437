// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::trainer::privacy {

/// A text file of records that only grows and that one process holds at a time. Each line is
///   body TAB hash NEWLINE
/// where `hash` is 16 hexadecimal digits of XXH3 over the body, seeded with the hash of the line
/// before: what is changed, missing or inserted inside is found. (Not what is cut off at the end of
/// a line: no file can know that alone. And not who did it: the file is its owner's.)
///
/// A last line without its newline is an append that a crash has cut short. append() had not
/// returned then, so nothing that waits for it has happened; open() takes it off.
class LedgerFile {
 public:
  struct Content {
    std::vector<std::string> bodies;
    std::size_t whole_bytes = 0;  ///< of whole lines
    std::size_t torn_bytes = 0;   ///< after them
    std::uint64_t chain = 0;      ///< hash of the last line
  };

  /// Begins a file of mode 0600 with one line; it is on disk, whole, or not there at all.
  /// @return false where `path` exists already. @throws ConfigError with the system's reason.
  static bool create(const std::filesystem::path& path, std::string_view first_body);

  /// Opens it, and locks it until it is destroyed.
  /// @throws ConfigError in one line: not there, no plain file, another owner's, readable or
  ///   writable by others than its owner, held by another process, damaged.
  explicit LedgerFile(const std::filesystem::path& path);
  LedgerFile(LedgerFile&& other) noexcept;
  LedgerFile& operator=(LedgerFile&&) = delete;
  ~LedgerFile();

  /// Looks at it without holding it; somebody may be appending. @throws ConfigError as above.
  [[nodiscard]] static Content read(const std::filesystem::path& path);

  /// Lines at the time of opening.
  [[nodiscard]] const Content& content() const { return content_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Returns when the line is on stable storage (fdatasync). @throws std::runtime_error otherwise;
  /// then nothing can be appended any more, as nobody knows what the disk holds.
  void append(std::string_view body);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  Content content_;
  std::size_t end_ = 0;
  std::uint64_t chain_ = 0;
  bool is_broken_ = false;
};

}  // namespace convoy::trainer::privacy
