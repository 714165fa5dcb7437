// SPDX-License-Identifier: Apache-2.0
#include "trainer/checkpoint/state_dict.h"

#include <gtest/gtest.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"

namespace convoy::trainer {
namespace {

using tests::TemporaryFolder;

std::string error_of(const std::vector<std::byte>& bytes) {
  try {
    (void)decode_state_dict(bytes, "file.pt");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(StateDict, ComesBackInOrderWithTypesShapesAndBits) {
  torch::manual_seed(5);
  const std::vector<NamedTensor> tensors{
      {"z.weight", torch::randn({3, 4})},
      {"a.bias", torch::randn({4}, torch::kDouble)},
      {"half", torch::randn({5}).to(torch::kHalf)},
      {"bfloat", torch::randn({5}).to(torch::kBFloat16)},
      {"steps", torch::tensor(std::int64_t{1} << 40)},
      {"int", torch::arange(3, torch::kInt)},
      {"byte", torch::arange(200, torch::kByte)},
      {"flag", torch::tensor({true, false})},
      {"empty", torch::empty({0, 3})},
  };
  const auto loaded = decode_state_dict(encode_state_dict(tensors), "x");
  ASSERT_EQ(loaded.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(loaded[i].name, tensors[i].name);
    EXPECT_EQ(loaded[i].tensor.scalar_type(), tensors[i].tensor.scalar_type());
    EXPECT_EQ(loaded[i].tensor.sizes(), tensors[i].tensor.sizes());
    EXPECT_TRUE(torch::equal(loaded[i].tensor, tensors[i].tensor)) << tensors[i].name;
  }
}

TEST(StateDict, TakesViewsAndTransposesByValue) {
  const auto base = torch::arange(1000, torch::kFloat);
  const std::vector<NamedTensor> tensors{{"view", base.slice(0, 10, 14)},
                                         {"transposed", base.slice(0, 0, 6).view({2, 3}).t()}};
  const auto bytes = encode_state_dict(tensors);
  EXPECT_LT(bytes.size(), 2000U);  // not the 4000 bytes of the base
  const auto loaded = decode_state_dict(bytes, "x");
  EXPECT_TRUE(torch::equal(loaded[0].tensor, tensors[0].tensor));
  EXPECT_TRUE(torch::equal(loaded[1].tensor, tensors[1].tensor));
  EXPECT_TRUE(loaded[1].tensor.is_contiguous());
}

TEST(StateDict, WritesTiedTensorsOnce) {
  const auto tied = torch::randn({1000});
  EXPECT_LT(encode_state_dict({{"a", tied}, {"b", tied}}).size(), 6000U);
  const auto loaded = decode_state_dict(encode_state_dict({{"a", tied}, {"b", tied}}), "x");
  EXPECT_EQ(loaded[0].tensor.data_ptr(), loaded[1].tensor.data_ptr());
  EXPECT_TRUE(torch::equal(loaded[1].tensor, tied));
}

TEST(StateDict, ParametersComeBackWithoutGradient) {
  const auto parameter = torch::randn({2}).requires_grad_();
  EXPECT_FALSE(
      decode_state_dict(encode_state_dict({{"p", parameter}}), "x")[0].tensor.requires_grad());
}

TEST(StateDict, MayBeEmpty) { EXPECT_TRUE(decode_state_dict(encode_state_dict({}), "x").empty()); }

TEST(StateDict, HoldsManyTensors) {
  std::vector<NamedTensor> tensors;  // more than the 256 slots of the short memo instructions
  for (int i = 0; i < 700; ++i) {
    tensors.push_back({"layers." + std::to_string(i) + ".weight", torch::full({2, 2}, i)});
  }
  const auto loaded = decode_state_dict(encode_state_dict(tensors), "x");
  ASSERT_EQ(loaded.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_TRUE(torch::equal(loaded[i].tensor, tensors[i].tensor)) << i;
  }
}

TEST(StateDict, RefusesDoubleNamesAndUndefinedTensors) {
  EXPECT_THROW((void)encode_state_dict({{"a", torch::ones(1)}, {"a", torch::ones(1)}}),
               ContractError);
  EXPECT_THROW((void)encode_state_dict({{"a", torch::Tensor()}}), ContractError);
}

TEST(StateDict, EveryTruncationIsAOneLineError) {
  const auto bytes = encode_state_dict({{"a", torch::ones({20})}, {"b", torch::ones({3, 3})}});
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const auto error = error_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_TRUE(error.starts_with("cannot load file.pt: ")) << size;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    EXPECT_LT(error.size(), 500U) << error;  // 2.15 says much of what may be the cause
  }
}

// LibTorch's zip reader leaves checksums out, as torch.load does: a flipped value goes unseen here.
// Checkpoints keep hashes of their own.
TEST(StateDict, FlippedBytesAreAtWorstAOneLineError) {
  const auto bytes = encode_state_dict({{"a", torch::arange(50, torch::kFloat)}});
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto broken = bytes;
    broken[i] ^= std::byte{0x55};
    const auto error = error_of(broken);
    if (!error.empty()) ++refused;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_GT(refused, 20);
}

TEST(StateDict, SaysWhatAForeignFileIs) {
  const std::string text = "hello, I am no tensor";
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  EXPECT_EQ(error_of({begin, begin + text.size()}),
            "cannot load file.pt: it is not in PyTorch's zip format");
  EXPECT_EQ(error_of({}), "cannot load file.pt: it is not in PyTorch's zip format");

  const TemporaryFolder folder;
  torch::jit::Module module("Scripted");
  module.register_parameter("w", torch::ones({2}), false);
  module.save((folder.path() / "scripted.pt").string());
  EXPECT_EQ(error_of(read_file(folder.path() / "scripted.pt")),
            "cannot load file.pt: it is a TorchScript module, not a dictionary of tensors");

  const auto list = torch::pickle_save(std::vector<std::int64_t>{1, 2});
  const auto* list_begin = reinterpret_cast<const std::byte*>(list.data());
  EXPECT_EQ(error_of({list_begin, list_begin + list.size()}),
            "cannot load file.pt: it holds something else than a dictionary of tensors");
}

TEST(StateDict, SavesAtomicallyAndSaysWhyNot) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.pt";
  save_state_dict(path, {{"a", torch::ones({2})}});
  save_state_dict(path, {{"a", torch::zeros({2})}});
  EXPECT_TRUE(torch::equal(load_state_dict(path)[0].tensor, torch::zeros({2})));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  try {
    save_state_dict(folder.path() / "none" / "model.pt", {{"a", torch::zeros({2})}});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("none/model.pt"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
  }
}

TEST(StateDict, SaysThatAFileIsMissing) {
  try {
    (void)load_state_dict("/nowhere/model.pt");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "cannot open /nowhere/model.pt: No such file or directory");
  }
}

}  // namespace
}  // namespace convoy::trainer
