// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/update_box.h"

#include <spdlog/fmt/fmt.h>
#include <sys/random.h>

#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "trainer/federated/update_layers.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

std::uint64_t system_entropy() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits)) {
    throw std::runtime_error("getrandom() gives nothing");
  }
  return bits;
}

}  // namespace

UpdateBox::UpdateBox(const fs::path& folder) : folder_(folder), outbox_(folder) {
  const fs::path note = folder_ / "taken_back";
  if (fs::exists(note)) taken_back_ = read_text_file(note);
}

void UpdateBox::open(Making making) {
  making_ = std::move(making);
  if (making_.codec != nullptr) sender_.emplace(*making_.codec, making_.rounding_seed);
  const auto& stored = outbox_.stored();
  if (!stored) return;
  if (!is_of_this_run()) {
    if (!stored->is_settled) outbox_.settle(stored->id);
    logger("trainer")->info("{} holds an update of another run, which is over for this site",
                            folder_.string());
    return;
  }
  if (!sender_) return;
  restore_residual();
  if (taken_back_ == stored->id) take_back_payload();
}

void UpdateBox::restore_residual() {
  std::vector<float> residual(outbox_.stored()->residual_bytes / sizeof(float));
  (void)outbox_.read_residual(0, std::as_writable_bytes(std::span(residual)));
  sender_->restore(std::move(residual));
}

bool UpdateBox::is_of_this_run() const {
  return outbox_.stored() && facts_of(*outbox_.stored()).run == making_.run;
}

std::optional<OfferedUpdate> UpdateBox::unsettled() const {
  if (!outbox_.stored() || outbox_.stored()->is_settled) return std::nullopt;
  return offered();
}

std::optional<net::UploadBegin> UpdateBox::newest() const {
  if (!is_of_this_run()) return std::nullopt;
  const auto& stored = *outbox_.stored();
  if (stored.is_settled && stored.id == taken_back_) return std::nullopt;
  return facts_of(stored).begin;
}

OfferedUpdate UpdateBox::again() const {
  require(newest().has_value(), "UpdateBox: no update that counts");
  return offered();
}

OfferedUpdate UpdateBox::offered() const {
  UpdateFacts facts = facts_of(*outbox_.stored());
  const auto source = [this](std::int64_t offset, std::span<std::byte> out) {
    const auto got = outbox_.read_update(static_cast<std::uint64_t>(offset), out);
    if (got != out.size()) throw std::runtime_error("the outbox's update has become shorter");
  };
  return {.begin = std::move(facts.begin), .source = source, .run = std::move(facts.run)};
}

OfferedUpdate UpdateBox::store(const LocalResult& result, net::UploadBegin begin) {
  begin.finite = result.finite;
  const auto update = result.finite ? encode(result, begin.round) : std::vector<std::byte>{};
  const auto residual =
      sender_ ? std::as_bytes(std::span(sender_->residual())) : std::span<const std::byte>{};
  const UpdateFacts facts{.run = making_.run, .begin = begin};
  // No ledger entry: what the round has spent is in the ledger, on disk, since RoundRule::end(). A
  // crash between that and this counts a release that never was, which only errs on the safe side.
  outbox_.store({.id = fmt::format("r{}-{}", begin.round, to_hex(system_entropy())),
                 .facts = to_text(facts),
                 .update = update,
                 .residual = residual,
                 .ledger_entry = {}});
  return offered();
}

/// An update that is not finite must not get into the residual; it is not sent at all.
std::vector<std::byte> UpdateBox::encode(const LocalResult& result, std::int64_t round) {
  TensorPack pack{.parameters = {}, .payload = {}, .buffers = result.update.buffers};
  if (sender_) {
    pack.payload = sender_->send(flatten(result.update.delta), round);
  } else {
    pack.parameters = result.update.delta;
  }
  return to_stream(pack, *making_.shape);
}

void UpdateBox::settle(const std::string& id) {
  if (taken_back_ == id) {  // given up before the server took it after all
    std::filesystem::remove(folder_ / "taken_back");
    sync_folder(folder_);  // or it would be owed once more after a power failure
    taken_back_.clear();
    if (sender_) restore_residual();
  }
  outbox_.settle(id);
}

/// The note comes first: a crash in between makes the site ask again, and take back once.
void UpdateBox::give_up(const std::string& id) {
  take_back();
  outbox_.settle(id);
}

void UpdateBox::take_back() {
  const auto& stored = outbox_.stored();
  if (!is_of_this_run() || taken_back_ == stored->id) return;
  // What lies in the outbox is what is owed after the update: the note says that it is owed too,
  // and that its round is not done.
  write_private_file_atomic(folder_ / "taken_back", std::as_bytes(std::span(stored->id)));
  taken_back_ = stored->id;
  if (sender_) take_back_payload();
}

void UpdateBox::take_back_payload() {
  const auto& stored = *outbox_.stored();
  if (stored.bytes == 0) return;  // was not finite
  std::vector<std::byte> update(stored.bytes);
  (void)outbox_.read_update(0, update);
  sender_->take_back(from_stream(update, *making_.shape).payload);
}

}  // namespace convoy::trainer
