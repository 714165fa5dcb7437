// SPDX-License-Identifier: Apache-2.0
#include "launch/process/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace convoy::launch {
namespace {

/// Sets the limits of this process and puts the soft one back.
class SoftLimit {
 public:
  explicit SoftLimit(rlim_t soft) {
    (void)::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit changed = before_;
    changed.rlim_cur = soft;
    (void)::setrlimit(RLIMIT_NOFILE, &changed);
  }
  ~SoftLimit() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }
  [[nodiscard]] rlim_t hard() const { return before_.rlim_max; }

 private:
  rlimit before_{};
};

std::size_t open_up_to(std::size_t most) {
  std::vector<int> taken;
  while (taken.size() < most) {
    const int descriptor = ::dup(0);
    if (descriptor < 0) break;
    taken.push_back(descriptor);
  }
  for (const int descriptor : taken) ::close(descriptor);
  return taken.size();
}

TEST(Descriptors, AreAsManyAsTheSystemAllows) {
  const SoftLimit few(64);
  ASSERT_GT(few.hard(), 200U);
  EXPECT_LT(open_up_to(100), 64U);
  EXPECT_EQ(raise_descriptor_limit(), few.hard());
  EXPECT_EQ(open_up_to(100), 100U);
  EXPECT_EQ(raise_descriptor_limit(), few.hard());
}

}  // namespace
}  // namespace convoy::launch
