// SPDX-License-Identifier: Apache-2.0
#include "launch/job/policy_file.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/file.h"
#include "base/sha256.h"
#include "tests/temporary_folder.h"

namespace convoy::launch {
namespace {

using Names = std::vector<std::string>;

std::string error_of(const std::string& text) {
  try {
    (void)parse_policy(text, "policy.toml");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(PolicyFile, EmptyMeansTheDefaults) {
  const trainer::SitePolicy policy = parse_policy("", "policy.toml");
  EXPECT_TRUE(policy.models.empty());
  EXPECT_TRUE(policy.torchscript.empty());
  EXPECT_EQ(policy.max_local_steps, 0);
  EXPECT_EQ(policy.min_samples, 1);
  EXPECT_FALSE(policy.needs_privacy());
  EXPECT_EQ(policy.ledger, "");
}

TEST(PolicyFile, ReadsEveryKey) {
  const tests::TemporaryFolder folder;
  const trainer::SitePolicy policy = load_policy(folder.file("policy.toml", R"(
[models]
allowed = ["mlp", "cnn"]
torchscript_sha256 = ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
[training]
max_local_steps = 50
[data]
kinds = ["csv"]
columns = ["age", "weight"]
label = "outcome"
min_samples = 100
[privacy]
required = true
min_sigma = 1
max_epsilon = 3.5
max_delta = 1e-6
ledger = "ledgers"
allow_insecure_seed = true
)"));
  EXPECT_EQ(policy.models, (Names{"mlp", "cnn"}));
  EXPECT_EQ(policy.torchscript, std::vector<Sha256>{sha256("abc")});
  EXPECT_EQ(policy.max_local_steps, 50);
  EXPECT_EQ(policy.kinds, Names{"csv"});
  EXPECT_EQ(policy.columns, (Names{"age", "weight"}));
  EXPECT_EQ(policy.label, "outcome");
  EXPECT_EQ(policy.min_samples, 100);
  EXPECT_TRUE(policy.require_privacy);
  EXPECT_EQ(policy.min_sigma, 1.0);
  EXPECT_EQ(policy.max_epsilon, 3.5);
  EXPECT_EQ(policy.max_delta, 1e-6);
  EXPECT_EQ(policy.ledger, folder / "ledgers");
  EXPECT_TRUE(policy.allow_insecure_seed);
}

// It has every key: who adds one explains it there.
TEST(PolicyFile, TheExampleIsReadAndNamesEveryKey) {
  const std::string file = CONVOY_SOURCE_DIR "/examples/sites/policy.toml";
  const trainer::SitePolicy policy = load_policy(file);
  EXPECT_EQ(policy.models, (Names{"mlp", "cnn"}));
  EXPECT_EQ(policy.ledger, "/var/lib/convoy/ledgers");
  for (const char* unit : {"convoy-join.service", "convoy-join-mpi.service"}) {
    const std::string lines =
        read_text_file(CONVOY_SOURCE_DIR "/examples/sites/" + std::string(unit));
    EXPECT_NE(lines.find("\nStateDirectory=convoy\n"), std::string::npos)
        << unit << " must let convoy write there";
  }
  const std::string text = read_text_file(file);
  for (const char* key : {"allowed", "torchscript_sha256", "max_local_steps", "kinds", "columns",
                          "label", "min_samples", "required", "min_sigma", "max_epsilon",
                          "max_delta", "ledger", "allow_insecure_seed"}) {
    EXPECT_NE(text.find(std::string("\n") + key + " = "), std::string::npos) << key;
  }
}

TEST(PolicyFile, KeepsAnAbsoluteLedger) {
  EXPECT_EQ(parse_policy("[privacy]\nledger = \"/var/lib/ledgers\"", "policy.toml").ledger,
            "/var/lib/ledgers");
}

TEST(PolicyFile, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(error_of("[privacy]\n\nmin_sigmas = 1\n"),
            "policy.toml:3: unknown key \"min_sigmas\" in [privacy]; did you mean \"min_sigma\"?");
  EXPECT_EQ(error_of("[model]\nallowed = [\"mlp\"]\n"),
            "policy.toml:1: unknown section [model]; did you mean [models]?");
  EXPECT_EQ(error_of("max_local_steps = 5\n"),
            "policy.toml:1: unknown key \"max_local_steps\" outside any section; did you mean "
            "\"max_local_steps\" in [training]?");
}

TEST(PolicyFile, NamesValuesThatCannotBe) {
  EXPECT_EQ(error_of("[models]\nallowed = [\"mlp\", \"cnm\"]\n"),
            "policy.toml:2: models.allowed must be of \"mlp\", \"cnn\", \"resnet20\", "
            "\"resnet18\", \"transformer\", \"vit\", not \"cnm\"");
  EXPECT_EQ(error_of("[data]\nkinds = [\"CSV\"]\n"),
            "policy.toml:2: data.kinds must be of \"fashion-mnist\", \"cifar10\", \"cifar100\", "
            "\"text\", \"csv\", \"synthetic\", not \"CSV\"");
  EXPECT_EQ(error_of("[models]\ntorchscript_sha256 = [\"BA78\"]\n"),
            "policy.toml:2: models.torchscript_sha256 must be 64 digits 0-9 a-f, as sha256sum "
            "prints, not \"BA78\"");
  EXPECT_EQ(error_of("[training]\nmax_local_steps = -1\n"),
            "policy.toml:2: training.max_local_steps must be at least 0, not -1");
  EXPECT_EQ(error_of("[privacy]\nmax_delta = 1\n"),
            "policy.toml:2: privacy.max_delta must be in [0, 1), not 1");
  EXPECT_EQ(error_of("[privacy]\nrequired = 1\n"),
            "policy.toml:2: privacy.required must be true or false, not an integer");
}

}  // namespace
}  // namespace convoy::launch
