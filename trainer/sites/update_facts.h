// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scheduler/journal/outbox.h"
#include "scheduler/net/stream_messages.h"

namespace convoy::trainer {

/// What is said of an update, as it lies beside it in the outbox (JSON), so that a restarted site
/// announces it with the same words. Id, hash and size are the outbox's.
struct UpdateFacts {
  std::string run;
  net::UploadBegin begin;
};

[[nodiscard]] std::string to_text(const UpdateFacts& facts);
/// @throws ConfigError for what to_text() does not write.
[[nodiscard]] UpdateFacts facts_of(const scheduler::journal::StoredUpdate& stored);

}  // namespace convoy::trainer
