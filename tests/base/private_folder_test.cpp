// SPDX-License-Identifier: Apache-2.0
#include "base/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"

namespace convoy {
namespace {

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

TEST(PrivateFolder, MakesFoldersForTheOwnerAlone) {
  const tests::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  make_private_folder(folder.path() / "a" / "b");
  ::umask(before);
  EXPECT_EQ(mode_of(folder.path() / "a"), 0700U);
  EXPECT_EQ(mode_of(folder.path() / "a" / "b"), 0700U);
  ASSERT_EQ(::chmod((folder / "a").c_str(), 0755), 0);
  make_private_folder(folder.path() / "a" / "b" / "");
  EXPECT_EQ(mode_of(folder.path() / "a"), 0755U) << "what is there stays as it is";
}

TEST(PrivateFolder, NamesTheFolderThatCannotBeMade) {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("a", "a file");
  try {
    make_private_folder(folder.path() / "a" / "b");
    FAIL() << "made";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.what(), "cannot make the folder " + file + ": File exists");
  }
}

TEST(PrivateFolder, SyncsWhatIsThere) {
  const tests::TemporaryFolder folder;
  sync_file(folder.file("a", "bytes"));
  EXPECT_THROW(sync_file(folder.path() / "b"), std::runtime_error);
}

}  // namespace
}  // namespace convoy
