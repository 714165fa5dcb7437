// SPDX-License-Identifier: Apache-2.0
// Who is told that a certificate or a list ends, and when.
#include "scheduler/net/expiry.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/scheduler/net/federation.h"

namespace convoy::tests {
namespace {

using namespace std::chrono_literals;
using net::PemContent;
using net::Role;
using net::Time;
using std::chrono::days;

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

const Time kNow = net::parse_time("2026-11-23T12:00:00Z");

PemContent list_until(Time end) {
  return {.kind = "revocation list",
          .issuer = "study",
          .validity = net::Validity{kNow - days(30), end}};
}

TEST(Expiring, NamesWhatEndsWithinSevenDaysOrIsOver) {
  const auto count = [](Time end) {
    return net::expiring("ca.crl", {list_until(end)}, kNow).size();
  };
  EXPECT_EQ(count(kNow + days(7) + 1s), 0U);
  EXPECT_EQ(count(kNow + days(7)), 1U);
  EXPECT_EQ(count(kNow), 1U);
  EXPECT_EQ(count(kNow - days(100)), 1U);
  EXPECT_TRUE(net::expiring("k", {PemContent{.kind = "key"}}, kNow).empty());
  const auto both =
      net::expiring("ca.crl", {list_until(kNow + days(9)), list_until(kNow + days(2))}, kNow);
  ASSERT_EQ(both.size(), 1U);
  EXPECT_EQ(both.front().at, kNow + days(2));
}

TEST(Expiring, SaysWhatWhichFileWhenAndWhatToDo) {
  const auto text = [](const PemContent& content) {
    return net::to_text(net::expiring("f.pem", {content}, kNow).at(0), kNow);
  };
  EXPECT_EQ(text(list_until(kNow + days(6) + 5h)),
            "the revocation list of the CA \"study\" (f.pem) ends on 2026-11-29T17:00:00Z (6 days "
            "left): the administrator of the federation makes a new one (convoy certs revoke "
            "--refresh) and gives it to every member");
  EXPECT_HOLDS(text(list_until(kNow - days(1))),
               "(f.pem) ended on 2026-11-22T12:00:00Z: the administrator");
  const net::Validity soon{kNow - days(1), kNow + 90min};
  EXPECT_HOLDS(text({.kind = "CA", .name = "study", .validity = soon}),
               "the CA \"study\" (f.pem) ends on 2026-11-23T13:30:00Z (1 hour left): ");
  EXPECT_HOLDS(
      text(
          {.kind = "certificate", .subject = net::Subject{"a", Role::kSite, {}}, .validity = soon}),
      "the certificate of site \"a\" (f.pem) ends on ");
  EXPECT_EQ(net::time_left(kNow + days(1), kNow), "1 day left");
  EXPECT_EQ(net::time_left(kNow + 30min, kNow), "30 minutes left");
}

TEST(ExpiryWatchTest, TellsAtOnceAndOnceADayAndOfANewFileAgain) {
  Federation federation;
  const auto now = net::current_time();
  const auto own = federation.member("a", Role::kSite, 0, 30);
  net::ExpiryWatch watch(
      {own.certificate, federation.files().certificate, federation.files().list});
  EXPECT_TRUE(watch.due(now).empty());
  federation.write_list(0, 3);
  const auto told = watch.due(now + 5s);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_HOLDS(told[0], federation.files().list.string());
  EXPECT_TRUE(watch.due(now + 10s).empty());
  EXPECT_TRUE(watch.due(now + 23h).empty());
  EXPECT_EQ(watch.due(now + 25h).size(), 1U);
  EXPECT_TRUE(watch.due(now + 26h).empty());
  federation.write_list(0, 4);  // a new one, which ends soon too
  EXPECT_EQ(watch.due(now + 27h).size(), 1U);
  federation.write_list(0, 30);
  EXPECT_TRUE(watch.due(now + 28h).empty());
  EXPECT_EQ(watch.due(now + days(24)).size(), 2U) << "the list and the certificate";
  std::filesystem::resize_file(federation.files().list, 10);
  EXPECT_EQ(watch.due(now + days(26)).size(), 1U) << "what is damaged is told elsewhere";
}

}  // namespace
}  // namespace convoy::tests
