// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "base/errors.h"
#include "tests/scheduler/net/streams.h"

namespace convoy::net {
namespace {

TensorManifest example() {
  return {.tensors = {{"0.weight", ElementType::kFloat32, {3, 5}},
                      {"empty", ElementType::kFloat64, {0, 7}},
                      {"0.bias", ElementType::kBFloat16, {3}},
                      {"steps", ElementType::kInt64, {}},
                      {"mask", ElementType::kBool, {2, 1, 2}}}};
}

Bytes stream_of(const TensorManifest& manifest, const Bytes& data) {
  Bytes all(static_cast<std::size_t>(stream_bytes(manifest)));
  tensor_source(manifest, source_of(data))(0, all);
  return all;
}

TEST(TensorManifest, SizesAreThoseOfTheElements) {
  const auto manifest = example();
  std::vector<std::int64_t> sizes;
  for (const auto& tensor : manifest.tensors) sizes.push_back(bytes_of(tensor));
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{60, 0, 6, 8, 4}));
  EXPECT_EQ(data_bytes(manifest), 78);
}

TEST(TensorManifest, ComesOutAsItWentIn) {
  EXPECT_EQ(std::get<TensorManifest>(parse_manifest(encode(example()))), example());
  const TensorManifest none;
  EXPECT_EQ(std::get<TensorManifest>(parse_manifest(encode(none))), none);
  for (int type = 1; type <= static_cast<int>(kLastElementType); ++type) {
    const TensorManifest one{{{"t", static_cast<ElementType>(type), {1}}}};
    EXPECT_EQ(std::get<TensorManifest>(parse_manifest(encode(one))), one);
    EXPECT_GT(data_bytes(one), 0);
    EXPECT_NE(to_text(static_cast<ElementType>(type)), "unknown");
  }
}

TEST(TensorManifest, SizesBeyond32BitsAreExact) {
  const TensorManifest large{{{"a", ElementType::kFloat32, {1 << 20, 5 << 10}},
                              {"b", ElementType::kUInt8, {std::int64_t{1} << 50}}}};
  EXPECT_EQ(data_bytes(large), (std::int64_t{5} << 32) + (std::int64_t{1} << 50));
  EXPECT_EQ(std::get<TensorManifest>(parse_manifest(encode(large))), large);
}

TEST(TensorManifest, WhatCannotBeIsNotEncoded) {
  const auto encoded = [](TensorEntry entry) { return encode(TensorManifest{{std::move(entry)}}); };
  constexpr auto kFloat = ElementType::kFloat32;
  EXPECT_NO_THROW((void)encoded({std::string(255, 'x'), kFloat, {1}}));
  EXPECT_THROW((void)encoded({std::string(256, 'x'), kFloat, {1}}), ContractError);
  EXPECT_THROW((void)encoded({"", kFloat, {1}}), ContractError);
  EXPECT_THROW((void)encoded({"a b", kFloat, {1}}), ContractError);
  EXPECT_THROW((void)encoded({"a", kFloat, {-1}}), ContractError);
  EXPECT_THROW((void)encoded({"a", kFloat, std::vector<std::int64_t>(17, 1)}), ContractError);
  EXPECT_THROW((void)encoded({"a", ElementType{11}, {1}}), ContractError);
  EXPECT_THROW((void)encoded({"a", kFloat, {std::int64_t{1} << 62}}), ContractError);
  EXPECT_THROW((void)encoded({"a", kFloat, {1LL << 31, 1LL << 31, 1LL << 31}}), ContractError);
  TensorManifest many;
  for (int i = 0; i < 20000; ++i) {
    many.tensors.push_back({std::to_string(i) + std::string(50, 'x'), kFloat, {1}});
  }
  EXPECT_THROW((void)encode(many), ContractError);
  EXPECT_THROW((void)encode(TensorManifest{{{"a", kFloat, {1}}, {"a", kFloat, {2}}}}),
               ContractError);
}

TEST(TensorManifest, EveryTruncationIsRefused) {
  const Bytes good = encode(example());
  for (std::size_t size = 0; size < good.size(); ++size) {
    Bytes cut(good.begin(), good.begin() + static_cast<long>(size));
    ASSERT_TRUE(std::holds_alternative<StreamError>(parse_manifest(cut))) << size;
    if (size < kManifestHeaderBytes) continue;
    // Also where the size that it says agrees.
    const auto says = static_cast<std::uint32_t>(size);
    std::memcpy(cut.data() + 4, &says, sizeof says);
    ASSERT_TRUE(std::holds_alternative<StreamError>(parse_manifest(cut))) << size;
  }
}

TEST(TensorManifest, EveryFlippedBitIsRefusedOrAnotherManifest) {
  const Bytes good = encode(example());
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto parsed = parse_manifest(bad);
    if (const auto* manifest = std::get_if<TensorManifest>(&parsed)) {
      ASSERT_EQ(encode(*manifest), bad) << bit;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(TensorManifest, ItsSizeIsCheckedBeforeItIsReceived) {
  Bytes header = encode(example());
  header.resize(kManifestHeaderBytes);
  EXPECT_EQ(std::get<std::size_t>(manifest_size(header)), encode(example()).size());
  for (const std::uint32_t bad : {0U, 19U, (1U << 20) + 1, 0xffffffffU}) {
    std::memcpy(header.data() + 4, &bad, sizeof bad);
    EXPECT_EQ(std::get<StreamError>(manifest_size(header)).fault, StreamFault::kManifest) << bad;
  }
}

TEST(TensorStream, ArrivesWhateverTheSizeOfPieces) {
  const Bytes data = pattern(78);
  const Bytes all = stream_of(example(), data);
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    KeepingSink sink;
    TensorReader reader(std::ssize(all), sink);
    for (std::span<const std::byte> rest(all); !rest.empty();) {
      const auto front = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(front.size());
      ASSERT_FALSE(reader.feed(front)) << piece;
    }
    ASSERT_FALSE(reader.finish()) << piece;
    ASSERT_EQ(sink.begun, 1);
    ASSERT_EQ(sink.manifest, example());
    ASSERT_TRUE(sink.in_order);
    Bytes joined;
    for (const auto& tensor : sink.tensors)
      joined.insert(joined.end(), tensor.begin(), tensor.end());
    ASSERT_EQ(joined, data);
    ASSERT_EQ(sink.tensors[2], Bytes(data.begin() + 60, data.begin() + 66));
  }
}

TEST(TensorStream, IsReadFromAnyOffset) {
  const Bytes data = pattern(78);
  const Bytes all = stream_of(example(), data);
  const auto source = tensor_source(example(), source_of(data));
  for (std::size_t offset = 0; offset < all.size(); ++offset) {
    for (const std::size_t count :
         {std::size_t{1}, (all.size() - offset) / 2, all.size() - offset}) {
      Bytes part(count);
      source(static_cast<std::int64_t>(offset), part);
      ASSERT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<long>(offset)));
    }
  }
}

TEST(TensorStream, EndsOnlyWhenEveryTensorIsWhole) {
  const Bytes all = stream_of(example(), pattern(78));
  for (std::size_t size = 0; size < all.size(); ++size) {
    KeepingSink sink;
    TensorReader reader(std::ssize(all), sink);
    ASSERT_FALSE(reader.feed(std::span(all).first(size)));
    ASSERT_EQ(reader.finish().value().fault, StreamFault::kIncomplete) << size;
  }
}

TEST(TensorStream, TotalsMustAgreeWithTheAnnouncement) {
  const Bytes all = stream_of(example(), pattern(78));
  for (const std::int64_t wrong : {-1, 1}) {
    KeepingSink sink;
    TensorReader reader(std::ssize(all) + wrong, sink);
    EXPECT_EQ(reader.feed(all).value().fault, StreamFault::kTotals);
    EXPECT_EQ(sink.begun, 0);
  }
}

TEST(TensorStream, NothingFollowsTheLastTensor) {
  Bytes all = stream_of(example(), pattern(78));
  KeepingSink sink;
  TensorReader reader(std::ssize(all), sink);
  all.push_back(std::byte{0});
  EXPECT_EQ(reader.feed(all).value().fault, StreamFault::kOverrun);
  EXPECT_EQ(reader.finish().value().fault, StreamFault::kOverrun);
}

TEST(TensorStream, TheSinkMayRefuseTheTensors) {
  const Bytes all = stream_of(example(), pattern(78));
  KeepingSink sink;
  sink.refusal = StreamError{StreamFault::kManifest, "another model"};
  TensorReader reader(std::ssize(all), sink);
  EXPECT_EQ(reader.feed(all).value().reason, "another model");
  EXPECT_EQ(reader.feed(all).value().reason, "another model");
  for (const auto& tensor : sink.tensors) EXPECT_TRUE(tensor.empty());
}

TEST(TensorStream, NoTensorsAreAStreamToo) {
  const Bytes all = stream_of({}, {});
  KeepingSink sink;
  TensorReader reader(std::ssize(all), sink);
  EXPECT_FALSE(reader.feed(all));
  EXPECT_FALSE(reader.finish());
  EXPECT_EQ(sink.begun, 1);
}

}  // namespace
}  // namespace convoy::net
