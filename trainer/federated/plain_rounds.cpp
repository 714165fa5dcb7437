// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/plain_rounds.h"

#include <cmath>

#include "base/random.h"
#include "trainer/precision.h"
#include "trainer/random_streams.h"

namespace convoy::trainer {

StepDone PlainRounds::gradient(Model& model, const Dataset& dataset, ClientData& client) {
  const auto next = client.next();
  const std::uint64_t augment_key =
      augment_ ? mix({client.key(), kAugmentStream, static_cast<std::uint64_t>(next.epoch)}) : 0;
  const Batch batch = dataset.get(next.samples, augment_key).to(model.device());
  model.seed_dropout(mix({client.key(), kDropoutStream, static_cast<std::uint64_t>(next.number)}));
  const torch::Tensor loss = forward_loss(amp_, dataset.info().task, model, batch);
  loss.backward();
  const auto value = loss.item<double>();
  return {.loss = value, .samples = batch.samples(), .finite = std::isfinite(value)};
}

}  // namespace convoy::trainer
