// SPDX-License-Identifier: Apache-2.0
#include "launch/process/mpirun.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"

namespace convoy::launch {
namespace {

bool has(const std::vector<std::string>& words, const std::vector<std::string>& part) {
  return std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

TEST(Mpirun, ReadsTheVersion) {
  EXPECT_EQ(open_mpi_major("mpirun (Open MPI) 4.1.4\n"), 4);
  EXPECT_EQ(open_mpi_major("mpirun (Open MPI) 5.0.7\n"), 5);
  EXPECT_EQ(open_mpi_major("HYDRA build details:\n"), 0);
  EXPECT_EQ(open_mpi_major(""), 0);
}

TEST(Mpirun, GivesHostsTheirSlots) {
  EXPECT_EQ(with_slots("a,b", 4), "a:2,b:2");
  EXPECT_EQ(with_slots("a,b", 3), "a:2,b:2");
  EXPECT_EQ(with_slots("a:3,b", 4), "a:3,b:2");
  for (const char* wrong : {"a,,b", ":2", "a:", "a:x", "a:0", "a:2x"}) {
    EXPECT_THROW((void)with_slots(wrong, 2), ConfigError) << wrong;
  }
}

TEST(Mpirun, SpeaksToBothVersions) {
  const MpirunRequest request{.ranks = 3,
                              .hosts = "a,b:2",
                              .environment = {"OMP_NUM_THREADS"},
                              .program = {"/bin/convoy", "train", "job.toml"}};
  const auto four = mpirun_arguments({"/usr/bin/mpirun", 4}, request);
  const auto five = mpirun_arguments({"/usr/bin/mpirun", 5}, request);
  EXPECT_TRUE(has(four, {"--oversubscribe"}));
  EXPECT_TRUE(has(five, {"--map-by", ":OVERSUBSCRIBE"}));
  for (const auto& words : {four, five}) {
    EXPECT_EQ(words.front(), "/usr/bin/mpirun");
    EXPECT_TRUE(has(words, {"--allow-run-as-root"}));
    EXPECT_TRUE(has(words, {"--bind-to", "none"}));
    EXPECT_TRUE(has(words, {"--mca", "mpi_yield_when_idle", "1"}));
    EXPECT_TRUE(has(words, {"-n", "3", "--host", "a:2,b:2", "-x", "OMP_NUM_THREADS"}));
    EXPECT_TRUE(has(words, {"/bin/convoy", "train", "job.toml"}));
  }
}

}  // namespace
}  // namespace convoy::launch
