// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.h"

namespace convoy::scheduler::journal {

/// The sender must not go on with this upload. The message is for it and for the log.
class RefusedUpload : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Not now: the same upload is still being received over another connection, or the disk is nearly
/// full. Nothing is wrong with it.
class PostponedUpload : public RefusedUpload {
  using RefusedUpload::RefusedUpload;
};

struct PayloadStoreConfig {
  std::uint64_t max_update_bytes = std::uint64_t{64} << 30U;
  /// Of what one site has begun and not finished.
  std::uint64_t max_site_bytes = std::uint64_t{128} << 30U;
  /// Unfinished uploads of one site; of those before, the ones that nobody sends are removed.
  std::size_t max_site_uploads = 4;
  /// Of the disk stay free for what matters more: the log, checkpoints. 0: uploads begin whatever
  /// is free.
  std::uint64_t reserve_bytes = std::uint64_t{64} << 20U;
  /// An upload is made durable whenever so many bytes more have come. After a restart or a power
  /// failure at most so many must be sent again, as only whole steps are known to be durable;
  /// smaller is slower.
  std::uint64_t sync_bytes = std::uint64_t{16} << 20U;
  /// release() keeps the payloads, for replays from the initial model.
  bool keep_updates = false;
};

/// What the sender says of an update before its first byte.
struct DeclaredUpload {
  std::string site;
  std::string id;
  std::uint64_t bytes = 0;
  Sha256 sha256{};
};

class PayloadStore;

/// One update on its way into the store. Its file stays where it is when this goes, e.g. with its
/// connection, and PayloadStore::begin() takes it up again. One thread; not longer than the store.
class Upload {
 public:
  Upload(Upload&&) noexcept;
  Upload& operator=(Upload&&) noexcept;
  ~Upload();

  [[nodiscard]] const DeclaredUpload& declared() const;
  /// The byte that must come next.
  [[nodiscard]] std::uint64_t offset() const;
  /// Of what finish() has made durable.
  [[nodiscard]] bool is_finished() const;

  /// @throws RefusedUpload for more bytes than declared; StorageError, after which this upload is
  /// of
  ///         no use: what offset() says then is where a new one goes on.
  void write(std::span<const std::byte> bytes);
  /// All bytes have come: checks them, and gives the payload its name. When it returns they are on
  /// stable storage; the update may be logged, and be acknowledged when that is durable too.
  /// @throws RefusedUpload where bytes are missing, or are others than declared: those are removed.
  void finish();

 private:
  friend class PayloadStore;
  struct State;
  explicit Upload(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Uploaded updates as files: `partial/SITE/ID~SHA256` while they come, `complete/SITE/ID` when
/// they are whole; folders of mode 0700, files of 0600. Any thread; uploads do not wait for each
/// other.
class PayloadStore {
 public:
  /// @throws StorageError.
  explicit PayloadStore(std::filesystem::path folder, const PayloadStoreConfig& config = {});
  PayloadStore(const PayloadStore&) = delete;
  PayloadStore& operator=(const PayloadStore&) = delete;

  /// Begins an upload, or takes it up where it ended: all before its offset() is then on stable
  /// storage. A payload that is whole is finished at once. Reads what is there, for the checksum,
  /// and syncs it.
  /// @throws RefusedUpload where names or sizes are not allowed, or the id has come with other
  ///         bytes; PostponedUpload; StorageError.
  [[nodiscard]] Upload begin(const DeclaredUpload& declared);

  [[nodiscard]] bool has(const std::string& site, const std::string& id) const;
  /// Of a whole payload. @throws ConfigError for names that are not allowed.
  [[nodiscard]] std::filesystem::path path(const std::string& site, const std::string& id) const;
  /// A whole payload. @throws StorageError.
  [[nodiscard]] std::vector<std::byte> read(const std::string& site, const std::string& id) const;
  /// The same in parts of at most 1 MiB, in order. @throws StorageError, DamageError, and what
  /// `take` throws.
  using TakePart = std::function<void(std::span<const std::byte>)>;
  void read(const std::string& site, const std::string& id, const TakePart& take) const;
  /// Bytes of a whole payload. @throws StorageError.
  [[nodiscard]] std::uint64_t size(const std::string& site, const std::string& id) const;

  /// A durable checkpoint contains the update.
  void release(const std::string& site, const std::string& id);

  /// Removes unfinished uploads that nobody has touched for `age`, and whole payloads of that age
  /// that `is_wanted` does not want, e.g. because they are not in the log. @return how many.
  std::size_t clean(
      std::chrono::seconds age,
      const std::function<bool(const std::string& site, const std::string& id)>& is_wanted);

  /// Bytes that a site's unfinished uploads take or may still take.
  [[nodiscard]] std::uint64_t bytes_of(const std::string& site) const;

 private:
  friend class Upload;
  /// A file below the store's folder: "partial/SITE/ID~SHA256".
  using Name = std::string;

  [[nodiscard]] std::filesystem::path partial_path(const DeclaredUpload& declared) const;
  void look_around();
  [[nodiscard]] std::uint64_t bytes_of_locked(const std::string& site) const;
  void claim(const DeclaredUpload& declared);
  void make_room(const DeclaredUpload& declared);
  void require_space(const DeclaredUpload& declared) const;
  void open_partial(Upload::State& state);
  void make_site_folders(const std::string& site);
  void open_whole(Upload::State& state);
  void let_go(const Upload::State& state);
  void moved(const Upload::State& state);
  void forget(const std::filesystem::path& path);

  const std::filesystem::path folder_;
  const PayloadStoreConfig config_;

  mutable std::mutex mutex_;  // guards what follows; not held while files are read and written
  std::set<std::pair<std::string, std::string>> busy_;          ///< site and id
  std::map<std::string, std::map<Name, std::uint64_t>> bytes_;  ///< by site and unfinished file
  std::set<std::string> sites_;                                 ///< whose folders are durable
  std::map<Name, std::uint64_t> offsets_;  ///< of uploads that this process has left off
};

}  // namespace convoy::scheduler::journal
