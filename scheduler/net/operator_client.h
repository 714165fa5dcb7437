// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "scheduler/net/dialer.h"
#include "scheduler/net/message_codec.h"

namespace convoy::net {

/// The server will not do what was asked; what() has its reason.
class RefusedError : public std::runtime_error {
 public:
  explicit RefusedError(const Refusal& refusal);
  [[nodiscard]] RefusalCode code() const { return code_; }

 private:
  RefusalCode code_;
};

struct OperatorOptions {
  DialerOptions dialer;
  std::string name;      ///< as in the certificate
  std::string software;  ///< for the server's log
  /// An answer that takes longer is none. Larger: a busier server is waited for.
  std::chrono::milliseconds patience{20'000};
};

/// An operator's connection: asks the server, and waits for its answer. One thread.
class OperatorClient {
 public:
  /// Dials and greets. @throws ConfigError for files that cannot be used, a server that is not who
  ///         it should be, and one that refuses the certificate; DialError; RefusedError;
  ///         std::runtime_error where the connection ends or no answer comes.
  explicit OperatorClient(OperatorOptions options);
  /// Says Goodbye.
  ~OperatorClient();
  OperatorClient(const OperatorClient&) = delete;
  OperatorClient& operator=(const OperatorClient&) = delete;

  /// What the server said when it took the connection.
  [[nodiscard]] const Welcome& welcome() const { return welcome_; }

  /// Gives an order. @throws RefusedError; std::runtime_error as above.
  Accepted order(const Command& command);

  /// All pages in one: totals are of the last, and sites that came or went between two pages may be
  /// there twice or not at all.
  [[nodiscard]] Status status();

 private:
  class Inbox;

  [[nodiscard]] Message ask(const Message& question);
  template <typename T>
  [[nodiscard]] T ask_for(const Message& question);

  OperatorOptions options_;
  std::shared_ptr<Inbox> inbox_;  // shared with the connection, which outlives a call of ours
  std::unique_ptr<Dialer> dialer_;
  std::shared_ptr<Connection> connection_;  // shared with the dialer's thread
  Welcome welcome_;
};

}  // namespace convoy::net
