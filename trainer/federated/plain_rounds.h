// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trainer/federated/round_rule.h"

namespace convoy::trainer {

/// Batches in the client's random order. Keeps no state: serves any client.
class PlainRounds final : public RoundRule {
 public:
  /// @param amp  as TrainConfig::amp.
  PlainRounds(bool augment, std::string amp) : augment_(augment), amp_(std::move(amp)) {}

  [[nodiscard]] StepDone gradient(Model& model, const Dataset& dataset,
                                  ClientData& client) override;

 private:
  bool augment_;
  std::string amp_;
};

}  // namespace convoy::trainer
