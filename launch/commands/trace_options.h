// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trainer/run_request.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// `--trace FILE` and `--trace-steps A:B`.
class TraceOptions {
 public:
  void add_to(CLI::App& app);
  /// @throws ConfigError for what is not like 10:29, and for steps without a file.
  [[nodiscard]] trainer::TraceRequest settle() const;

 private:
  std::string file_;
  std::string steps_;
};

}  // namespace convoy::launch
