// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "launch/commands/member_options.h"
#include "scheduler/net/operator_client.h"

namespace convoy::launch {

/// Of `convoy status` and `convoy operate`.
struct OperatorCommandOptions {
  DialingOptions dialing;
  double patience_seconds = 20.0;

  void add(CLI::App& app);
  /// @throws ConfigError.
  [[nodiscard]] net::OperatorOptions client() const;
};

}  // namespace convoy::launch
