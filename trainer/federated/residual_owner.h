// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "trainer/named_tensor.h"

namespace convoy::trainer {

/// Who knows what compression owes to the clients; for checkpoints. One thread calls.
class ResidualOwner {
 public:
  virtual ~ResidualOwner() = default;
  /// Asks what compression owes to each client at this moment: without the rounds whose reports
  /// have not been handed out. For checkpoints; what clients are given meanwhile changes nothing.
  virtual void ask_for_residuals() = 0;
  /// What ask_for_residuals() was about, named by client, once; nothing while clients have not
  /// answered: they do so between two steps. Of a dead one what it last was. Empty without
  /// compression. @throws as ClientPool::report_of().
  [[nodiscard]] virtual std::optional<std::vector<NamedTensor>> residuals() = 0;
};

}  // namespace convoy::trainer
