// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

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

/// Does `work`. @throws ConfigError where the server does not let this operator do that, which
///   another attempt would not change.
void as_operator(const std::function<void()>& work);

}  // namespace convoy::launch
