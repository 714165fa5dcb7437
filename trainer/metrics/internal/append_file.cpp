// SPDX-License-Identifier: Apache-2.0
#include "trainer/metrics/internal/append_file.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace convoy::trainer::internal {
namespace {

[[noreturn]] void throw_system_error(const std::string& what, const std::filesystem::path& path) {
  throw std::runtime_error(what + " " + path.string() + ": " + std::strerror(errno));
}

}  // namespace

AppendFile::AppendFile(std::filesystem::path path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "ae")) {
  if (file_ == nullptr) throw_system_error("cannot open", path_);
}

AppendFile::~AppendFile() { std::fclose(file_); }

void AppendFile::append(std::string_view record) {
  const bool written = std::fwrite(record.data(), 1, record.size(), file_) == record.size();
  if (!written || std::fflush(file_) != 0) throw_system_error("cannot write", path_);
}

}  // namespace convoy::trainer::internal
