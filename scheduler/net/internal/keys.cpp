// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/keys.h"

#include <array>
#include <string_view>

#include "base/errors.h"

namespace convoy::net::internal {

Key make_key() { return own_openssl<Key>(EVP_EC_gen("P-256"), "EVP_EC_gen"); }

bool is_p256(const EVP_PKEY& key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_is_a(&key, "EC") == 1 &&
         EVP_PKEY_get_group_name(&key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

void make_private_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  require_config(!error, "cannot make the folder " + folder.string() + ": " + error.message());
  if (made) fs::permissions(folder, fs::perms::owner_all);
}

}  // namespace convoy::net::internal
