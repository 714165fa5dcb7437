// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "comm/communicator.h"
#include "compress/update/update_codec.h"
#include "trainer/federated/client_end.h"
#include "trainer/federated/local_training.h"

namespace convoy::trainer {

/// What a client's rank does until the server ends it: receives models, trains, sends updates,
/// and a sign of life every `pulse_period`. Borrows all. @throws what training throws; CommError.
void serve_client(comm::Communicator& communicator, LocalTrainer& trainer, ClientEnd& client,
                  const compress::UpdateCodec* codec, std::chrono::milliseconds pulse_period);

}  // namespace convoy::trainer
