// SPDX-License-Identifier: Apache-2.0
// State dictionaries to and from Python, with Debian's python3-torch.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "base/errors.h"
#include "base/file.h"
#include "tests/temporary_folder.h"
#include "trainer/checkpoint/state_dict.h"

namespace convoy::trainer {
namespace {

class StateDictPython : public testing::Test {
 protected:
  void SetUp() override {
    static const bool installed =
        std::system("/usr/bin/python3 -c 'import torch' 2>/dev/null") == 0;
    if (!installed) GTEST_SKIP() << "/usr/bin/python3 has no torch (Debian: python3-torch)";
  }

  /// Runs `script` in the folder; true when it succeeds.
  [[nodiscard]] bool python(const std::string& script) const {
    std::ofstream(folder_.path() / "script.py") << script;
    const auto command =
        "cd " + folder_.path().string() + " && OMP_NUM_THREADS=1 /usr/bin/python3 script.py";
    return std::system(command.c_str()) == 0;
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return folder_.path() / name;
  }

 private:
  tests::TemporaryFolder folder_;
};

TEST_F(StateDictPython, TorchLoadReadsOurs) {
  const auto tied = torch::arange(4, torch::kFloat);
  save_state_dict(file("ours.pt"), {{"w", torch::arange(6, torch::kFloat).view({2, 3})},
                                    {"t", torch::arange(6, torch::kDouble).view({2, 3}).t()},
                                    {"n", torch::tensor(std::int64_t{1} << 40)},
                                    {"h", torch::tensor({1.5F, -2.0F}).to(torch::kHalf)},
                                    {"b", torch::tensor({1.5F, -2.0F}).to(torch::kBFloat16)},
                                    {"e", torch::empty({0, 3})},
                                    {"x", tied.requires_grad_()},
                                    {"y", tied}});
  EXPECT_TRUE(python(R"(
import torch, inspect
options = [{}]
if "weights_only" in inspect.signature(torch.load).parameters:
    options = [{"weights_only": False}, {"weights_only": True}]
for option in options:
    d = torch.load("ours.pt", **option)
    assert list(d) == ["w", "t", "n", "h", "b", "e", "x", "y"], list(d)
    assert all(type(v) is torch.Tensor and not v.requires_grad for v in d.values())
    assert d["w"].dtype == torch.float32 and d["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert d["t"].dtype == torch.float64 and d["t"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert d["n"].dtype == torch.int64 and d["n"].item() == 1 << 40 and d["n"].dim() == 0
    assert d["h"].dtype == torch.float16 and d["h"].tolist() == [1.5, -2]
    assert d["b"].dtype == torch.bfloat16 and d["b"].tolist() == [1.5, -2]
    assert d["e"].shape == (0, 3)
    assert d["x"].data_ptr() == d["y"].data_ptr() and d["y"].tolist() == [0, 1, 2, 3]
)"));
}

TEST_F(StateDictPython, WeReadWhatTorchSaveWrote) {
  ASSERT_TRUE(python(R"(
import torch
torch.manual_seed(1)
m = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Linear(3, 2))
for i, p in enumerate(m.parameters()):
    torch.nn.init.constant_(p, i + 0.5)
torch.save(m.state_dict(), "theirs.pt")
torch.save(dict(m.named_parameters()), "parameters.pt")
base = torch.arange(10.0)
torch.save({"a": base[2:5], "t": base[:6].view(2, 3).t(), "i": torch.tensor(-7)}, "views.pt")
)"));
  const auto loaded = load_state_dict(file("theirs.pt"));
  ASSERT_EQ(loaded.size(), 9U);
  EXPECT_EQ(loaded[0].name, "0.weight");
  EXPECT_TRUE(torch::equal(loaded[0].tensor, torch::full({3, 2, 3, 3}, 0.5F)));
  EXPECT_EQ(loaded[6].name, "1.num_batches_tracked");
  EXPECT_EQ(loaded[6].tensor.scalar_type(), torch::kInt64);
  EXPECT_TRUE(torch::equal(loaded[8].tensor, torch::full({2}, 5.5F)));

  const auto parameters = load_state_dict(file("parameters.pt"));
  ASSERT_EQ(parameters.size(), 6U);
  EXPECT_FALSE(parameters[5].tensor.requires_grad());
  EXPECT_TRUE(torch::equal(parameters[5].tensor, loaded[8].tensor));

  const auto views = load_state_dict(file("views.pt"));
  EXPECT_TRUE(torch::equal(views[0].tensor, torch::tensor({2.0F, 3.0F, 4.0F})));
  EXPECT_TRUE(torch::equal(views[1].tensor, torch::arange(6, torch::kFloat).view({2, 3}).t()));
  EXPECT_EQ(views[2].tensor.item<std::int64_t>(), -7);
}

TEST_F(StateDictPython, OtherObjectsAreRefusedByName) {
  ASSERT_TRUE(python(R"(
import torch
m = torch.nn.Linear(2, 2)
torch.save({"epoch": 3, "model": m.state_dict()}, "nested.pt")
torch.save(m, "module.pt")
torch.save(m.state_dict(), "legacy.pt", _use_new_zipfile_serialization=False)
)"));
  const auto error_of = [&](const std::string& name) -> std::string {
    try {
      (void)load_state_dict(file(name));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(error_of("nested.pt").find("its entry \"epoch\" is no tensor"), std::string::npos);
  EXPECT_NE(error_of("module.pt").find("it holds something else than a dictionary of tensors"),
            std::string::npos);
  EXPECT_NE(error_of("legacy.pt").find("not in PyTorch's zip format"), std::string::npos);
}

}  // namespace
}  // namespace convoy::trainer
