// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/operator_options.h"

#include <CLI/CLI.hpp>

#include "base/errors.h"
#include "launch/process/startup_check.h"
#include "scheduler/net/pem_content.h"

namespace convoy::launch {

void OperatorCommandOptions::add(CLI::App& app) {
  dialing.add(app);
  dialing.member.add_name(app, "the operator");
  app.add_option("--timeout", patience_seconds, "Seconds to wait for each answer")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

namespace {

/// What another role would be told by the server only.
void require_operator(const std::filesystem::path& certificate) {
  const auto found = net::read_pem_content(certificate);
  if (found.empty() || !found.front().subject) return;  // said where it is used
  const auto& subject = *found.front().subject;
  require_config(subject.role == net::Role::kOperator,
                 certificate.string() + " is the certificate of a " +
                     std::string(net::to_text(subject.role)) +
                     "; needed here is that of an operator (convoy certs request NAME --role "
                     "operator)");
}

}  // namespace

void as_operator(const std::function<void()>& work) {
  try {
    work();
  } catch (const net::RefusedError& error) {
    require_config(error.code() != net::RefusalCode::kNotAllowed, error.what());
    throw;
  }
}

net::OperatorOptions OperatorCommandOptions::client() const {
  require_operator(dialing.member.credentials().certificate);
  const auto patience = std::chrono::duration<double>(patience_seconds);
  return {.dialer = dialing.dialer(),
          .name = dialing.member.own_name(),
          .software = "convoy " + convoy_version(),
          .patience = std::chrono::duration_cast<std::chrono::milliseconds>(patience)};
}

}  // namespace convoy::launch
