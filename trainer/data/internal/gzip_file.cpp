// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/gzip_file.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

constexpr std::size_t kStepBytes = std::size_t{1} << 20;
constexpr unsigned kBufferBytes = 1U << 18;

bool named_gzip(const std::filesystem::path& path) {
  return path.extension() == ".gz" || path.extension() == ".dz";
}

}  // namespace

GzipFile::GzipFile(std::filesystem::path path) : path_(path.string()) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (!std::filesystem::exists(status)) throw ConfigError(path_ + ": no such file");
  // A pipe or a device would block, or never end.
  if (!std::filesystem::is_regular_file(status)) throw ConfigError(path_ + ": not a file");
  file_.reset(gzopen(path_.c_str(), "rbe"));
  if (!file_) throw ConfigError(path_ + ": cannot open: " + std::strerror(errno));
  gzbuffer(file_.get(), kBufferBytes);
  if (named_gzip(path) && gzdirect(file_.get()) != 0) {
    throw ConfigError(path_ + ": not gzip data, though its name says so");
  }
}

std::uint64_t GzipFile::claimed_bytes() const {
  std::error_code error;
  const std::uint64_t on_disk = std::filesystem::file_size(path_, error);
  if (error) return 0;
  if (gzdirect(file_.get()) != 0) return on_disk;
  std::array<unsigned char, 4> trailer{};
  std::ifstream file(path_, std::ios::binary);
  file.seekg(-static_cast<std::streamoff>(trailer.size()), std::ios::end);
  file.read(reinterpret_cast<char*>(trailer.data()), trailer.size());
  return trailer[0] | (trailer[1] << 8U) | (trailer[2] << 16U) | (std::uint64_t{trailer[3]} << 24U);
}

std::size_t GzipFile::read(std::span<std::uint8_t> out) {
  std::size_t used = 0;
  while (used < out.size()) {
    const auto step = static_cast<unsigned>(std::min(out.size() - used, kStepBytes));
    const int got = gzread(file_.get(), out.data() + used, step);
    check_status();
    if (got <= 0) break;
    used += static_cast<std::size_t>(got);
  }
  bytes_read_ += used;
  cut_off_ = used < out.size() && status() == Z_BUF_ERROR;
  return used;
}

int GzipFile::status() const {
  int code = Z_OK;
  (void)gzerror(file_.get(), &code);
  return code;
}

void GzipFile::check_status() const {
  int code = Z_OK;
  std::string reason = gzerror(file_.get(), &code);
  // zlib reads ahead: the data may break off (Z_BUF_ERROR) behind what was asked for.
  if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR) return;
  if (code == Z_ERRNO) throw ConfigError(path_ + ": cannot read: " + std::strerror(errno));
  // zlib puts the path in front of its reason.
  if (reason.starts_with(path_ + ": ")) reason.erase(0, path_.size() + 2);
  throw ConfigError(path_ + ": corrupt gzip data: " + reason);
}

std::vector<std::uint8_t> GzipFile::read_up_to(std::size_t bytes) {
  std::vector<std::uint8_t> content;
  while (content.size() < bytes) {
    const std::size_t used = content.size();
    const std::size_t step = std::min(bytes - used, kStepBytes);
    content.resize(used + step);
    const std::size_t got = read(std::span(content).subspan(used));
    content.resize(used + got);
    if (got < step) break;
  }
  return content;
}

std::vector<std::uint8_t> GzipFile::read_exactly(std::size_t bytes, const std::string& what) {
  auto content = read_up_to(bytes);
  if (content.size() < bytes) {
    throw ConfigError(
        fmt::format("{}: truncated: {} ({} bytes), found {}", path_, what, bytes, content.size()));
  }
  return content;
}

void GzipFile::require_not_cut_off() const {
  if (!cut_off_) return;
  throw ConfigError(
      fmt::format("{}: truncated: the gzip data break off after {} bytes", path_, bytes_read_));
}

std::filesystem::path find_data_file(const std::filesystem::path& folder, const std::string& name,
                                     const std::string& advice) {
  std::error_code ignored;
  for (const char* ending : {"", ".gz"}) {
    auto path = folder / (name + ending);
    if (std::filesystem::exists(path, ignored)) return path;
  }
  throw ConfigError(
      fmt::format("{}: no {} or {}.gz there; {}", folder.string(), name, name, advice));
}

}  // namespace convoy::trainer::internal
