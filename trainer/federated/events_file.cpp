// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/events_file.h"

#include <stdexcept>

#include "base/file.h"

namespace convoy::trainer {

EventsFile::EventsFile(const std::filesystem::path& path, std::uint64_t keep_bytes)
    : path_(path), bytes_(keep_bytes) {
  if (std::filesystem::exists(path)) {
    if (std::filesystem::file_size(path) < keep_bytes) {
      throw std::runtime_error(path.string() + " is shorter than its checkpoint says");
    }
    std::filesystem::resize_file(path, keep_bytes);
  }
  file_.open(path, std::ios::binary | std::ios::app);
  if (!file_) throw std::runtime_error("cannot write " + path.string());
}

void EventsFile::append(std::string_view line) {
  file_ << line << '\n' << std::flush;
  if (!file_) throw std::runtime_error("cannot write " + path_.string());
  bytes_ += line.size() + 1;
}

void EventsFile::sync() const { sync_file(path_); }

}  // namespace convoy::trainer
