// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/message_type.h"

#include <algorithm>
#include <array>

namespace convoy::net {
namespace {

struct Row {
  MessageType type;
  std::string_view text;
  bool server;
  bool site;
  bool an_operator;
};

// Who may send what.
constexpr std::array kRows{
    Row{MessageType::kHello, "Hello", false, true, true},
    Row{MessageType::kWelcome, "Welcome", true, false, false},
    Row{MessageType::kRefusal, "Refusal", true, true, true},
    Row{MessageType::kGoodbye, "Goodbye", true, true, true},
    Row{MessageType::kAccepted, "Accepted", true, false, false},
    Row{MessageType::kJoin, "Join", false, true, false},
    Row{MessageType::kJobOffer, "JobOffer", true, false, false},
    Row{MessageType::kDispatch, "Dispatch", true, false, false},
    Row{MessageType::kProgress, "Progress", false, true, false},
    Row{MessageType::kLeave, "Leave", false, true, false},
    Row{MessageType::kUploadBegin, "UploadBegin", false, true, false},
    Row{MessageType::kUploadAck, "UploadAck", true, false, false},
    Row{MessageType::kModelBegin, "ModelBegin", true, false, false},
    Row{MessageType::kStreamOffset, "StreamOffset", true, true, false},
    Row{MessageType::kChunk, "Chunk", true, true, false},
    Row{MessageType::kStreamEnd, "StreamEnd", true, true, false},
    Row{MessageType::kStatusRequest, "StatusRequest", false, true, true},
    Row{MessageType::kStatus, "Status", true, false, false},
    Row{MessageType::kCommand, "Command", false, false, true},
};

const Row* find(MessageType type) {
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [type](const Row& candidate) { return candidate.type == type; });
  return row == kRows.end() ? nullptr : row;
}

}  // namespace

std::string_view to_text(MessageType type) {
  const Row* row = find(type);
  return row == nullptr ? "unknown" : row->text;
}

bool is_known(MessageType type) { return find(type) != nullptr; }

bool may_send(Party party, MessageType type) {
  const Row* row = find(type);
  if (row == nullptr) return false;
  switch (party) {
    case Party::kServer:
      return row->server;
    case Party::kSite:
      return row->site;
    case Party::kOperator:
      return row->an_operator;
  }
  return false;
}

std::string_view to_text(Party party) {
  switch (party) {
    case Party::kServer:
      return "server";
    case Party::kSite:
      return "site";
    case Party::kOperator:
      return "operator";
  }
  return "unknown";
}

}  // namespace convoy::net
