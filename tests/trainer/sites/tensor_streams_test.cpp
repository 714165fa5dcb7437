// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/tensor_streams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include "compress/codec/codec.h"

namespace convoy::trainer {
namespace {

using compress::PayloadError;
using Bytes = std::vector<std::byte>;

ModelShape small_shape() {
  return {.parameter_names = {"a", "b"},
          .buffer_names = {"count"},
          .like = {.parameters = {torch::zeros({3, 5}), torch::zeros({0})},
                   .buffers = {torch::zeros({2}, torch::kLong)}}};
}

TensorPack dense_pack() {
  return {.parameters = {torch::arange(15, torch::kFloat).reshape({3, 5}), torch::zeros({0})},
          .payload = {},
          .buffers = {torch::tensor({7, -9}, torch::kLong)}};
}

TensorPack read_in_parts(const Bytes& stream, std::size_t part, const ModelShape& shape) {
  PackReader reader(stream.size(), shape);
  for (std::size_t at = 0; at < stream.size(); at += part) {
    reader.feed(std::span(stream).subspan(at, std::min(part, stream.size() - at)));
  }
  return reader.finish();
}

std::string fault_of(const Bytes& stream, std::size_t announced, const ModelShape& shape) {
  try {
    PackReader reader(announced, shape);
    reader.feed(stream);
    (void)reader.finish();
  } catch (const PayloadError& error) {
    return error.what();
  }
  return "";
}

TEST(TensorStreams, ComesBackFromPartsOfAnySize) {
  const ModelShape shape = small_shape();
  const TensorPack sent = dense_pack();
  const Bytes stream = to_stream(sent, shape);
  for (const std::size_t part : {std::size_t{1}, std::size_t{7}, std::size_t{64}, stream.size()}) {
    const TensorPack got = read_in_parts(stream, part, shape);
    ASSERT_EQ(got.parameters.size(), 2U) << part;
    EXPECT_TRUE(torch::equal(got.parameters[0], sent.parameters[0])) << part;
    EXPECT_EQ(got.parameters[1].numel(), 0) << part;
    ASSERT_EQ(got.buffers.size(), 1U) << part;
    EXPECT_TRUE(torch::equal(got.buffers[0], sent.buffers[0])) << part;
    EXPECT_TRUE(got.payload.empty()) << part;
  }
}

TEST(TensorStreams, CompressedBytesComeBackFromParts) {
  const ModelShape shape = small_shape();
  TensorPack sent = dense_pack();
  sent.parameters.clear();
  for (int i = 0; i < 300; ++i) sent.payload.push_back(static_cast<std::byte>(i));
  const Bytes stream = to_stream(sent, shape);
  for (const std::size_t part : {std::size_t{1}, std::size_t{11}, stream.size()}) {
    const TensorPack got = read_in_parts(stream, part, shape);
    EXPECT_TRUE(got.parameters.empty()) << part;
    EXPECT_EQ(got.payload, sent.payload) << part;
    EXPECT_TRUE(torch::equal(got.buffers.at(0), sent.buffers[0])) << part;
  }
}

TEST(TensorStreams, SaysWhatIsWrong) {
  const ModelShape shape = small_shape();
  const Bytes stream = to_stream(dense_pack(), shape);
  const Bytes cut(stream.begin(), stream.end() - 1);
  EXPECT_NE(fault_of(cut, stream.size(), shape), "");
  EXPECT_NE(fault_of(cut, cut.size(), shape), "");
  EXPECT_NE(fault_of(stream, 10, shape), "");
  EXPECT_NE(fault_of({}, 0, shape), "");

  ModelShape wider = shape;
  wider.like.parameters[0] = torch::zeros({5, 3});
  EXPECT_EQ(fault_of(stream, stream.size(), wider),
            "this is no model: its tensor 0 is not the model's a by name, type and shape");
  ModelShape longer = shape;
  longer.buffer_names.emplace_back("mean");
  longer.like.buffers.push_back(torch::zeros({1}));
  EXPECT_EQ(fault_of(stream, stream.size(), longer), "this is no model: it lacks the model's mean");
  ModelShape shorter = shape;
  shorter.buffer_names.clear();
  shorter.like.buffers.clear();
  EXPECT_EQ(fault_of(stream, stream.size(), shorter),
            "this is no model: it has more tensors than the model");
}

}  // namespace
}  // namespace convoy::trainer
