// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/model_streams.h"

#include <gtest/gtest.h>

namespace convoy::trainer {
namespace {

ModelShape shape() {
  return {.parameter_names = {"w"},
          .buffer_names = {},
          .like = {.parameters = {torch::zeros({4})}, .buffers = {}}};
}

Assignment round_from(float value) {
  return {.start = std::make_shared<const ModelState>(
              ModelState{.parameters = {torch::full({4}, value)}, .buffers = {}})};
}

TEST(ModelStreams, AreMadeOnceForAllThatGetTheSame) {
  const ModelShape model = shape();
  ModelStreams streams(model);
  Assignment dense = round_from(1.0F);
  const ModelStream whole = streams.stream_of(dense);
  EXPECT_EQ(streams.stream_of(dense).bytes, whole.bytes);
  EXPECT_EQ(whole.sha256, sha256(*whole.bytes));
  EXPECT_TRUE(torch::equal(from_stream(*whole.bytes, model).parameters.at(0), torch::ones({4})));
  EXPECT_EQ(streams.hash_of(dense), hash_of(*dense.start));

  Assignment compressed = dense;
  compressed.message =
      std::make_shared<const std::vector<std::byte>>(std::vector<std::byte>(7, std::byte{3}));
  const ModelStream difference = streams.stream_of(compressed);
  EXPECT_EQ(from_stream(*difference.bytes, model).payload, *compressed.message);
  EXPECT_EQ(streams.stream_of(compressed).bytes, difference.bytes);
  EXPECT_EQ(streams.stream_of(dense).bytes, whole.bytes) << "both are there";
}

TEST(ModelStreams, KeepNothingOfOlderVersions) {
  const ModelShape model = shape();
  ModelStreams streams(model);
  Assignment first = round_from(1.0F);
  const std::weak_ptr<const std::vector<std::byte>> bytes = streams.stream_of(first).bytes;
  const std::weak_ptr<const ModelState> start = first.start;
  EXPECT_FALSE(bytes.expired());
  first.start = nullptr;
  const Assignment second = round_from(2.0F);
  EXPECT_EQ(streams.hash_of(second), hash_of(*second.start));
  EXPECT_TRUE(bytes.expired());
  EXPECT_TRUE(start.expired());
  streams.clear();
  EXPECT_EQ(second.start.use_count(), 1);
}

}  // namespace
}  // namespace convoy::trainer
