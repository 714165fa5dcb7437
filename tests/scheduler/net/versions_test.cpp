// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/versions.h"

#include <gtest/gtest.h>

namespace convoy::net {
namespace {

TEST(Versions, TheHighestThatBothSpeak) {
  const auto common = [](VersionRange a, VersionRange b) {
    return std::get<std::uint32_t>(common_version(a, b));
  };
  EXPECT_EQ(common({1, 1}, {1, 1}), 1U);
  EXPECT_EQ(common({1, 3}, {2, 9}), 3U);
  EXPECT_EQ(common({2, 9}, {1, 3}), 3U);
  EXPECT_EQ(common({2, 2}, {1, 3}), 2U);
  EXPECT_EQ(common({3, 5}, {1, 3}), 3U);
}

TEST(Versions, NoneInCommonIsRefusedWithBothRanges) {
  const auto refusal = std::get<Refusal>(common_version({3, 4}, {1, 2}));
  EXPECT_EQ(refusal.code, RefusalCode::kNoCommonVersion);
  EXPECT_NE(refusal.text.find("3 to 4"), std::string::npos);
  EXPECT_NE(refusal.text.find("1 to 2"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<Refusal>(common_version({1, 2}, {3, 4})));
}

TEST(Versions, TheServerMayChooseOnlyWhatWasOffered) {
  EXPECT_FALSE(check_version(2, {1, 3}));
  EXPECT_EQ(check_version(4, {1, 3}).value().code, RefusalCode::kNoCommonVersion);
  EXPECT_TRUE(check_version(0, {1, 3}));
}

TEST(Greeting, ComesFirstAndOnce) {
  for (const Party client : {Party::kSite, Party::kOperator}) {
    Greeting greeting(client);
    EXPECT_EQ(greeting.arrived(MessageType::kJoin).value().code, RefusalCode::kUnexpected);
    EXPECT_TRUE(greeting.arrived(MessageType::kChunk));
    EXPECT_TRUE(greeting.arrived(MessageType::kRefusal));
    EXPECT_TRUE(greeting.arrived(static_cast<MessageType>(999)));
    EXPECT_FALSE(greeting.is_done());
    EXPECT_FALSE(greeting.arrived(MessageType::kHello));
    EXPECT_TRUE(greeting.is_done());
    EXPECT_FALSE(greeting.arrived(MessageType::kJoin));
    EXPECT_FALSE(greeting.arrived(static_cast<MessageType>(999)));
    EXPECT_EQ(greeting.arrived(MessageType::kHello).value().code, RefusalCode::kUnexpected);
  }
}

TEST(Greeting, AServerMayRefuseInstead) {
  Greeting greeting(Party::kServer);
  EXPECT_FALSE(greeting.arrived(MessageType::kRefusal));
  EXPECT_FALSE(greeting.is_done());
  EXPECT_TRUE(greeting.arrived(MessageType::kDispatch));
  EXPECT_FALSE(greeting.arrived(MessageType::kWelcome));
  EXPECT_FALSE(greeting.arrived(MessageType::kDispatch));
  EXPECT_TRUE(greeting.arrived(MessageType::kWelcome));
}

}  // namespace
}  // namespace convoy::net
