// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/message_codec.h"

#include <spdlog/fmt/fmt.h>

#include <cstddef>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "scheduler/net/internal/wire.h"

namespace convoy::net {
namespace {

using internal::FieldCheck;

template <typename T>
using WireOf = decltype(internal::to_wire(std::declval<const T&>()));

Refusal malformed(MessageType type, std::string_view problem) {
  return {.code = RefusalCode::kMalformed, .text = fmt::format("{}: {}", to_text(type), problem)};
}

template <typename T>
std::variant<Message, Refusal> decode_as(std::span<const std::byte> body) {
  WireOf<T> from;
  if (!from.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return malformed(T::kType, "the body is no message of this type");
  }
  FieldCheck check;
  T message = internal::from_wire(from, check);
  if (!check.ok()) return malformed(T::kType, check.reason());
  return Message(std::move(message));
}

template <std::size_t... I>
std::variant<Message, Refusal> decode_any(const Frame& frame, std::index_sequence<I...>) {
  std::variant<Message, Refusal> result =
      Refusal{.code = RefusalCode::kUnexpected, .text = "a chunk is no control message"};
  const auto try_one = [&]<typename T>(std::in_place_type_t<T>) {
    if (T::kType == frame.type) result = decode_as<T>(frame.body);
  };
  (try_one(std::in_place_type<std::variant_alternative_t<I, Message>>), ...);
  return result;
}

}  // namespace

MessageType type_of(const Message& message) {
  return std::visit([](const auto& any) { return any.kType; }, message);
}

std::vector<std::byte> encode(const Message& message) {
  return std::visit(
      [](const auto& any) {
        const auto to = internal::to_wire(any);
        FieldCheck check;
        (void)internal::from_wire(to, check);
        require(check.ok(), fmt::format("{}: {}", to_text(any.kType), check.reason()));
        std::vector<std::byte> body(to.ByteSizeLong());
        require(to.SerializeToArray(body.data(), static_cast<int>(body.size())),
                "a message that cannot be encoded");
        return body;
      },
      message);
}

std::variant<Message, Refusal> decode(const Frame& frame, Party sender) {
  if (!is_known(frame.type)) {
    return Refusal{.code = RefusalCode::kUnknownType,
                   .text = fmt::format("messages of type {} are not known here",
                                       static_cast<int>(frame.type))};
  }
  if (!may_send(sender, frame.type)) {
    return Refusal{
        .code = RefusalCode::kNotAllowed,
        .text = fmt::format("a {} does not come from a {}", to_text(frame.type), to_text(sender))};
  }
  return decode_any(frame, std::make_index_sequence<std::variant_size_v<Message>>());
}

}  // namespace convoy::net
