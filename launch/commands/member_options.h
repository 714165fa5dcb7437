// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "scheduler/net/dialer.h"

namespace CLI {
class App;
}

namespace convoy::launch {

/// A member of a federation, by the files that `convoy certs` has made: NAME.crt, NAME.key, ca.crt
/// and ca.crl in one folder.
struct MemberOptions {
  std::filesystem::path folder = ".";  ///< --certs
  /// Empty: the folder's only NAME.crt beside which NAME.key lies.
  std::string name;

  /// Adds --certs.
  void add_folder(CLI::App& app);
  /// Adds --name. @param whose  "the operator", for the help.
  void add_name(CLI::App& app, const std::string& whose);

  /// @throws ConfigError unless the name is allowed, or there is just one.
  [[nodiscard]] std::string own_name() const;
  /// Missing files are refused here, with what to do about it; bad ones where they are used.
  /// @throws ConfigError.
  [[nodiscard]] net::Credentials credentials() const;
  [[nodiscard]] std::filesystem::path authorities() const;
  [[nodiscard]] std::filesystem::path lists() const;
};

/// A member that dials the server.
struct DialingOptions {
  MemberOptions member;
  std::string server;
  std::string proxy;  ///< empty: none

  /// Adds --server, --proxy and --certs.
  void add(CLI::App& app);
  /// @throws ConfigError.
  [[nodiscard]] net::DialerOptions dialer() const;
};

}  // namespace convoy::launch
