// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "trainer/federated/client_data.h"
#include "trainer/federated/local_training.h"

namespace convoy::trainer {

/// Seconds that a local step of `client` takes here and now: the median of several measurements,
/// after some steps to warm up; what a round costs beside its steps is left out. Takes one to two
/// seconds, or fifteen steps where they take longer. Leaves `trainer` as any round does.
[[nodiscard]] double measure_step_seconds(LocalTrainer& trainer, ClientData client);

}  // namespace convoy::trainer
