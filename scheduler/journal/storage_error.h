// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace convoy::scheduler::journal {

/// The disk did not do what it was asked. The message names operation, file and the system's
/// reason.
class StorageError : public std::runtime_error {
 public:
  /// @param code  errno.
  StorageError(const std::string& operation, const std::filesystem::path& path, int code);

  [[nodiscard]] int code() const { return code_; }
  /// No room, or no quota: what was there before is whole, and it works again when there is room.
  [[nodiscard]] bool is_full() const;

 private:
  int code_;
};

/// A file holds what nobody wrote there. The message names file and offset.
class DamageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace convoy::scheduler::journal
