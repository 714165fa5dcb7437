// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/errors.h"
#include "tests/temporary_folder.h"

namespace convoy::test {

/// A folder for data files.
class DataFolder : public tests::TemporaryFolder {
 public:
  std::string gzip_file(const std::string& name, const std::string& content) const {
    const std::string path = *this / name;
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    return path;
  }
  /// Cuts a file down to its first `bytes` bytes, or fills it up with zeros.
  void resize(const std::string& name, std::uintmax_t bytes) const {
    std::filesystem::resize_file(path() / name, bytes);
  }
};

/// The message of the ConfigError that `action` throws; it must be one line.
inline std::string config_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  ADD_FAILURE() << "no ConfigError";
  return "";
}

/// Four bytes, the highest first.
inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

/// Bytes that look random but are always the same.
inline std::string noise(std::size_t count, std::uint32_t seed = 1) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<char>(seed >> 24U);
  }
  return bytes;
}

}  // namespace convoy::test
