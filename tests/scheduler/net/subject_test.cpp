// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/subject.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/plain_name.h"
#include "scheduler/net/validity.h"

namespace convoy::net {
namespace {

using namespace std::string_literals;

TEST(Subject, NamesCanStandInPathsAndLogs) {
  for (const auto& good : {"a"s, "Hospital-7_b.c"s, std::string(64, 'x'), "..."s}) {
    EXPECT_TRUE(is_plain_name(good)) << good;
  }
  for (const auto& bad : {""s, "."s, ".."s, "a/b"s, "a b"s, "a\n"s, "a\0b"s, "\xc3\xa4"s, "a:b"s,
                          std::string(65, 'x')}) {
    EXPECT_FALSE(is_plain_name(bad)) << bad;
  }
}

TEST(Subject, HostsAreCanonical) {
  EXPECT_EQ(canonical_host("Hub.Example.ORG"), "hub.example.org");
  EXPECT_EQ(canonical_host("2001:DB8:0:0::1"), "2001:db8::1");
  EXPECT_EQ(canonical_host("10.0.0.1"), "10.0.0.1");
  for (const auto& bad : {""s, "*.example.org"s, "a..b"s, "-a"s, "a b"s, "a,DNS:b"s, "a\0b"s}) {
    EXPECT_EQ(canonical_host(bad), std::nullopt) << bad;
  }
  const auto hub = make_subject("hub", Role::kServer, {"b.org", "A.org", "a.org"});
  EXPECT_EQ(hub.hosts, (std::vector<std::string>{"a.org", "b.org"}));
  EXPECT_EQ(to_text(hub), "server \"hub\" (a.org, b.org)");
}

TEST(Subject, OnlyServersHaveHosts) {
  EXPECT_THROW((void)make_subject("hub", Role::kServer, {}), ConfigError);
  EXPECT_THROW((void)make_subject("a", Role::kSite, {"a.org"}), ConfigError);
  EXPECT_THROW((void)make_subject("a", Role::kOperator, {"a.org"}), ConfigError);
}

TEST(Subject, RolesHaveNames) {
  for (const Role role : {Role::kServer, Role::kSite, Role::kOperator}) {
    EXPECT_EQ(role_named(to_text(role)), role);
  }
  EXPECT_EQ(role_named("client"), std::nullopt);
}

TEST(Subject, TextOfStrangersCannotForgeLines) {
  EXPECT_EQ(printable("a\nb\x1b[2J"), "a?b?[2J");
  EXPECT_EQ(printable(std::string(70, 'x')), std::string(64, 'x') + "...");
}

TEST(Validity, TimesAreTextAndBack) {
  const Time time(std::chrono::seconds(1795410275));
  EXPECT_EQ(to_text(time), "2026-11-23T05:04:35Z");
  EXPECT_EQ(parse_time(to_text(time)), time);
  EXPECT_THROW((void)parse_time("2026-11-23"), ConfigError);
  EXPECT_THROW((void)parse_time("2026-11-23T05:04:35Z "), ConfigError);
  EXPECT_THROW((void)valid_for_days(0), ConfigError);
  EXPECT_THROW((void)valid_for_days(36501), ConfigError);
}

}  // namespace
}  // namespace convoy::net
