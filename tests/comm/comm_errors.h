// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <regex>
#include <string>

#include "base/errors.h"
#include "comm/communicator.h"

namespace convoy::tests {

/// What the CommError that `call` ends with says.
template <typename Call>
std::string comm_error(Call call) {
  try {
    call();
  } catch (const CommError& error) {
    return error.what();
  }
  return "no CommError";
}

inline void expect_match(const std::string& text, const std::string& pattern) {
  static std::mutex mutex;  // libstdc++ makes its locale tables without one
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(std::regex_search(text, std::regex(pattern))) << text << "\n  is not\n" << pattern;
}

inline comm::CommunicatorOptions with(std::chrono::milliseconds timeout,
                                      std::size_t chunk_bytes = 1 << 18) {
  comm::CommunicatorOptions options;
  options.timeout = timeout;
  options.chunk_bytes = chunk_bytes;
  return options;
}

}  // namespace convoy::tests
