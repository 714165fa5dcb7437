// SPDX-License-Identifier: Apache-2.0
#include "scheduler/journal/outbox.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/journal/storage_error.h"
#include "tests/scheduler/journal/faulty_disk.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

using namespace scheduler::journal;
namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// All three differ by update.
struct Content {
  explicit Content(int number)
      : id("u" + std::to_string(number)),
        update(static_cast<std::size_t>(50 + number), static_cast<char>('a' + number)),
        residual("residual " + std::to_string(number)),
        entry("entry " + std::to_string(number)) {}

  [[nodiscard]] OutgoingUpdate outgoing() const {
    return {id, "{\"round\":3}", bytes_of(update), bytes_of(residual), bytes_of(entry)};
  }

  std::string id, update, residual, entry;
};

std::string update_in(const Outbox& outbox) {
  std::string text(1000, '\0');
  text.resize(outbox.read_update(0, std::as_writable_bytes(std::span(text))));
  return text;
}

std::string residual_in(const Outbox& outbox) {
  std::string text(1000, '\0');
  text.resize(outbox.read_residual(0, std::as_writable_bytes(std::span(text))));
  return text;
}

/// An idempotent ledger.
struct Ledger {
  std::set<std::string> entries;
  Outbox::Ledger sink() {
    return [this](const std::string& id, std::span<const std::byte> entry) {
      entries.insert(id + "=" +
                     std::string(reinterpret_cast<const char*>(entry.data()), entry.size()));
    };
  }
};

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() { disk::reset(); }
  ~OutboxTest() override { disk::reset(); }
  TemporaryFolder folder_;
  fs::path box_ = folder_.path() / "outbox";
};

TEST_F(OutboxTest, GivesBackTheSameBytesAfterARestart) {
  const Content content(1);
  {
    Outbox outbox(box_);
    EXPECT_FALSE(outbox.stored());
    outbox.store(content.outgoing());
    EXPECT_EQ(update_in(outbox), content.update);
  }
  Outbox outbox(box_);
  ASSERT_TRUE(outbox.stored());
  EXPECT_EQ(outbox.stored()->id, "u1");
  EXPECT_EQ(outbox.stored()->facts, "{\"round\":3}");
  EXPECT_EQ(outbox.stored()->bytes, content.update.size());
  EXPECT_EQ(outbox.stored()->sha256, sha256(content.update));
  EXPECT_FALSE(outbox.stored()->is_settled);
  EXPECT_EQ(update_in(outbox), content.update);
  EXPECT_EQ(residual_in(outbox), content.residual);
  std::byte last{};
  EXPECT_EQ(outbox.read_update(content.update.size() - 1, std::span(&last, 1)), 1U);
  EXPECT_EQ(outbox.read_update(content.update.size(), std::span(&last, 1)), 0U);
}

TEST_F(OutboxTest, NeverReplacesWhatMayHaveLeft) {
  Outbox outbox(box_);
  outbox.store(Content(1).outgoing());
  EXPECT_THROW(outbox.store(Content(2).outgoing()), ContractError);
  EXPECT_THROW(outbox.settle("u2"), ContractError);
  outbox.settle("u1");
  EXPECT_TRUE(outbox.stored()->is_settled);
  EXPECT_THROW(outbox.store(Content(1).outgoing()), ContractError);
  outbox.store(Content(2).outgoing());
  EXPECT_FALSE(outbox.stored()->is_settled);
  EXPECT_EQ(update_in(outbox), Content(2).update);
}

TEST_F(OutboxTest, RemembersWhatIsSettled) {
  {
    Outbox outbox(box_);
    outbox.store(Content(1).outgoing());
    outbox.settle("u1");
  }
  Outbox outbox(box_);
  EXPECT_TRUE(outbox.stored()->is_settled);
  EXPECT_EQ(residual_in(outbox), Content(1).residual) << "the next update is encoded with it";
}

TEST_F(OutboxTest, APowerFailureLeavesAllOfOneUpdate) {
  // At every sync of storing two updates one after the other.
  int cut = 0;
  Ledger ledger;
  std::vector<fs::path> lefts;
  Outbox outbox(box_, ledger.sink());
  disk::before_sync([&] {
    lefts.push_back(folder_.path() / ("left" + std::to_string(cut++)));
    disk::survive_power_failure(box_, lefts.back());
  });
  outbox.store(Content(1).outgoing());
  outbox.settle("u1");
  outbox.store(Content(2).outgoing());
  disk::before_sync({});
  lefts.push_back(folder_.path() / "end");
  disk::survive_power_failure(box_, lefts.back());
  ASSERT_GE(lefts.size(), 4U);
  for (const fs::path& left : lefts) {
    Ledger later;
    const Outbox found(left, later.sink());
    if (left == lefts.front()) {
      EXPECT_FALSE(found.stored());
      continue;
    }
    ASSERT_TRUE(found.stored()) << left;
    const Content content(left == lefts.back() ? 2 : 1);
    EXPECT_EQ(found.stored()->id, content.id);
    EXPECT_EQ(update_in(found), content.update);
    EXPECT_EQ(residual_in(found), content.residual);
    EXPECT_TRUE(later.entries.contains(content.id + "=" + content.entry));
  }
}

TEST_F(OutboxTest, TheLedgerKnowsBeforeAnythingLeaves) {
  Ledger ledger;
  {
    Outbox outbox(box_, [](const std::string&, std::span<const std::byte>) {
      throw StorageError("write", "/ledger", ENOSPC);
    });
    EXPECT_THROW(outbox.store(Content(1).outgoing()), StorageError);
  }
  const Outbox outbox(box_, ledger.sink());
  EXPECT_EQ(ledger.entries, std::set<std::string>{"u1=entry 1"});
  EXPECT_EQ(outbox.stored()->id, "u1");
}

TEST_F(OutboxTest, AFullDiskLeavesTheOldUpdate) {
  Outbox outbox(box_);
  outbox.store(Content(1).outgoing());
  outbox.settle("u1");
  for (int n = 0; n < 4; ++n) {
    disk::fail_write(n, ENOSPC);
    EXPECT_THROW(outbox.store(Content(2).outgoing()), StorageError);
    disk::reset();
    EXPECT_EQ(outbox.stored()->id, "u1");
    EXPECT_EQ(update_in(outbox), Content(1).update);
    EXPECT_FALSE(fs::exists(box_ / "update.new"));
  }
  outbox.store(Content(2).outgoing());
}

TEST_F(OutboxTest, FindsEveryFlippedBitAndEveryCut) {
  { Outbox(box_).store(Content(1).outgoing()); }
  const std::string whole = read_text_file(box_ / "update");
  const fs::path other = folder_.path() / "other";
  { const Outbox make(other); }
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    fs::remove(other / "update");
    folder_.file("other/update", flipped);
    EXPECT_THROW(const Outbox outbox(other), DamageError) << bit;
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    fs::remove(other / "update");
    folder_.file("other/update", whole.substr(0, size));
    EXPECT_THROW(const Outbox outbox(other), DamageError) << size;
  }
}

TEST_F(OutboxTest, IsPrivateAndBelongsToOneProcess) {
  const mode_t before = ::umask(0);
  Outbox outbox(box_);
  outbox.store(Content(1).outgoing());
  outbox.settle("u1");
  ::umask(before);
  struct stat status {};
  for (const auto& entry : fs::directory_iterator(box_)) {
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << entry.path();
  }
  EXPECT_THROW(const Outbox second(box_), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
