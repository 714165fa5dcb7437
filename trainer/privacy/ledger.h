// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/privacy/accountant.h"
#include "trainer/privacy/ledger_file.h"

namespace convoy::trainer::privacy {

/// Whose budget it is. Two data sets of a site have a ledger each, as a record in one of them is
/// not in the other; whoever splits one data set in two takes that on himself.
struct LedgerOwner {
  std::string site;  ///< [A-Za-z0-9._-]{1,64}
  std::string data;  ///< names the data set; of the same letters

  bool operator==(const LedgerOwner&) const = default;
};

/// What a ledger says.
struct Account {
  LedgerOwner owner;
  Budget budget;
  Accountant spent;
  std::int64_t records = 0;         ///< releases, most often rounds
  std::int64_t insecure_steps = 0;  ///< of all steps, those whose noise came from a seed
};

/// @throws ConfigError as LedgerFile::read().
[[nodiscard]] Account read_account(const std::filesystem::path& path);

/// Where an owner's ledger is. @throws ConfigError for a name that may not be in a path.
[[nodiscard]] std::filesystem::path ledger_path(const std::filesystem::path& folder,
                                                const LedgerOwner& owner);

/// Finds out whether a Ledger could be opened at `path`, or begun, by looking: another process may
/// hold it meanwhile. Makes the folder. @throws ConfigError as Ledger.
void require_ledger(const std::filesystem::path& path, const LedgerOwner& owner);

/// What a site has given away of one data set, over all jobs, for ever. Held by one process. One
/// thread at a time.
class Ledger {
 public:
  /// Opens the ledger at `path`, or begins it, making the folder. A budget other than the newest
  /// one becomes a record: the site's policy may change, what is spent never does.
  /// @throws ConfigError as LedgerFile; also for another owner's ledger, and for a folder or file
  ///   that cannot be made, which it names.
  Ledger(const std::filesystem::path& path, const LedgerOwner& owner, const Budget& budget);

  [[nodiscard]] const Account& account() const { return account_; }
  [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }
  [[nodiscard]] Spent spent() const { return account_.spent.spent(account_.budget.delta); }
  /// How much of a round of `wanted` steps the budget allows.
  [[nodiscard]] std::int64_t allowed(const Mechanism& mechanism, std::int64_t wanted) const;

  /// Notes a release, before anything of it leaves. Returns when it is on disk.
  /// @param what  for people, e.g. "round 12". @param is_secure  see Entropy.
  /// @throws ContractError where it exceeds the budget; std::runtime_error where it cannot be
  ///   written: then nothing may leave.
  void spend(const Mechanism& mechanism, std::int64_t steps, std::string_view what, bool is_secure);

 private:
  LedgerFile file_;
  Account account_;
};

}  // namespace convoy::trainer::privacy
