// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scheduler/net/stream_messages.h"
#include "trainer/federated/client_pool.h"

namespace convoy::trainer {

/// What a site says of its update beside what the scheduler must know, as the log keeps it: JSON.
[[nodiscard]] std::string logged_facts(const net::UploadBegin& update);

/// Puts logged_facts() into a report. @throws ConfigError where it is none.
void put_facts(const std::string& facts, ClientReport& report);

}  // namespace convoy::trainer
