// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace convoy::trainer::internal {

/// A file that is read once from front to back and decompressed on the way if it is gzip (.gz, or
/// .dz of dictzip). Memory follows what the file holds, never what a header in it promises.
class GzipFile {
 public:
  /// @throws ConfigError: missing, not a file, unreadable, or named .gz or .dz and no gzip data.
  explicit GzipFile(std::filesystem::path path);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Size of the content by the file's own word, without reading it: exact for a plain file; for
  /// gzip the last four bytes, so modulo 2^32, of the last member only, noise in a truncated file.
  [[nodiscard]] std::uint64_t claimed_bytes() const;

  /// Fills `out`; fewer bytes than asked for mean that the file ends there.
  /// @throws ConfigError if the gzip data are corrupt or the system cannot read.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> out);

  /// The next `bytes` bytes, or all that are left.
  [[nodiscard]] std::vector<std::uint8_t> read_up_to(std::size_t bytes);

  /// The next `bytes` bytes. @throws ConfigError "path: truncated: `what` (`bytes` bytes), found
  /// n".
  [[nodiscard]] std::vector<std::uint8_t> read_exactly(std::size_t bytes, const std::string& what);

  /// @throws ConfigError if the last read() came short because the gzip data are cut off.
  void require_not_cut_off() const;

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };

  [[nodiscard]] int status() const;
  void check_status() const;

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::uint64_t bytes_read_ = 0;
  bool cut_off_ = false;
};

/// `folder`/`name` or `folder`/`name`.gz, whichever is there, the plain one first.
/// @throws ConfigError that names both, followed by `advice`.
[[nodiscard]] std::filesystem::path find_data_file(const std::filesystem::path& folder,
                                                   const std::string& name,
                                                   const std::string& advice);

}  // namespace convoy::trainer::internal
