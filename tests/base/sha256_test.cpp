// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace convoy {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256Stream hash;
  hash.add(bytes_of("a"));
  (void)hash.digest();
  hash.add(bytes_of("bc"));
  EXPECT_EQ(hash.digest(), sha256("abc"));
}

TEST(Sha256, HexGoesBothWays) {
  const Sha256 digest = sha256("abc");
  EXPECT_EQ(sha256_from_hex(to_hex(digest)), digest);
  EXPECT_FALSE(sha256_from_hex(to_hex(digest).substr(1)));
  EXPECT_FALSE(sha256_from_hex(std::string(63, 'a') + "g"));
}

}  // namespace
}  // namespace convoy
