// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scheduler/net/issued_certificate.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// One of `convoy certs init`, `request`, `sign`, `revoke`, `show`.
class CertsAction {
 public:
  virtual ~CertsAction() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string summary() const = 0;
  /// Binds options to members.
  virtual void add_options(CLI::App& app) = 0;
  /// Does it. @returns what is printed. @throws ConfigError.
  [[nodiscard]] virtual std::string run() = 0;
};

[[nodiscard]] std::unique_ptr<CertsAction> make_certs_init();
[[nodiscard]] std::unique_ptr<CertsAction> make_certs_request();
[[nodiscard]] std::unique_ptr<CertsAction> make_certs_sign();
[[nodiscard]] std::unique_ptr<CertsAction> make_certs_revoke();
[[nodiscard]] std::unique_ptr<CertsAction> make_certs_show();

/// Options that several of them have.
struct SubjectOptions {
  std::string role = "site";
  std::vector<std::string> hosts;

  void add(CLI::App& app);
  /// @throws ConfigError.
  [[nodiscard]] net::Subject subject(const std::string& name) const;
};
void add_ca_option(CLI::App& app, std::filesystem::path& folder);
void add_days_option(CLI::App& app, const std::string& option, int& days, const std::string& what);

using OrderedJson = nlohmann::ordered_json;

/// Name, role and hosts.
[[nodiscard]] OrderedJson to_json(const net::Subject& subject);
[[nodiscard]] OrderedJson to_json(const net::IssuedCertificate& certificate);
void add_validity(OrderedJson& json, const net::Validity& validity);
/// A line "  what      value".
[[nodiscard]] std::string line(const std::string& what, const std::string& value);
[[nodiscard]] std::string to_text(const net::Validity& validity);

}  // namespace convoy::launch
