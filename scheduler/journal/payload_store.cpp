// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/payload_store.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <system_error>

#include "base/errors.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/plain_name.h"
#include "scheduler/journal/internal/durable_file.h"

namespace convoy::scheduler::journal {
namespace fs = std::filesystem;
using internal::DurableFile;

namespace {

constexpr const char* kPartial = "partial";
constexpr const char* kComplete = "complete";
constexpr std::size_t kReadStep = std::size_t{1} << 20U;

std::string described(const DeclaredUpload& declared) {
  return fmt::format("update {} of {}", declared.id, declared.site);
}

/// The first `bytes` of the file, one part after the other.
template <typename Take>
void read_parts(const DurableFile& file, std::uint64_t bytes, const Take& take) {
  std::vector<std::byte> part(static_cast<std::size_t>(std::min<std::uint64_t>(kReadStep, bytes)));
  for (std::uint64_t offset = 0; offset < bytes;) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(kReadStep, bytes - offset));
    const auto got = file.read(offset, std::span(part).first(wanted));
    if (got == 0) throw DamageError(file.path().string() + " has become shorter");
    take(std::span<const std::byte>(part).first(got));
    offset += got;
  }
}

void add_file(Sha256Stream& hash, const DurableFile& file, std::uint64_t bytes) {
  read_parts(file, bytes, [&hash](std::span<const std::byte> part) { hash.add(part); });
}

void check_names(const std::string& site, const std::string& id) {
  require_plain_name(site, "site");
  require_plain_name(id, "update");
}

}  // namespace

struct Upload::State {
  PayloadStore& store;
  DeclaredUpload declared;
  DurableFile file{};
  Sha256Stream hash{};
  std::uint64_t offset = 0;
  std::uint64_t durable = 0;  ///< a multiple of sync_bytes
  bool is_finished = false;
  bool is_broken = false;
};

Upload::Upload(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upload::Upload(Upload&&) noexcept = default;

Upload& Upload::operator=(Upload&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Upload::~Upload() {
  if (state_) state_->store.let_go(*state_);
}

const DeclaredUpload& Upload::declared() const { return state_->declared; }
std::uint64_t Upload::offset() const { return state_->offset; }
bool Upload::is_finished() const { return state_->is_finished; }

void Upload::write(std::span<const std::byte> bytes) {
  State& state = *state_;
  require(!state.is_broken && (!state.is_finished || bytes.empty()),
          "Upload: it has ended, nothing can be written");
  if (bytes.size() > state.declared.bytes - state.offset) {
    throw RefusedUpload(fmt::format("{}: more than the {} bytes that were declared",
                                    described(state.declared), state.declared.bytes));
  }
  const std::uint64_t step = state.store.config_.sync_bytes;
  try {
    while (!bytes.empty()) {
      // Nothing is written behind a multiple of `step` before all up to it is durable: so the size
      // of a file tells how much of it a power failure has left.
      const auto room = step - state.offset % step;
      const auto part = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
      state.file.write(part);
      state.file.start_writing(state.offset, part.size());
      state.hash.add(part);
      state.offset += part.size();
      bytes = bytes.subspan(part.size());
      if (state.offset % step != 0) continue;
      state.file.sync();
      state.durable = state.offset;
    }
  } catch (const StorageError&) {
    state.is_broken = true;
    // After a failed sync the system may take pages for clean that are on no disk.
    state.offset = state.durable;
    throw;
  }
}

void Upload::finish() {
  State& state = *state_;
  if (state.is_finished) return;
  require(!state.is_broken, "Upload: it has ended, nothing can be finished");
  if (state.offset != state.declared.bytes) {
    throw RefusedUpload(fmt::format("{}: {} of {} bytes have come", described(state.declared),
                                    state.offset, state.declared.bytes));
  }
  if (state.hash.digest() != state.declared.sha256) {
    state.is_broken = true;
    state.offset = state.durable = 0;
    state.file.cut(0);
    throw RefusedUpload(described(state.declared) + ": the bytes do not have the declared SHA-256");
  }
  try {
    if (state.durable != state.offset) state.file.sync();
    internal::move_file(state.file.path(),
                        state.store.path(state.declared.site, state.declared.id));
  } catch (const StorageError&) {
    state.is_broken = true;
    state.offset = state.durable;
    throw;
  }
  state.is_finished = true;
  state.store.moved(state);
}

PayloadStore::PayloadStore(fs::path folder, const PayloadStoreConfig& config)
    : folder_(std::move(folder)), config_(config) {
  require(config_.sync_bytes > 0, "PayloadStore: sync_bytes must be positive");
  for (const char* kind : {kPartial, kComplete}) internal::make_private_folder(folder_ / kind);
  look_around();
}

/// What earlier processes have left unfinished.
void PayloadStore::look_around() {
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / kPartial)) {
    if (!entry.is_regular_file()) continue;
    const std::string site = entry.path().parent_path().filename();
    bytes_[site][entry.path().lexically_relative(folder_)] = entry.file_size();
  }
}

fs::path PayloadStore::path(const std::string& site, const std::string& id) const {
  check_names(site, id);
  return folder_ / kComplete / site / id;
}

fs::path PayloadStore::partial_path(const DeclaredUpload& declared) const {
  // No name holds a "~".
  return folder_ / kPartial / declared.site / (declared.id + "~" + to_hex(declared.sha256));
}

bool PayloadStore::has(const std::string& site, const std::string& id) const {
  return fs::exists(path(site, id));
}

std::vector<std::byte> PayloadStore::read(const std::string& site, const std::string& id) const {
  return internal::read_all(path(site, id));
}

std::uint64_t PayloadStore::size(const std::string& site, const std::string& id) const {
  return DurableFile::open(path(site, id), false).size();
}

void PayloadStore::read(const std::string& site, const std::string& id,
                        const TakePart& take) const {
  const DurableFile file = DurableFile::open(path(site, id), false);
  read_parts(file, file.size(), take);
}

Upload PayloadStore::begin(const DeclaredUpload& declared) {
  try {
    check_names(declared.site, declared.id);
  } catch (const ConfigError& error) {
    throw RefusedUpload(error.what());
  }
  if (declared.bytes > config_.max_update_bytes) {
    throw RefusedUpload(fmt::format("{}: {} bytes, and {} are allowed", described(declared),
                                    declared.bytes, config_.max_update_bytes));
  }
  claim(declared);
  Upload upload(std::make_unique<Upload::State>(Upload::State{*this, declared}));
  if (has(declared.site, declared.id)) {
    open_whole(*upload.state_);
  } else {
    open_partial(*upload.state_);
  }
  return upload;
}

/// Marks the upload as under way, and its bytes as used.
void PayloadStore::claim(const DeclaredUpload& declared) {
  const std::lock_guard lock(mutex_);
  if (busy_.contains({declared.site, declared.id})) {
    throw PostponedUpload(described(declared) + " is being received already");
  }
  if (!has(declared.site, declared.id)) {
    make_room(declared);
    require_space(declared);
    bytes_[declared.site][partial_path(declared).lexically_relative(folder_)] = declared.bytes;
  }
  busy_.emplace(declared.site, declared.id);
}

/// Removes what the site has left unfinished, first with other bytes under this id, then as far as
/// room is needed.
void PayloadStore::make_room(const DeclaredUpload& declared) {
  auto& files = bytes_[declared.site];
  const Name own = partial_path(declared).lexically_relative(folder_);
  const auto others = bytes_of_locked(declared.site) - (files.contains(own) ? files[own] : 0);
  std::uint64_t used = others;
  std::size_t count = files.size() - (files.contains(own) ? 1 : 0);
  for (auto file = files.begin(); file != files.end();) {
    const std::string name = fs::path(file->first).filename();
    const std::string id = name.substr(0, name.find('~'));
    const bool is_idle = file->first.starts_with(kPartial) && file->first != own &&
                         !busy_.contains({declared.site, id});
    const bool is_in_the_way = id == declared.id || count >= config_.max_site_uploads ||
                               used + declared.bytes > config_.max_site_bytes;
    if (!is_idle || !is_in_the_way) {
      ++file;
      continue;
    }
    fs::remove(folder_ / file->first);
    offsets_.erase(file->first);
    used -= file->second;
    --count;
    file = files.erase(file);
  }
  if (used + declared.bytes > config_.max_site_bytes) {
    throw RefusedUpload(fmt::format("{}: {} bytes on top of {}, and a site may have {}",
                                    described(declared), declared.bytes, used,
                                    config_.max_site_bytes));
  }
  if (count >= config_.max_site_uploads) {
    throw PostponedUpload(
        fmt::format("{}: {} others of the site are being received", described(declared), count));
  }
}

namespace {

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
  return bytes % kMebi == 0 ? fmt::format("{} MiB", bytes / kMebi) : fmt::format("{} bytes", bytes);
}

}  // namespace

/// A disk that an upload fills would stop the log, and with it the server.
void PayloadStore::require_space(const DeclaredUpload& declared) const {
  if (config_.reserve_bytes == 0) return;
  std::error_code error;
  const std::uint64_t there = fs::file_size(partial_path(declared), error);
  const std::uint64_t missing = declared.bytes - std::min(declared.bytes, error ? 0 : there);
  const std::uint64_t available = fs::space(folder_).available;
  if (available >= config_.reserve_bytes && missing <= available - config_.reserve_bytes) return;
  throw PostponedUpload(fmt::format(
      "{}: {} more bytes would leave less than the {} that must stay free on the "
      "server's disk with {}, which has {} bytes free",
      described(declared), missing, size_text(config_.reserve_bytes), folder_.string(), available));
}

void PayloadStore::open_whole(Upload::State& state) {
  state.file = DurableFile::open(path(state.declared.site, state.declared.id), false);
  const std::uint64_t bytes = state.file.size();
  if (bytes == state.declared.bytes) add_file(state.hash, state.file, bytes);
  if (bytes != state.declared.bytes || state.hash.digest() != state.declared.sha256) {
    throw RefusedUpload(described(state.declared) + " has been received before, with other bytes");
  }
  // A crash may have come between the new name and its sync.
  internal::sync_names(state.file.path().parent_path());
  state.offset = bytes;
  state.is_finished = true;
}

void PayloadStore::open_partial(Upload::State& state) {
  const fs::path file = partial_path(state.declared);
  make_site_folders(state.declared.site);
  if (!fs::exists(file)) {
    state.file = DurableFile::create(file);
    internal::sync_names(file.parent_path());
    return;
  }
  state.file = DurableFile::open(file, true);
  const std::uint64_t size = state.file.size();
  const std::uint64_t step = config_.sync_bytes;
  std::uint64_t good = size == 0 ? 0 : (size - 1) / step * step;
  {
    const std::lock_guard lock(mutex_);
    const auto known = offsets_.find(file.lexically_relative(folder_));
    if (known != offsets_.end()) good = known->second;
  }
  if (good > state.declared.bytes || good > size) good = 0;
  if (good != size) state.file.cut(good);
  add_file(state.hash, state.file, good);
  state.offset = state.durable = good / step * step;  // should the next sync fail
  if (good != state.durable) state.file.sync();
  state.offset = good;
}

void PayloadStore::make_site_folders(const std::string& site) {
  {
    const std::lock_guard lock(mutex_);
    if (sites_.contains(site)) return;
  }
  for (const char* kind : {kPartial, kComplete}) {
    internal::make_private_folder(folder_ / kind / site);
  }
  const std::lock_guard lock(mutex_);
  sites_.insert(site);
}

void PayloadStore::let_go(const Upload::State& state) {
  const std::lock_guard lock(mutex_);
  busy_.erase({state.declared.site, state.declared.id});
  const Name name = partial_path(state.declared).lexically_relative(folder_);
  if (!state.is_finished && bytes_[state.declared.site].contains(name)) {
    offsets_[name] = state.offset;
  }
}

void PayloadStore::moved(const Upload::State& state) {
  const std::lock_guard lock(mutex_);
  const Name name = partial_path(state.declared).lexically_relative(folder_);
  bytes_[state.declared.site].erase(name);
  offsets_.erase(name);
}

/// With the lock.
void PayloadStore::forget(const fs::path& file) {
  const Name name = file.lexically_relative(folder_);
  bytes_[file.parent_path().filename()].erase(name);
  offsets_.erase(name);
}

void PayloadStore::release(const std::string& site, const std::string& id) {
  const fs::path file = path(site, id);
  if (config_.keep_updates) return;
  const std::lock_guard lock(mutex_);
  std::error_code error;
  // Should a power failure bring the name back, clean() finds it.
  if (!fs::remove(file, error) && error) throw StorageError("remove", file, error.value());
  forget(file);
}

std::size_t PayloadStore::clean(
    std::chrono::seconds age,
    const std::function<bool(const std::string& site, const std::string& id)>& is_wanted) {
  const std::lock_guard lock(mutex_);
  const auto latest = fs::file_time_type::clock::now() - age;
  std::vector<fs::path> old;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file() || entry.last_write_time() > latest) continue;
    const std::string site = entry.path().parent_path().filename();
    const std::string name = entry.path().filename();
    const std::string id = name.substr(0, name.find('~'));
    const bool is_partial = entry.path().parent_path().parent_path().filename() == kPartial;
    if (busy_.contains({site, id}) || (!is_partial && is_wanted(site, id))) continue;
    old.push_back(entry.path());
  }
  for (const fs::path& file : old) {
    logger("scheduler")->info("{} was left over; removed", file.string());
    fs::remove(file);
    forget(file);
  }
  return old.size();
}

std::uint64_t PayloadStore::bytes_of(const std::string& site) const {
  const std::lock_guard lock(mutex_);
  return bytes_of_locked(site);
}

std::uint64_t PayloadStore::bytes_of_locked(const std::string& site) const {
  std::uint64_t sum = 0;
  if (const auto files = bytes_.find(site); files != bytes_.end()) {
    for (const auto& [name, bytes] : files->second) sum += bytes;
  }
  return sum;
}

}  // namespace convoy::scheduler::journal
