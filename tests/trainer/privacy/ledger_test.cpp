// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/ledger.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"

namespace convoy::trainer::privacy {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

constexpr Mechanism kStep{0.01, 1.0};
constexpr Budget kBudget{.epsilon = 2.0, .delta = 1e-5};
const LedgerOwner kOwner{.site = "north", .data = "00ff00ff00ff00ff"};

/// What it throws says; empty where it throws nothing.
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

class LedgerTest : public testing::Test {
 protected:
  [[nodiscard]] Ledger open(const LedgerOwner& owner = kOwner, Budget budget = kBudget) const {
    return {path(), owner, budget};
  }
  [[nodiscard]] fs::path path() const { return ledger_path(folder.path() / "ledgers", kOwner); }
  [[nodiscard]] std::string why_not() const {
    return refusal([&] { (void)open(); });
  }
  /// A ledger with three rounds.
  void spend_three_rounds() const {
    Ledger ledger = open();
    for (const int steps : {20, 100, 37}) {
      ledger.spend(kStep, steps, "round " + std::to_string(steps), true);
    }
  }

  TemporaryFolder folder;
};

TEST_F(LedgerTest, RemembersWhatWasSpent) {
  spend_three_rounds();
  const Ledger again = open();
  EXPECT_NEAR(again.spent().epsilon, 1.326400, 1e-6);
  EXPECT_EQ(again.account().spent.steps(), 157);
  EXPECT_EQ(again.account().records, 3);
  EXPECT_EQ(again.account().insecure_steps, 0);
  EXPECT_EQ(again.account().owner, kOwner);
  const Account account = read_account(path());  // while it is held
  EXPECT_EQ(account.spent.curve(), again.account().spent.curve());
  EXPECT_EQ(account.budget.epsilon, 2.0);
}

TEST_F(LedgerTest, KeepsEveryBitOfADouble) {
  const Mechanism odd{std::nextafter(0.1, 1.0), 1.0 / 3.0 + 5.0};
  {
    Ledger ledger = open();
    ledger.spend(odd, 3, "", true);
  }
  EXPECT_EQ(open().account().spent.releases().front().first, odd);
}

TEST_F(LedgerTest, OnlyGrows) {
  { const Ledger ledger = open(); }
  const std::string before = read_text_file(path());
  spend_three_rounds();
  const std::string after = read_text_file(path());
  EXPECT_TRUE(after.starts_with(before));
  EXPECT_EQ(std::count(after.begin(), after.end(), '\n'), 4);
}

TEST_F(LedgerTest, AllowsWhatTheBudgetAllowsAndNoStepMore) {
  Ledger ledger = open();
  ledger.spend(kStep, 100, "", true);
  const std::int64_t rest = ledger.allowed(kStep, 1'000'000);
  EXPECT_EQ(ledger.allowed(kStep, rest - 1), rest - 1);
  EXPECT_THROW(ledger.spend(kStep, rest + 1, "", true), ContractError);
  EXPECT_EQ(ledger.account().spent.steps(), 100);
  ledger.spend(kStep, rest, "", true);
  EXPECT_LE(ledger.spent().epsilon, kBudget.epsilon);
  EXPECT_EQ(ledger.allowed(kStep, 1), 0);
}

TEST_F(LedgerTest, TheBudgetMayChangeAndWhatIsSpentStays) {
  spend_three_rounds();
  {
    const Ledger less = open(kOwner, {.epsilon = 1.0, .delta = 1e-6});
    EXPECT_EQ(less.allowed(kStep, 10), 0);
    EXPECT_GT(less.spent().epsilon, 1.3264);  // at the smaller delta
  }
  EXPECT_EQ(read_account(path()).budget.epsilon, 1.0);
  EXPECT_GT(open().allowed(kStep, 10), 0);
}

TEST_F(LedgerTest, MarksNoiseThatComesFromASeed) {
  {
    Ledger ledger = open();
    ledger.spend(kStep, 5, "", true);
    ledger.spend(kStep, 7, "", false);
  }
  EXPECT_EQ(read_account(path()).insecure_steps, 7);
  EXPECT_EQ(read_account(path()).spent.steps(), 12);
}

TEST_F(LedgerTest, RefusesOthersLedgers) {
  spend_three_rounds();
  for (const auto& other : {LedgerOwner{.site = "south", .data = kOwner.data},
                            LedgerOwner{.site = kOwner.site, .data = "11"}}) {
    EXPECT_EQ(refusal([&] { (void)open(other); }),
              path().string() + " is the ledger of site north and data 00ff00ff00ff00ff, not of " +
                  "site " + other.site + " and data " + other.data);
  }
}

TEST_F(LedgerTest, NamesTheFolderThatCannotHoldIt) {
  const std::string file = folder.file("file", "");
  EXPECT_EQ(refusal([&] { (void)Ledger(folder.path() / "file" / "x", kOwner, kBudget); }),
            "cannot make the folder " + file + ": File exists");
  const fs::path odd = "/proc/" + std::string(64, 'x') + ".ledger";  // where nobody makes files
  EXPECT_EQ(refusal([&] { (void)Ledger(odd, kOwner, kBudget); }),
            "cannot begin the ledger " + odd.string() + ": No such file or directory");
}

TEST_F(LedgerTest, MakesItsFolderForItsOwnerAlone) {
  const mode_t before = ::umask(0);
  (void)open();
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(path().parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(LedgerTest, CanBeTriedWithoutHoldingOrBeginningIt) {
  require_ledger(path(), kOwner);
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_TRUE(fs::is_directory(path().parent_path()));
  spend_three_rounds();
  const Ledger held = open();
  require_ledger(path(), kOwner);
  EXPECT_NE(refusal([&] { require_ledger(path(), {.site = "south", .data = kOwner.data}); }), "");
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  EXPECT_NE(refusal([&] { require_ledger(path(), kOwner); }), "");
  (void)folder.file("file", "");
  EXPECT_NE(refusal([&] { require_ledger(folder.path() / "file" / "x", kOwner); }), "");
  EXPECT_NE(refusal([&] { require_ledger("/proc/x.ledger", kOwner); }), "");
}

TEST_F(LedgerTest, RefusesNamesThatLeadElsewhere) {
  for (const std::string name : {"", ".", "..", "a/b", "../x", "a b", "\xc3\xa4"}) {
    EXPECT_THROW((void)ledger_path(folder.path(), {.site = name, .data = "1"}), ConfigError);
    EXPECT_THROW((void)ledger_path(folder.path(), {.site = "a", .data = name}), ConfigError);
  }
  EXPECT_THROW((void)ledger_path(folder.path(), {.site = std::string(65, 'a'), .data = "1"}),
               ConfigError);
}

TEST_F(LedgerTest, IsForItsOwnerAlone) {
  spend_three_rounds();
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  for (const auto mode : {0640, 0604, 0660, 0610, 0644}) {
    ASSERT_EQ(::chmod(path().c_str(), static_cast<mode_t>(mode)), 0);
    EXPECT_NE(why_not().find("others than its owner can get at it"), std::string::npos) << mode;
    EXPECT_THROW((void)read_account(path()), ConfigError);
  }
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_EQ(why_not(), "");
}

TEST_F(LedgerTest, RefusesWhatIsNoPlainFile) {
  spend_three_rounds();
  const fs::path moved = folder.path() / "moved";
  fs::rename(path(), moved);
  fs::create_symlink(moved, path());
  EXPECT_NE(why_not().find("it is a symbolic link"), std::string::npos) << why_not();
  fs::remove(path());
  fs::create_directory(path());
  EXPECT_NE(why_not(), "");
  fs::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_NE(why_not().find("no plain file"), std::string::npos) << why_not();
}

/// Every byte of every record counts, and so does every record before the last one.
TEST_F(LedgerTest, RefusesADamagedFile) {
  spend_three_rounds();
  const std::string good = read_text_file(path());
  const auto with = [&](std::string text) {
    std::ofstream(path(), std::ios::binary) << text;
    EXPECT_EQ(::chmod(path().c_str(), 0600), 0);
    return why_not();
  };
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ASSERT_NE(with(bad).find("damaged"), std::string::npos) << i << ": " << with(bad);
  }
  const auto second = good.find('\n') + 1;
  const auto third = good.find('\n', second) + 1;
  EXPECT_EQ(with(good.substr(0, second) + good.substr(third)),
            path().string() + ":2: the ledger is damaged: this record is not what was written " +
                "after those before it");
  EXPECT_NE(with(good + good.substr(second, third - second)).find("damaged"), std::string::npos);
  EXPECT_NE(with("").find("damaged"), std::string::npos);
  EXPECT_NE(with("hello\n").find("damaged"), std::string::npos);
  EXPECT_EQ(with(good), "");
}

/// append() had not returned, so that no update had left.
TEST_F(LedgerTest, TakesOffARecordThatACrashHasCutShort) {
  spend_three_rounds();
  const std::string good = read_text_file(path());
  const auto last = good.rfind('\n', good.size() - 2) + 1;
  for (const std::size_t size : {last + 1, good.size() - 1}) {
    write_file_atomic(path(), good.substr(0, size));
    ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
    EXPECT_EQ(read_account(path()).spent.steps(), 120);
    {
      Ledger ledger = open();
      EXPECT_EQ(ledger.account().spent.steps(), 120);
      ledger.spend(kStep, 37, "round 37", true);
    }
    EXPECT_EQ(read_text_file(path()), good);
  }
}

TEST_F(LedgerTest, IsHeldByOneProcess) {
  {
    const Ledger ledger = open();
    EXPECT_EQ(why_not(), "another process holds the ledger " + path().string() +
                             ": a site spends its budget in one place at a time");
    const pid_t child = ::fork();
    if (child == 0) ::_exit(why_not().find("another process holds") == 0 ? 7 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 7);
  }
  EXPECT_EQ(why_not(), "");
}

/// Whatever a killed process was told to be on disk is there, and nothing is counted twice.
TEST_F(LedgerTest, SurvivesSigkill) {
  { const Ledger ledger = open(); }
  std::int64_t told_in_all = 0;
  for (int kill = 0; kill < 5; ++kill) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const std::int64_t before = read_account(path()).spent.steps();
    const pid_t child = ::fork();
    if (child == 0) {
      Ledger ledger = open(kOwner, {.epsilon = 1e6, .delta = 1e-5});
      for (;;) {
        ledger.spend(kStep, 1, "", true);
        if (::write(pipe_ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    char told = 0;
    std::int64_t count = 0;
    while (count < 20 + kill && ::read(pipe_ends[0], &told, 1) == 1) ++count;
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &told, 1) == 1) ++count;
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    const std::int64_t noted =
        open(kOwner, {.epsilon = 1e6, .delta = 1e-5}).account().spent.steps();
    EXPECT_GE(noted, before + count);
    EXPECT_LE(noted, before + count + 1);  // one may have been on disk and not told
    told_in_all += count;
  }
  EXPECT_GE(told_in_all, 100);
}

TEST_F(LedgerTest, CannotBeBegunWhereNothingCanBeWritten) {
  const std::string file = folder.file("file", "");
  EXPECT_ANY_THROW((void)Ledger(fs::path(file) / "a.b.ledger", kOwner, kBudget));
  EXPECT_THROW((void)read_account(folder.path() / "none"), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer::privacy
