// SPDX-License-Identifier: Apache-2.0
// A training has the same bits whatever carries its messages, however they are cut, whenever they
// travel and however late they and the ranks are. CONVOY_TEST_SEED=n tries other times.
#include "tests/trainer/parallel/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace convoy::tests {
namespace {

using trainer::Overlap;

struct Case {
  Training training;
  Setting setting;
};

constexpr std::array kFamilies{"none", "half", "quantize", "top_k", "power_sgd"};
constexpr std::array kLinks{Link::kSharedMemory, Link::kMessages, Link::kTcp, Link::kDelayed};
constexpr std::array kOverlaps{Overlap::kOff, Overlap::kBackward, Overlap::kNextForward};
constexpr std::size_t kSmallChunk = 1000;

std::string name_of(const Training& training) {
  return training.family + "_" + std::to_string(training.ranks) +
         (training.hierarchical ? "_ranks_on_hosts" : "_ranks");
}

std::string name_of(const Case& one) {
  constexpr std::array links{"shared_memory", "messages", "tcp", "delayed"};
  constexpr std::array overlaps{"off", "backward", "next_forward"};
  const auto& [link, chunk_bytes, overlap, seed] = one.setting;
  return name_of(one.training) + "__" + links[static_cast<std::size_t>(link)] + "_" +
         overlaps[static_cast<std::size_t>(overlap)] +
         (chunk_bytes == kSmallChunk ? "_small_chunks" : "");
}

void PrintTo(const Case& one, std::ostream* out) {
  *out << name_of(one) << " with seed " << one.setting.seed;
}

std::vector<Training> all_trainings() {
  std::vector<Training> all;
  for (const int ranks : {2, 3, 4}) {
    for (const char* family : kFamilies) {
      all.push_back({ranks, family, false});
      if (ranks > 2) all.push_back({ranks, family, true});
    }
  }
  return all;
}

// Of each training every pair of link and overlap, and half of the triples with a chunk size: the
// other half with its neighbours.
std::vector<Case> all_cases() {
  const char* given = std::getenv("CONVOY_TEST_SEED");
  const std::uint64_t seed = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  std::vector<Case> cases;
  std::size_t turn = 0;
  for (const Training& training : all_trainings()) {
    ++turn;
    for (const Link link : kLinks) {
      ++turn;
      for (const Overlap overlap : kOverlaps) {
        Setting setting{.link = link, .overlap = overlap, .seed = mix({seed, cases.size()}) | 1};
        if (++turn % 2 == 0) setting.chunk_bytes = kSmallChunk;
        cases.push_back({training, setting});
      }
    }
  }
  return cases;
}

/// How a training goes where nothing can go in another order; once for all cases.
const std::vector<Outcome>& plainest(const Training& training) {
  static std::map<std::string, std::vector<Outcome>> known;
  auto& outcomes = known[name_of(training)];
  if (outcomes.empty()) outcomes = train(training, {});
  return outcomes;
}

class EverySetting : public testing::TestWithParam<Case> {};

TEST_P(EverySetting, GivesTheBitsOfThePlainest) {
  const auto& expected = plainest(GetParam().training);
  const auto found = train(GetParam().training, GetParam().setting);
  for (std::size_t rank = 0; rank < found.size(); ++rank) {
    const Outcome& ours = found[rank];
    const Outcome& plain = expected[rank];
    EXPECT_EQ(ours.parameters_hash, found[0].parameters_hash) << "replicas 0 and " << rank;
    EXPECT_EQ(ours.parameters_hash, plain.parameters_hash) << "rank " << rank;
    EXPECT_EQ(ours.losses, plain.losses) << "rank " << rank;
    EXPECT_EQ(ours.plans, plain.plans) << "rank " << rank;
    EXPECT_EQ(ours.state, plain.state) << "rank " << rank;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EverySetting, testing::ValuesIn(all_cases()),
                         [](const auto& tested) { return name_of(tested.param); });

// What all settings are compared with is worth something.
TEST(PlainestSetting, PlansAndLearnsAndEachFamilyHasItsOwnBits) {
  std::set<std::uint64_t> hashes;
  for (const Training& training : all_trainings()) {
    const Outcome& first = plainest(training).front();
    const std::string name = name_of(training);
    EXPECT_LT(first.losses.back(), first.losses.front()) << name;
    EXPECT_GE(first.buckets, 5U) << name;
    const bool plans = training.family != "none" && training.family != "half";
    EXPECT_EQ(first.plans.size() >= 3, plans) << name;
    EXPECT_EQ(first.state.empty(), training.family == "none") << name;
    hashes.insert(first.parameters_hash);
  }
  EXPECT_EQ(hashes.size(), all_trainings().size());
}

}  // namespace
}  // namespace convoy::tests
