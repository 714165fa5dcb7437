// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace convoy::trainer::internal {

inline constexpr const char* kManifestName = "manifest.json";

/// One file of a checkpoint.
struct FileEntry {
  std::string name;
  std::uint64_t bytes = 0;
  std::string hash;       ///< XXH3 of the content, 16 hexadecimal digits
  bool at_rank_0 = true;  ///< rank 0 saw it when it wrote the manifest (one shared file system)
};

/// What manifest.json says: all small numbers of a checkpoint, and its files.
struct Manifest {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::int64_t position = 0;
  int ranks = 0;
  std::string identity;
  /// A checkpoint of a step that has one already gets the next revision, and files of other names:
  /// so the old one stays whole until the new manifest replaces the old.
  int revision = 0;
  std::int64_t parameters = 0;  ///< so many first entries of the model file; the rest are buffers
  std::vector<FileEntry> files;
  std::vector<std::map<std::string, double>> counters;  ///< [ranks]

  [[nodiscard]] const FileEntry* find(const std::string& name) const;
};

/// "model" -> "model.pt", or "model.<revision>.pt" from revision 1 on.
[[nodiscard]] std::string file_name(const std::string& stem, int revision);

[[nodiscard]] std::string to_json(const Manifest& manifest);
/// @throws ConfigError, without naming the file, when it is damaged, not convoy's or too new.
[[nodiscard]] Manifest parse_manifest(const std::string& text);

/// What is wrong with the file in `folder`, by its size alone; nothing when it fits.
[[nodiscard]] std::optional<std::string> size_problem(const std::filesystem::path& folder,
                                                      const FileEntry& entry);
/// Reads the file. @throws ConfigError, without naming the folder, when size or hash are wrong.
[[nodiscard]] std::vector<std::byte> read_checked(const std::filesystem::path& folder,
                                                  const FileEntry& entry);

}  // namespace convoy::trainer::internal
