// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "scheduler/net/stream_messages.h"
#include "trainer/federated/client_pool.h"

namespace convoy::trainer {

/// What is known of an update beside what the scheduler must know, as the log keeps it: JSON.
/// @param wrong  why the server does not use it; empty: it does, or the site had said so itself.
[[nodiscard]] std::string logged_facts(const net::UploadBegin& update, const std::string& wrong);

/// Puts logged_facts() into a report. @throws ConfigError where it is none.
void put_facts(const std::string& facts, ClientReport& report);
/// @throws ConfigError as put_facts().
[[nodiscard]] std::string what_is_wrong(const std::string& facts);

}  // namespace convoy::trainer
