// SPDX-License-Identifier: Apache-2.0
#include "base/paths.h"

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;

TEST(Paths, KnowsWhatIsInside) {
  const TemporaryFolder folder;
  const fs::path outer = folder.path() / "state";
  EXPECT_TRUE(is_inside(outer, outer));
  EXPECT_TRUE(is_inside(outer / "a" / "b", outer));
  EXPECT_TRUE(is_inside(outer / "a" / ".." / "b", outer));
  EXPECT_FALSE(is_inside(outer / ".." / "b", outer));
  EXPECT_FALSE(is_inside(folder.path() / "state-of-another", outer));
  EXPECT_FALSE(is_inside(folder.path(), outer));
}

TEST(Paths, FollowsLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "state");
  fs::create_directory_symlink(folder.path() / "state", folder.path() / "elsewhere");
  EXPECT_TRUE(is_inside(folder.path() / "elsewhere" / "ledgers", folder.path() / "state"));
}

}  // namespace
}  // namespace convoy::tests
