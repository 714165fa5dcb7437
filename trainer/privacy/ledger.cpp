// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/ledger.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file.h"
#include "base/json_object.h"
#include "base/plain_name.h"
#include "base/private_folder.h"

namespace convoy::trainer::privacy {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kFormat = 1;
constexpr double kSmallest = 1e-300;

void check_name(const std::string& name, const std::string& what) {
  require_config(is_plain_name(name),
                 what + " must be 1 to 64 letters, digits, dots, dashes or underscores");
}

Json budget_json(const Budget& budget) {
  return {{"epsilon", budget.epsilon}, {"delta", budget.delta}};
}

// Doubles are written so that the same bits are read back.
std::string first_record(const LedgerOwner& owner, const Budget& budget) {
  return Json{{"ledger", kFormat},
              {"site", owner.site},
              {"data", owner.data},
              {"budget", budget_json(budget)}}
      .dump();
}

Budget read_budget(const JsonObject& record) {
  const JsonObject budget(record.at("budget"), record.where(), {"epsilon", "delta"});
  return {.epsilon = budget.number("epsilon", 0.0), .delta = budget.number("delta", kSmallest)};
}

void read_release(const JsonObject& record, Account& account) {
  const Mechanism mechanism{.q = record.number("q", 0.0),
                            .sigma = record.number("sigma", kSmallest)};
  if (mechanism.q > 1.0) record.fail("q must be in [0, 1]");
  const std::int64_t steps = record.integer("steps", 1, kMostSteps);
  account.spent.add(mechanism, steps);
  ++account.records;
  if (record.has("insecure")) account.insecure_steps += steps;
}

Account parse(const LedgerFile::Content& content, const fs::path& path) {
  Account account;
  for (std::size_t i = 0; i < content.bodies.size(); ++i) {
    const std::string where = path.string() + ":" + std::to_string(i + 1);
    const auto json = parse_json(content.bodies[i], where);
    const JsonObject record(
        json, where,
        {"ledger", "site", "data", "budget", "q", "sigma", "steps", "what", "insecure"});
    if (i == 0) {
      if (record.integer("ledger") != kFormat) record.fail("a ledger of another version");
      account.owner = {.site = record.text("site"), .data = record.text("data")};
    }
    if (record.has("budget")) account.budget = read_budget(record);
    if (record.has("steps")) read_release(record, account);
  }
  return account;
}

LedgerFile open_or_begin(const fs::path& path, const LedgerOwner& owner, const Budget& budget) {
  check_name(owner.site, "a site's name");
  check_name(owner.data, "a data set's fingerprint");
  require(budget.epsilon >= 0.0 && budget.delta > 0.0 && budget.delta < 1.0,
          "Ledger: no such budget");
  if (!fs::exists(fs::symlink_status(path))) {
    make_private_folder(path.parent_path());
    (void)LedgerFile::create(path, first_record(owner, budget));
  }
  return LedgerFile(path);
}

void require_owner(const LedgerOwner& found, const LedgerOwner& owner, const fs::path& path) {
  require_config(found == owner, path.string() + " is the ledger of site " + found.site +
                                     " and data " + found.data + ", not of site " + owner.site +
                                     " and data " + owner.data);
}

}  // namespace

Account read_account(const fs::path& path) { return parse(LedgerFile::read(path), path); }

fs::path ledger_path(const fs::path& folder, const LedgerOwner& owner) {
  check_name(owner.site, "a site's name");
  check_name(owner.data, "a data set's fingerprint");
  return folder / (owner.site + "." + owner.data + ".ledger");
}

void require_ledger(const fs::path& path, const LedgerOwner& owner) {
  if (!fs::exists(fs::symlink_status(path))) {
    make_private_folder(path.parent_path());
    return require_writable(path);
  }
  require_owner(read_account(path).owner, owner, path);
  require_config(::access(path.c_str(), W_OK) == 0,
                 "cannot write the ledger " + path.string() + ": " + std::strerror(errno));
}

Ledger::Ledger(const fs::path& path, const LedgerOwner& owner, const Budget& budget)
    : file_(open_or_begin(path, owner, budget)), account_(parse(file_.content(), path)) {
  require_owner(account_.owner, owner, path);
  if (account_.budget.epsilon == budget.epsilon && account_.budget.delta == budget.delta) return;
  file_.append(Json{{"budget", budget_json(budget)}}.dump());
  account_.budget = budget;
}

std::int64_t Ledger::allowed(const Mechanism& mechanism, std::int64_t wanted) const {
  return steps_allowed(account_.spent, account_.budget, mechanism, wanted);
}

void Ledger::spend(const Mechanism& mechanism, std::int64_t steps, std::string_view what,
                   bool is_secure) {
  require(steps >= 1, "Ledger::spend: at least one step");
  require(allowed(mechanism, steps) == steps, "Ledger::spend: more than the budget allows");
  Json record{{"q", mechanism.q}, {"sigma", mechanism.sigma}, {"steps", steps}, {"what", what}};
  if (!is_secure) record["insecure"] = true;
  file_.append(record.dump());
  account_.spent.add(mechanism, steps);
  ++account_.records;
  if (!is_secure) account_.insecure_steps += steps;
}

}  // namespace convoy::trainer::privacy
