// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/member_options.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <system_error>
#include <vector>

#include "base/errors.h"
#include "base/plain_name.h"

namespace convoy::launch {
namespace {

namespace fs = std::filesystem;

/// Names that have certificate and key in `folder`; the CA's own pair, where it lies there too, is
/// none of a member.
std::vector<std::string> members_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    const std::string name = file.path().stem().string();
    if (file.path().extension() != ".crt" || name == "ca") continue;
    if (fs::exists(folder / (name + ".key"), error)) names.push_back(name);
  }
  return names;
}

fs::path existing(const fs::path& file, const std::string& cure) {
  std::error_code error;
  require_config(fs::exists(file, error), fmt::format("no {}: {}", file.string(), cure));
  return file;
}

}  // namespace

void MemberOptions::add_folder(CLI::App& app) {
  app.add_option("--certs", folder, "Folder with NAME.crt, NAME.key, ca.crt and ca.crl")
      ->capture_default_str();
}

void MemberOptions::add_name(CLI::App& app, const std::string& whose) {
  app.add_option(
      "--name", name,
      "Name of " + whose + ", as in its certificate NAME.crt; without it the only one in --certs");
}

std::string MemberOptions::own_name() const {
  if (!name.empty()) {
    require_plain_name(name, "--name");
    return name;
  }
  const auto names = members_in(folder);
  require_config(!names.empty(),
                 fmt::format("no certificate NAME.crt with its NAME.key in {}: name the folder "
                             "with --certs",
                             folder.string()));
  require_config(names.size() == 1, fmt::format("several certificates in {}: choose one with "
                                                "--name",
                                                folder.string()));
  return names.front();
}

net::Credentials MemberOptions::credentials() const {
  const std::string own = own_name();
  return {.certificate = existing(folder / (own + ".crt"),
                                  "the administrator of the federation makes it of your request "
                                  "(convoy certs request, then sign)"),
          .key = existing(folder / (own + ".key"),
                          "convoy certs request makes it together with the request")};
}

fs::path MemberOptions::authorities() const {
  return existing(folder / "ca.crt", "ask the administrator of the federation for it");
}

fs::path MemberOptions::lists() const {
  return existing(folder / "ca.crl", "ask the administrator of the federation for it");
}

void DialingOptions::add(CLI::App& app) {
  app.add_option("--server", server, "The server's HOST:PORT")->required();
  app.add_option("--proxy", proxy, "HOST:PORT of an HTTP proxy on the way (CONNECT)");
  member.add_folder(app);
}

net::DialerOptions DialingOptions::dialer() const {
  net::DialerOptions options{.server = net::parse_host_port(server, "--server"),
                             .own = member.credentials(),
                             .authorities = member.authorities(),
                             .lists = member.lists()};
  if (!proxy.empty()) options.proxy = net::parse_host_port(proxy, "--proxy");
  return options;
}

}  // namespace convoy::launch
