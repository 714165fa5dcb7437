// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/entries.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>

#include "base/errors.h"
#include "base/plain_name.h"
#include "scheduler/journal/internal/bytes.h"
#include "scheduler/journal/storage_error.h"

namespace convoy::scheduler::journal {
namespace {

using internal::ByteReader;
using internal::ByteWriter;

// Numbers in files: they never change their meaning.
constexpr std::uint16_t kJoin = 1;
constexpr std::uint16_t kUpdate = 2;
constexpr std::uint16_t kTimer = 3;
constexpr std::uint16_t kEvict = 4;
constexpr std::uint16_t kLeave = 5;
constexpr std::uint16_t kShutdown = 6;
constexpr std::uint16_t kCommand = 16;
constexpr std::uint16_t kClock = 17;

constexpr std::uint8_t kFinite = 1;
constexpr std::uint8_t kMeasuresSpeed = 2;

std::uint16_t type_of(Input::Kind kind) {
  switch (kind) {
    case Input::Kind::kJoin:
      return kJoin;
    case Input::Kind::kArrive:
      return kUpdate;
    case Input::Kind::kTimer:
      return kTimer;
    case Input::Kind::kEvict:
      return kEvict;
    case Input::Kind::kLeave:
      return kLeave;
    case Input::Kind::kShutdown:
      return kShutdown;
  }
  throw ContractError("unknown input");
}

std::optional<Input::Kind> input_kind(std::uint16_t type) {
  for (const auto kind : {Input::Kind::kJoin, Input::Kind::kTimer, Input::Kind::kEvict,
                          Input::Kind::kLeave, Input::Kind::kShutdown}) {
    if (type_of(kind) == type) return kind;
  }
  return std::nullopt;
}

struct Encoder {
  EncodedEntry operator()(const InputEntry& entry) const {
    require(entry.input.kind != Input::Kind::kArrive, "an arrival is an UpdateEntry");
    if (!entry.site.empty()) require_plain_name(entry.site, "site");
    ByteWriter writer;
    writer.real(entry.input.time).integer(entry.input.update.client).integer(entry.input.samples);
    return {type_of(entry.input.kind), writer.text(entry.site).bytes()};
  }

  EncodedEntry operator()(const UpdateEntry& entry) const {
    require(entry.input.kind == Input::Kind::kArrive, "an UpdateEntry is an arrival");
    require_plain_name(entry.site, "site");
    require_plain_name(entry.id, "update");
    const Update& update = entry.input.update;
    const auto flags = static_cast<std::uint8_t>((update.finite ? kFinite : 0) |
                                                 (update.measures_speed ? kMeasuresSpeed : 0));
    ByteWriter writer;
    writer.real(entry.input.time)
        .integer(update.client)
        .integer(entry.input.samples)
        .integer(update.round)
        .integer(update.local_steps)
        .real(entry.input.duration)
        .number(flags)
        .number(entry.bytes)
        .raw(entry.sha256)
        .text(entry.site);
    return {kUpdate, writer.text(entry.id).text(entry.facts).bytes()};
  }

  EncodedEntry operator()(const CommandEntry& entry) const {
    ByteWriter writer;
    return {kCommand, writer.real(entry.time).text(entry.from).text(entry.command).bytes()};
  }

  EncodedEntry operator()(const ClockEntry& entry) const {
    ByteWriter writer;
    writer.real(entry.time).number(static_cast<std::uint8_t>(entry.kind));
    return {kClock, writer.integer(entry.unix_nanoseconds).bytes()};
  }
};

InputEntry decode_input(Input::Kind kind, ByteReader& reader) {
  InputEntry entry{.input = {.kind = kind}};
  entry.input.time = reader.real();
  entry.input.update.client = reader.integer();
  entry.input.samples = reader.integer();
  entry.site = reader.text();
  return entry;
}

UpdateEntry decode_update(ByteReader& reader) {
  UpdateEntry entry{.input = {.kind = Input::Kind::kArrive}};
  Update& update = entry.input.update;
  entry.input.time = reader.real();
  update.client = reader.integer();
  entry.input.samples = reader.integer();
  update.round = reader.integer();
  update.local_steps = reader.integer();
  entry.input.duration = reader.real();
  const auto flags = reader.number<std::uint8_t>();
  update.finite = (flags & kFinite) != 0;
  update.measures_speed = (flags & kMeasuresSpeed) != 0;
  entry.bytes = reader.number<std::uint64_t>();
  const auto digest = reader.raw(entry.sha256.size());
  std::copy(digest.begin(), digest.end(), entry.sha256.begin());
  entry.site = reader.text();
  entry.id = reader.text();
  entry.facts = reader.text();
  return entry;
}

Entry decode_any(std::uint16_t type, ByteReader& reader) {
  if (const auto kind = input_kind(type)) return decode_input(*kind, reader);
  if (type == kUpdate) return decode_update(reader);
  if (type == kCommand) {
    CommandEntry entry{.time = reader.real()};
    entry.from = reader.text();
    entry.command = reader.text();
    return entry;
  }
  if (type != kClock) throw DamageError(fmt::format("entries of type {} are not known", type));
  ClockEntry entry;
  entry.time = reader.real();
  const auto kind = reader.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(ClockEntry::Kind::kTick)) {
    throw DamageError(fmt::format("clock entries of kind {} are not known", kind));
  }
  entry.kind = static_cast<ClockEntry::Kind>(kind);
  entry.unix_nanoseconds = reader.integer();
  return entry;
}

struct TimeOf {
  double operator()(const InputEntry& entry) const { return entry.input.time; }
  double operator()(const UpdateEntry& entry) const { return entry.input.time; }
  double operator()(const CommandEntry& entry) const { return entry.time; }
  double operator()(const ClockEntry& entry) const { return entry.time; }
};

}  // namespace

double time_of(const Entry& entry) { return std::visit(TimeOf{}, entry); }

EncodedEntry encode(const Entry& entry) { return std::visit(Encoder{}, entry); }

Entry decode(std::uint16_t type, std::span<const std::byte> payload) {
  ByteReader reader(payload);
  Entry entry = decode_any(type, reader);
  if (!reader.at_end()) {
    throw DamageError(
        fmt::format("an entry of type {} does not have {} bytes", type, payload.size()));
  }
  return entry;
}

}  // namespace convoy::scheduler::journal
