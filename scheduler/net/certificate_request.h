// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "scheduler/net/subject.h"

namespace convoy::net {

struct RequestFiles {
  std::filesystem::path key;      ///< stays here, mode 0600
  std::filesystem::path request;  ///< for the administrator of the federation
  /// SHA-256 of the public key, for comparison over another way than the request's.
  std::string key_fingerprint;
};

/// Makes a key (EC, P-256) and a request signed with it: `folder`/NAME.key and NAME.csr. The folder
/// is made (mode 0700) if it is missing.
/// @throws ConfigError if there is a key already; std::runtime_error if a file cannot be written.
RequestFiles make_request(const std::filesystem::path& folder, const Subject& subject);

}  // namespace convoy::net
