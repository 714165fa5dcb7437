// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "base/errors.h"
#include "scheduler/net/message_codec.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {
namespace {

std::variant<Message, Refusal> decode_body(MessageType type, const Bytes& body, Party sender) {
  return decode(Frame{.type = type, .id = 1, .body = body}, sender);
}

TEST(Messages, ComeOutAsTheyWentIn) {
  std::set<MessageType> seen;
  for (const Message& message : every_message()) {
    const auto type = type_of(message);
    seen.insert(type);
    const auto decoded = decode_body(type, encode(message), sender_of(message));
    ASSERT_TRUE(std::holds_alternative<Message>(decoded))
        << to_text(type) << ": " << std::get<Refusal>(decoded).text;
    EXPECT_EQ(std::get<Message>(decoded), message) << to_text(type);
  }
  EXPECT_EQ(seen.size(), std::variant_size_v<Message>);
}

TEST(Messages, WhatIsMissingStaysMissing) {
  const Message join = Join{.samples = 3, .held_version = std::nullopt};
  EXPECT_EQ(std::get<Message>(decode_body(MessageType::kJoin, encode(join), Party::kSite)), join);
  const Message zero = Join{.samples = 3, .held_version = 0};
  EXPECT_EQ(std::get<Message>(decode_body(MessageType::kJoin, encode(zero), Party::kSite)), zero);
}

/// Whatever is done to a body, the outcome is a refusal or a message that can be sent again.
void expect_sane(MessageType type, const Bytes& body, Party sender) {
  const auto decoded = decode_body(type, body, sender);
  if (const auto* refusal = std::get_if<Refusal>(&decoded)) {
    EXPECT_EQ(refusal->code, RefusalCode::kMalformed);
    EXPECT_FALSE(refusal->text.empty());
    (void)encode(*refusal);
    return;
  }
  const Message& message = std::get<Message>(decoded);
  EXPECT_EQ(std::get<Message>(decode_body(type, encode(message), sender)), message);
}

TEST(Messages, EveryTruncationIsRefusedOrAnotherMessage) {
  for (const Message& message : every_message()) {
    const Bytes body = encode(message);
    for (std::size_t size = 0; size < body.size(); ++size) {
      expect_sane(type_of(message), Bytes(body.begin(), body.begin() + static_cast<long>(size)),
                  sender_of(message));
    }
  }
}

TEST(Messages, EveryFlippedBitIsRefusedOrAnotherMessage) {
  for (const Message& message : every_message()) {
    const Bytes good = encode(message);
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
      expect_sane(type_of(message), bad, sender_of(message));
    }
  }
}

TEST(Messages, AnyBodyOfAnyTypeIsRefusedOrAMessage) {
  for (const Message& body : every_message()) {
    for (const Message& type : every_message()) {
      expect_sane(type_of(type), encode(body), sender_of(type));
    }
  }
}

TEST(Messages, UnknownFieldsArePassedOver) {
  for (const Message& message : every_message()) {
    Bytes body = encode(message);
    // Field 1000 with a varint, field 1001 with three bytes.
    for (const int byte : {0xc0, 0x3e, 0x05, 0xca, 0x3e, 0x03, 0x61, 0x62, 0x63}) {
      body.push_back(static_cast<std::byte>(byte));
    }
    const auto decoded = decode_body(type_of(message), body, sender_of(message));
    ASSERT_TRUE(std::holds_alternative<Message>(decoded)) << to_text(type_of(message));
    EXPECT_EQ(std::get<Message>(decoded), message);
  }
}

TEST(Messages, UnknownTypesAreRefusedAsSuch) {
  const auto decoded = decode_body(static_cast<MessageType>(51), {}, Party::kSite);
  EXPECT_EQ(std::get<Refusal>(decoded).code, RefusalCode::kUnknownType);
}

TEST(Messages, NobodySendsWhatIsAnothers) {
  for (const Message& message : every_message()) {
    for (const Party party : {Party::kServer, Party::kSite, Party::kOperator}) {
      const auto decoded = decode_body(type_of(message), encode(message), party);
      const auto* refusal = std::get_if<Refusal>(&decoded);
      EXPECT_EQ(refusal == nullptr, may_send(party, type_of(message)));
      if (refusal != nullptr) {
        EXPECT_EQ(refusal->code, RefusalCode::kNotAllowed);
      }
    }
  }
  EXPECT_FALSE(may_send(Party::kSite, MessageType::kCommand));
  EXPECT_FALSE(may_send(Party::kSite, MessageType::kDispatch));
  EXPECT_FALSE(may_send(Party::kOperator, MessageType::kJoin));
  EXPECT_FALSE(may_send(Party::kOperator, MessageType::kUploadBegin));
  EXPECT_FALSE(may_send(Party::kServer, MessageType::kHello));
}

TEST(Messages, AChunkIsNoControlMessage) {
  EXPECT_EQ(std::get<Refusal>(decode_body(MessageType::kChunk, {}, Party::kSite)).code,
            RefusalCode::kUnexpected);
}

TEST(Messages, EveryCodeHasAText) {
  std::set<std::string_view> texts;
  for (int code = 1; code <= static_cast<int>(kLastRefusalCode); ++code) {
    texts.insert(to_text(static_cast<RefusalCode>(code)));
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(kLastRefusalCode));
  EXPECT_FALSE(texts.contains("unknown"));
}

}  // namespace
}  // namespace convoy::net
