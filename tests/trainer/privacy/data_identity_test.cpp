// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/data_identity.h"

#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"
#include "base/hash.h"
#include "base/plain_name.h"
#include "base/sha256.h"
#include "tests/temporary_folder.h"

namespace convoy::trainer::privacy {
namespace {

namespace fs = std::filesystem;

class DataIdentity : public ::testing::Test {
 protected:
  /// Two files, one of them in a folder below.
  [[nodiscard]] fs::path make_folder(const std::string& name) const {
    const fs::path made = folder.path() / name;
    fs::create_directories(made / "below");
    (void)folder.file(name + "/a", "one");
    (void)folder.file(name + "/below/b", "two");
    return made;
  }

  tests::TemporaryFolder folder;
};

TEST_F(DataIdentity, OfAFileIsItsBytesAndTheShare) {
  const std::string data = folder.file("table.csv", "a,b\n1,2\n");
  const std::string name = identity_of_files(data, "0/1");
  EXPECT_TRUE(is_plain_name(name)) << name;
  EXPECT_EQ(name,
            to_hex(sha256("4:file64:" + to_hex(sha256("a,b\n1,2\n")) + "3:0/1")).substr(0, 32));
  EXPECT_EQ(identity_of_files(folder.file("other-name", "a,b\n1,2\n"), "0/1"), name);
  const std::set<std::string> all{name, identity_of_files(data, "0/2"),
                                  identity_of_files(data, "1/2"),
                                  identity_of_files(folder.file("c", "a,b\n1,3\n"), "0/1"),
                                  identity_of_files(folder.file("d", ""), "0/1")};
  EXPECT_EQ(all.size(), 5U);
}

TEST_F(DataIdentity, OfAFolderIsAllFilesWithTheirNames) {
  const fs::path data = make_folder("data");
  const std::string name = identity_of_files(data, "0/1");
  EXPECT_EQ(identity_of_files(make_folder("copy"), "0/1"), name);
  EXPECT_EQ(identity_of_files(data / "", "0/1"), name) << "the same folder";
  fs::create_directory(data / "empty");
  EXPECT_EQ(identity_of_files(data, "0/1"), name);

  std::set<std::string> all{name, identity_of_files(data, "1/2")};
  fs::rename(data / "a", data / "aa");  // in the same place of the order
  all.insert(identity_of_files(data, "0/1"));
  (void)folder.file("data/below/b", "tw0");
  all.insert(identity_of_files(data, "0/1"));
  (void)folder.file("data/new", "");
  all.insert(identity_of_files(data, "0/1"));
  EXPECT_EQ(all.size(), 5U);
}

TEST_F(DataIdentity, FollowsLinksAsReadersDo) {
  const std::string name = identity_of_files(make_folder("data"), "0/1");
  const fs::path linked = folder.path() / "linked";
  fs::create_directory(linked);
  fs::create_symlink(folder.path() / "data" / "a", linked / "a");
  fs::create_directory_symlink(folder.path() / "data" / "below", linked / "below");
  EXPECT_EQ(identity_of_files(linked, "0/1"), name);
}

TEST_F(DataIdentity, ReadsFilesInPieces) {
  const std::string large(3'000'001, 'x');
  const std::string name = identity_of_files(folder.file("large", large), "0/1");
  EXPECT_EQ(name, to_hex(sha256("4:file64:" + to_hex(sha256(large)) + "3:0/1")).substr(0, 32));
}

TEST_F(DataIdentity, OfMadeDataIsWhatMakesThem) {
  const std::string name = identity_of_made_data("synthetic 300", "0/1");
  EXPECT_TRUE(is_plain_name(name));
  EXPECT_NE(identity_of_made_data("synthetic 301", "0/1"), name);
  EXPECT_NE(identity_of_made_data("synthetic 300", "0/2"), name);
}

TEST_F(DataIdentity, NamesWhatCannotBeRead) {
  const std::string missing = folder / "missing";
  try {
    (void)identity_of_files(missing, "0/1");
    FAIL() << "read";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), "cannot read " + missing + ": No such file or directory");
  }
  const fs::path loop = make_folder("loop");
  fs::create_directory_symlink(loop, loop / "again");
  EXPECT_THROW((void)identity_of_files(loop, "0/1"), ConfigError);
}

}  // namespace
}  // namespace convoy::trainer::privacy
