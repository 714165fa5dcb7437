// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace convoy {

/// The caller broke a documented rule: a bug in the program, not in its input.
class ContractError : public std::logic_error {
  using std::logic_error::logic_error;
};

/// A peer or a link failed, or was too late. The communicator that threw it is poisoned.
class CommError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the user gave (job file, command line, data or checkpoint) cannot be used. One line that
/// names the thing; the program prints it and exits with 2.
class ConfigError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Source location of a caller, taken as a default argument.
struct Where {
  const char* file;
  int line;

  static Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

namespace internal {
[[noreturn]] void throw_contract_error(std::string_view message, Where where);
}

/// Checks a rule that callers must keep.
/// @throws ContractError with `message` and the caller's file and line.
inline void require(bool ok, std::string_view message, Where where = Where::here()) {
  if (!ok) internal::throw_contract_error(message, where);
}

/// Checks something that the user gave.
/// @throws ConfigError with `message`.
inline void require_config(bool ok, const std::string& message) {
  if (!ok) throw ConfigError(message);
}

}  // namespace convoy
