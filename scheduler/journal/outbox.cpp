// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/outbox.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "base/plain_name.h"
#include "scheduler/journal/internal/bytes.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal {
namespace {

using internal::ByteReader;
using internal::ByteWriter;
using internal::DurableFile;

constexpr std::uint64_t kMagic = 0x58424f4a564e4f43;  // "CONVJOBX"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFixedBytes = 16;
constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 20U;

/// The order of the parts in the file, and of their sizes and hashes in the header.
enum Part : std::uint8_t { kUpdate, kResidual, kLedger, kParts };

struct Header {
  std::array<std::uint64_t, kParts> bytes{};
  std::array<Sha256, kParts> hashes{};
  std::string id;
  std::string facts;
};

std::vector<std::byte> encode(const Header& header) {
  ByteWriter body;
  for (const auto bytes : header.bytes) body.number(bytes);
  for (const auto& hash : header.hashes) body.raw(hash);
  body.text(header.id).text(header.facts);
  ByteWriter writer;
  const std::size_t bytes = kFixedBytes + body.bytes().size() + sizeof(std::uint64_t);
  writer.number(kMagic).number(kVersion).number(static_cast<std::uint32_t>(bytes));
  writer.raw(body.bytes());
  return writer.number(hash64(writer.bytes())).bytes();
}

[[noreturn]] void damaged(const DurableFile& file, std::uint64_t offset, const char* what) {
  throw DamageError(
      fmt::format("{} is damaged at byte {}: {}", file.path().string(), offset, what));
}

/// @param header_bytes  becomes where the parts begin.
Header read_header(const DurableFile& file, std::uint64_t& header_bytes) {
  std::vector<std::byte> raw(kFixedBytes);
  raw.resize(file.read(0, raw));
  ByteReader fixed(raw);
  const auto magic = fixed.number<std::uint64_t>();
  const auto version = fixed.number<std::uint32_t>();
  header_bytes = fixed.number<std::uint32_t>();
  if (magic != kMagic || header_bytes < kFixedBytes || header_bytes > kMaxHeaderBytes) {
    damaged(file, 0, "its header is not that of an outgoing update");
  }
  raw.resize(header_bytes);
  raw.resize(file.read(0, raw));
  const auto covered = raw.size() < sizeof(std::uint64_t) ? 0 : raw.size() - sizeof(std::uint64_t);
  ByteReader tail(std::span<const std::byte>(raw).subspan(covered));
  if (raw.size() != header_bytes ||
      tail.number<std::uint64_t>() != hash64(std::span(raw).first(covered))) {
    damaged(file, 0, "its header is not what was written");
  }
  require_config(version <= kVersion,
                 fmt::format("{} has format {} of a newer version of convoy; this one reads {}",
                             file.path().string(), version, kVersion));
  ByteReader reader(std::span<const std::byte>(raw).subspan(kFixedBytes, covered - kFixedBytes));
  Header header;
  for (auto& bytes : header.bytes) bytes = reader.number<std::uint64_t>();
  for (auto& hash : header.hashes) {
    const auto bytes = reader.raw(hash.size());
    std::copy(bytes.begin(), bytes.end(), hash.begin());
  }
  header.id = reader.text();
  header.facts = reader.text();
  if (!reader.at_end()) damaged(file, kFixedBytes, "its header is incomplete");
  return header;
}

}  // namespace

Outbox::Outbox(std::filesystem::path folder, Ledger ledger)
    : folder_(std::move(folder)), ledger_(std::move(ledger)), lock_(folder_) {
  if (std::filesystem::exists(file_path())) open_stored();
}

Outbox::~Outbox() = default;

void Outbox::open_stored() {
  auto file = std::make_unique<DurableFile>(DurableFile::open(file_path(), false));
  std::uint64_t offset = 0;
  const Header header = read_header(*file, offset);
  file_ = std::move(file);
  update_offset_ = offset;
  constexpr std::array<const char*, kParts> kWhat{"the update", "the residual", "the ledger entry"};
  std::uint64_t end = offset;
  for (std::size_t part = 0; part < kParts; ++part) {
    check_part(end, header.bytes[part], header.hashes[part], kWhat[part]);
    end += header.bytes[part];
  }
  if (file_->size() != end) damaged(*file_, end, "bytes stand behind its end");
  repeat_ledger_entry(end - header.bytes[kLedger], header.bytes[kLedger]);
  stored_ = StoredUpdate{.id = header.id,
                         .facts = header.facts,
                         .bytes = header.bytes[kUpdate],
                         .sha256 = header.hashes[kUpdate],
                         .residual_bytes = header.bytes[kResidual]};
  if (!std::filesystem::exists(settled_path())) return;
  const auto settled = internal::read_all(settled_path());
  stored_->is_settled = std::ranges::equal(settled, std::as_bytes(std::span(header.id)));
}

void Outbox::check_part(std::uint64_t offset, std::uint64_t bytes, const Sha256& expected,
                        const char* what) const {
  Sha256Stream hash;
  std::vector<std::byte> step(std::size_t{1} << 20U);
  for (std::uint64_t done = 0; done < bytes;) {
    const auto got = read_part(offset, bytes, done, step);
    if (got == 0) damaged(*file_, offset + done, "it ends too early");
    hash.add(std::span(step).first(got));
    done += got;
  }
  if (hash.digest() != expected) {
    damaged(*file_, offset, fmt::format("{} is not what was written", what).c_str());
  }
}

void Outbox::repeat_ledger_entry(std::uint64_t offset, std::uint64_t bytes) const {
  if (!ledger_) return;
  std::vector<std::byte> entry(bytes);
  (void)read_part(offset, bytes, 0, entry);
  std::uint64_t ignored = 0;
  ledger_(read_header(*file_, ignored).id, entry);
}

std::size_t Outbox::read_part(std::uint64_t begin, std::uint64_t bytes, std::uint64_t offset,
                              std::span<std::byte> out) const {
  if (offset >= bytes) return 0;
  return file_->read(begin + offset,
                     out.first(std::min<std::uint64_t>(out.size(), bytes - offset)));
}

void Outbox::store(const OutgoingUpdate& outgoing) {
  require(!stored_ || stored_->is_settled, "Outbox: the last update is not settled");
  require(!stored_ || stored_->id != outgoing.id, "Outbox: an id comes only once");
  require_plain_name(outgoing.id, "update");
  const std::array<std::span<const std::byte>, kParts> parts{outgoing.update, outgoing.residual,
                                                             outgoing.ledger_entry};
  Header header{.id = outgoing.id, .facts = outgoing.facts};
  for (std::size_t part = 0; part < kParts; ++part) {
    header.bytes[part] = parts[part].size();
    header.hashes[part] = sha256(parts[part]);
  }
  const auto head = encode(header);
  require(head.size() <= kMaxHeaderBytes, "Outbox: facts are too long");
  const std::array<std::span<const std::byte>, 1 + kParts> pieces{head, parts[0], parts[1],
                                                                  parts[2]};
  internal::replace_file(file_path(), pieces);
  // From here on it is this update and no other, also after a crash.
  file_ = std::make_unique<DurableFile>(DurableFile::open(file_path(), false));
  update_offset_ = head.size();
  stored_ = StoredUpdate{.id = outgoing.id,
                         .facts = outgoing.facts,
                         .bytes = outgoing.update.size(),
                         .sha256 = header.hashes[kUpdate],
                         .residual_bytes = outgoing.residual.size()};
  if (ledger_) ledger_(outgoing.id, outgoing.ledger_entry);
}

std::size_t Outbox::read_update(std::uint64_t offset, std::span<std::byte> out) const {
  require(stored_.has_value(), "Outbox: nothing is stored");
  return read_part(update_offset_, stored_->bytes, offset, out);
}

std::size_t Outbox::read_residual(std::uint64_t offset, std::span<std::byte> out) const {
  require(stored_.has_value(), "Outbox: nothing is stored");
  return read_part(update_offset_ + stored_->bytes, stored_->residual_bytes, offset, out);
}

void Outbox::settle(const std::string& id) {
  require(stored_ && stored_->id == id, "Outbox: another update is stored");
  const auto part = std::as_bytes(std::span(id));
  internal::replace_file(settled_path(), std::span(&part, 1));
  stored_->is_settled = true;
}

}  // namespace convoy::scheduler::journal
