// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/client_data.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace convoy::trainer {
namespace {

const std::vector<std::int64_t> kSamples{3, 5, 8, 13, 21, 34, 55, 89, 144, 233};

TEST(ClientData, SeesEverySampleOnceAnEpochHoweverShortTheRounds) {
  ClientData client(kSamples, 0.0, 3, 1);
  std::map<std::int64_t, int> seen;
  for (int batch = 0; batch < 4 * 5; ++batch) {  // 4 batches an epoch
    const auto next = client.next();
    EXPECT_EQ(next.number, batch);
    EXPECT_EQ(next.epoch, batch / 4);
    for (const auto sample : next.samples) ++seen[sample];
  }
  EXPECT_EQ(seen.size(), kSamples.size());
  for (const auto& [sample, times] : seen) EXPECT_EQ(times, 5) << sample;
}

TEST(ClientData, GoesOnFromAPosition) {
  ClientData first(kSamples, 0.2, 3, 1);
  for (int i = 0; i < 7; ++i) (void)first.next();
  ClientData second(kSamples, 0.2, 3, 1);
  second.set_position(first.position());
  EXPECT_EQ(first.next().samples, second.next().samples);
}

TEST(ClientData, HoldsItsOwnValidationSamplesBack) {
  ClientData client(kSamples, 0.3, 3, 1);
  EXPECT_EQ(client.train_size(), 7);
  EXPECT_EQ(client.validation().size(), 3U);
  std::set<std::int64_t> all(client.validation().begin(), client.validation().end());
  for (int batch = 0; batch < 3; ++batch) {
    for (const auto sample : client.next().samples) EXPECT_TRUE(all.insert(sample).second);
  }
  EXPECT_EQ(all.size(), kSamples.size());
}

TEST(ClientData, KeepsASampleToTrainOn) {
  EXPECT_EQ(ClientData({7}, 0.9, 3, 1).train_size(), 1);
  EXPECT_EQ(ClientData({7, 8}, 0.9, 3, 1).train_size(), 1);
}

TEST(SampleClasses, AreThoseOfTheDataSet) {
  DataConfig config;
  config.name = "synthetic";
  config.samples = 3000;
  config.classes = 4;
  const auto train = load_datasets(config, 1).train;
  const auto classes = sample_classes(*train);
  ASSERT_EQ(static_cast<std::int64_t>(classes.size()), train->size());
  for (const std::int64_t i : {0, 1023, 1024, 2600}) {
    const std::vector<std::int64_t> one{i};
    EXPECT_EQ(classes[static_cast<std::size_t>(i)],
              train->get(one, 0).targets.item<std::int64_t>());
  }
}

}  // namespace
}  // namespace convoy::trainer
