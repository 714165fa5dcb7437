// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "trainer/data/dataset.h"
#include "trainer/federated/client_data.h"
#include "trainer/models/model.h"

namespace convoy::trainer {

struct LocalResult;

/// What a step has found out.
struct StepDone {
  double loss = 0.0;         ///< mean over the samples
  std::int64_t samples = 0;  ///< trained on, as far as that may be told
  bool finite = true;        ///< false ends the round
};

/// How a client's rounds are made, and what may be known of them outside. One client's, or of
/// clients that it keeps no state of; one thread at a time.
class RoundRule {
 public:
  virtual ~RoundRule() = default;
  /// Steps that a round of `wanted` may have: 0..wanted.
  [[nodiscard]] virtual std::int64_t begin(std::int64_t wanted) { return wanted; }
  /// Puts the gradient of one more step on the client's data into the parameters, which have none.
  [[nodiscard]] virtual StepDone gradient(Model& model, const Dataset& dataset,
                                          ClientData& client) = 0;
  /// The round's steps are done, and nothing of it has left yet.
  virtual void end(LocalResult& /*result*/) {}
};

}  // namespace convoy::trainer
