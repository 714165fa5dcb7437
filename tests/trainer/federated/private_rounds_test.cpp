// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/private_rounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "comm/local/local.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/federated/tensor_model.h"
#include "trainer/evaluation.h"
#include "trainer/privacy/fingerprint.h"
#include "trainer/privacy/noisy_sum.h"
#include "trainer/privacy/sample_gradients.h"

namespace convoy::trainer {
namespace {

using tests::TemporaryFolder;

constexpr double kRate = 0.1;

class PrivateRoundsTest : public testing::Test {
 protected:
  PrivateRoundsTest() {
    data_config.name = "synthetic";
    data_config.samples = 400;
    data_config.features = 6;
    data_config.classes = 3;
    model_config.name = "mlp";
    model_config.hidden = 10;
    model_config.layers = 1;
    training.optimizer.lr = kRate;
    training.optimizer.momentum = 0.0;
    dataset = load_datasets(data_config, 1).train;
    config.mode = "per_sample";
    config.clip = 0.5;
    config.sigma = 1.0;
    config.rate = 0.25;
    config.epsilon = 50.0;
    config.ledger = folder / "ledgers";
    config.insecure_seed = 3;
  }

  [[nodiscard]] std::unique_ptr<Model> model() const {
    return make_model(model_config, dataset->info(), 3);
  }
  [[nodiscard]] LocalTrainer trainer() const { return {model(), *dataset, training}; }
  [[nodiscard]] static ClientData client(std::int64_t begin = 20, std::int64_t count = 40) {
    std::vector<std::int64_t> samples(static_cast<std::size_t>(count));
    std::iota(samples.begin(), samples.end(), begin);
    return {samples, 0.0, 8, 77};
  }
  [[nodiscard]] std::unique_ptr<privacy::Ledger> ledger(const std::string& site = "site") const {
    const privacy::LedgerOwner owner{.site = site, .data = "d"};
    return std::make_unique<privacy::Ledger>(privacy::ledger_path(config.ledger, owner), owner,
                                             config.budget());
  }
  [[nodiscard]] std::unique_ptr<RoundRule> rule(const Model& of, const std::string& site = "site",
                                                std::uint64_t seed = 3) const {
    return make_private_rounds(
        {.config = config, .ledger = ledger(site), .entropy = privacy::insecure_entropy(seed)}, of,
        training);
  }
  [[nodiscard]] privacy::Account account(const std::string& site = "site") const {
    return privacy::read_account(privacy::ledger_path(config.ledger, {.site = site, .data = "d"}));
  }

  TemporaryFolder folder;
  DataConfig data_config;
  ModelConfig model_config;
  LocalTrainingConfig training;
  PrivacyConfig config;
  std::shared_ptr<const Dataset> dataset;
};

double squares_of(const std::vector<torch::Tensor>& tensors) {
  double sum = 0.0;
  for (const auto& tensor : tensors) sum += tensor.to(torch::kDouble).square().sum().item<double>();
  return sum;
}

/// With a huge clip and no noise the sum of gradients by sample is the batch's.
TEST_F(PrivateRoundsTest, GradientsBySampleAddUpToTheBatchs) {
  const auto own = model();
  own->train(true);
  const std::vector<std::int64_t> samples{3, 5, 8, 13, 21};
  privacy::NoisySum sum(privacy::flat_values(copy_state(*own).parameters, own->parameters()).size(),
                        100.0, 0.0);
  const auto entropy = privacy::insecure_entropy(1);
  privacy::add_sample_gradients(*own, *dataset, samples, {}, *entropy, sum);
  privacy::put_gradients(*own, sum.release(*entropy), 1.0 / 5.0);
  std::vector<torch::Tensor> found;
  for (const auto& [name, tensor] : own->parameters()) {
    found.push_back(tensor.grad());
    tensor.mutable_grad().reset();
  }
  PlainRounds plain(false, "none");
  ClientData batch(samples, 0.0, 5, 1);
  (void)plain.gradient(*own, *dataset, batch);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto expected = own->parameters()[i].tensor.grad();
    EXPECT_TRUE(torch::allclose(found[i], expected, 1e-4, 1e-6)) << i;
  }
}

TEST_F(PrivateRoundsTest, ClippedSamplesWithoutNoiseStayWithinTheClip) {
  training.optimizer.lr = 1.0;
  config.sigma = 1e-3;  // as good as none
  config.epsilon = 1e9;
  config.clip = 0.01;
  LocalTrainer own = trainer();
  ClientData data = client();
  const auto by = rule(own.model());
  const auto result = own.run(data, copy_state(own.model()), 1, {}, 0, by.get());
  // One step at rate 1: at most C times the batch over the expected batch, which is 10.
  EXPECT_LT(std::sqrt(squares_of(result.update.delta)), 0.01 * 40 / 10.0 * 1.01);
  EXPECT_GT(std::sqrt(squares_of(result.update.delta)), 0.0);
}

TEST_F(PrivateRoundsTest, AnEmptyBatchIsAStepOfPureNoise) {
  config.rate = 1e-9;
  config.epsilon = 1.0;
  training.optimizer.lr = 1e-9;  // times 1 over an expected batch of 4e-8
  LocalTrainer own = trainer();
  ClientData data = client();
  const auto by = rule(own.model());
  const auto result = own.run(data, copy_state(own.model()), 1, {}, 0, by.get());
  EXPECT_EQ(result.steps, 1);
  EXPECT_TRUE(result.finite);
  const double numel = 6 * 10 + 10 + 10 * 3 + 3;
  const double deviation = 1e-9 * config.sigma * config.clip / (config.rate * 40);
  EXPECT_NEAR(squares_of(result.update.delta) / (numel * deviation * deviation), 1.0,
              5 * std::sqrt(2.0 / numel));
  EXPECT_EQ(account().spent.steps(), 1);
}

TEST_F(PrivateRoundsTest, NotesInTheLedgerWhatItReports) {
  LocalTrainer own = trainer();
  ClientData data = client();
  const ModelState start = copy_state(own.model());
  {
    const auto by = rule(own.model());
    (void)own.run(data, start, 3, {}, 0, by.get());
    const auto result = own.run(data, start, 4, {}, 0, by.get());
    ASSERT_TRUE(result.privacy.has_value());
    privacy::Accountant expected;
    expected.add({config.rate, config.sigma}, 7);
    EXPECT_EQ(result.privacy->epsilon, expected.spent(config.delta).epsilon);
    EXPECT_EQ(result.privacy->steps, 7);
    EXPECT_FALSE(result.privacy->leaves);
  }
  EXPECT_EQ(account().spent.steps(), 7);
  EXPECT_EQ(account().records, 2);
  EXPECT_EQ(account().insecure_steps, 7);
}

/// Neither the loss nor how many samples were in the batches.
TEST_F(PrivateRoundsTest, TellsNothingWithoutNoise) {
  for (const std::string mode : {"per_sample", "per_update"}) {
    config.mode = mode;
    if (mode == "per_update") config.rate = 0.0;
    LocalTrainer own = trainer();
    ClientData data = client();
    const auto by = rule(own.model(), mode);
    const auto result = own.run(data, copy_state(own.model()), 3, {}, 0, by.get());
    EXPECT_TRUE(std::isnan(result.loss));
    EXPECT_EQ(result.samples, mode == "per_sample" ? 30 : 24);
    EXPECT_FALSE(result.validation.has_value());
    EXPECT_TRUE(result.update.buffers.empty());
  }
}

TEST_F(PrivateRoundsTest, ARoundIsCutToWhatTheBudgetAllowsAndThenTheSiteLeaves) {
  privacy::Accountant seven;
  seven.add({config.rate, config.sigma}, 7);
  config.epsilon = seven.spent(config.delta).epsilon;
  LocalTrainer own = trainer();
  ClientData data = client();
  const ModelState start = copy_state(own.model());
  const auto by = rule(own.model());
  const auto first = own.run(data, start, 5, {}, 0, by.get());
  EXPECT_EQ(first.steps, 5);
  EXPECT_FALSE(first.privacy->leaves);
  const auto second = own.run(data, start, 5, {}, 0, by.get());
  EXPECT_EQ(second.steps, 2);
  EXPECT_TRUE(second.finite);
  EXPECT_TRUE(second.privacy->leaves);
  EXPECT_EQ(second.privacy->epsilon, config.epsilon);
  const auto third = own.run(data, start, 5, {}, 0, by.get());
  EXPECT_EQ(third.steps, 0);
  EXPECT_FALSE(third.finite);
  EXPECT_EQ(squares_of(third.update.delta), 0.0);
  EXPECT_EQ(account().spent.steps(), 7);
}

TEST_F(PrivateRoundsTest, AnUpdateIsOneReleaseOfAClippedAndNoisedVector) {
  config.mode = "per_update";
  config.rate = 0.0;
  config.sigma = 2.0;
  config.epsilon = 3.0;
  model_config.hidden = 1000;
  training.optimizer.lr = 1.0;
  LocalTrainer own = trainer();
  ClientData data = client();
  const auto by = rule(own.model());
  const auto result = own.run(data, copy_state(own.model()), 20, {}, 0, by.get());
  EXPECT_EQ(result.steps, 20);
  const double numel = 6 * 1000 + 1000 + 1000 * 3 + 3;
  // The clipped update is 0.25 of a square norm beside 10003 of the noise.
  EXPECT_NEAR(squares_of(result.update.delta) / (numel * 1.0), 1.0, 6 * std::sqrt(2.0 / numel));
  privacy::Accountant one;
  one.add({1.0, 2.0}, 1);
  EXPECT_EQ(result.privacy->epsilon, one.spent(config.delta).epsilon);
  EXPECT_EQ(account().spent.steps(), 1);
}

/// The pull towards the start is no part of what is clipped and noised: it knows no sample.
TEST_F(PrivateRoundsTest, TheProximalTermComesAfterTheNoise) {
  const auto run = [&](double proximal, const std::string& site) {
    training.proximal = proximal;
    LocalTrainer own = trainer();
    ClientData data = client();
    const auto by = rule(own.model(), site);
    return own.run(data, copy_state(own.model()), 2, {}, 0, by.get()).update.delta;
  };
  config.rate = 1e-9;  // noise alone, the same in both
  training.optimizer.lr = 1e-9;
  constexpr double kProximal = 4e8;
  const auto free = run(0.0, "free");
  const auto held = run(kProximal, "held");
  // After one step both are at n1; then the one goes to n1 + n2, the other to n1 + n2 - 0.4 n1.
  // Were the term inside the clip, it would be cut to C over the expected batch at most.
  const auto first = [&] {
    training.proximal = 0.0;
    LocalTrainer own = trainer();
    ClientData data = client();
    const auto by = rule(own.model(), "first");
    return own.run(data, copy_state(own.model()), 1, {}, 0, by.get()).update.delta;
  }();
  for (std::size_t i = 0; i < free.size(); ++i) {
    EXPECT_TRUE(torch::allclose(held[i], free[i] - 0.4 * first[i], 1e-3, 1e-5)) << i;
  }
}

TEST_F(PrivateRoundsTest, ASiteOfManyRanksIsOneSite) {
  std::vector<LocalResult> results(3);
  comm::local::run(3, [&](comm::Communicator& site) {
    LocalTrainer own = trainer();
    ClientData data = client(20 + 40 * site.rank());
    const auto seed = static_cast<std::uint64_t>(50 + site.rank());
    const auto by = make_private_rounds({.config = config,
                                         .ledger = site.rank() == 0 ? ledger() : nullptr,
                                         .entropy = privacy::insecure_entropy(seed),
                                         .ranks = &site},
                                        own.model(), training);
    results[static_cast<std::size_t>(site.rank())] =
        own.run(data, copy_state(own.model()), 5, {}, 0, by.get());
  });
  for (const auto& result : results) {
    EXPECT_EQ(result.samples, 5 * 30);  // of all ranks
    EXPECT_EQ(result.privacy->steps, 5);
    EXPECT_EQ(result.privacy->epsilon, results[0].privacy->epsilon);
    for (std::size_t i = 0; i < result.update.delta.size(); ++i) {
      EXPECT_TRUE(torch::equal(result.update.delta[i], results[0].update.delta[i]));
    }
  }
  EXPECT_EQ(account().spent.steps(), 5);
}

TEST_F(PrivateRoundsTest, LearnsInSpiteOfTheNoise) {
  config.sigma = 0.6;
  config.epsilon = 1e3;
  config.clip = 1.0;
  LocalTrainer own = trainer();
  ClientData data = client(0, 300);
  const auto by = rule(own.model());
  ModelState start = copy_state(own.model());
  const auto result = own.run(data, start, 60, {}, 0, by.get());
  for (std::size_t i = 0; i < start.parameters.size(); ++i) {
    start.parameters[i].add_(result.update.delta[i]);
  }
  const auto test = load_datasets(data_config, 1).test;
  const auto trained = model();
  put_state(start, *trained);
  std::vector<std::int64_t> all(static_cast<std::size_t>(test->size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  EXPECT_GT(evaluate_samples(*trained, *test, all, 64).accuracy, 0.8);
}

TEST_F(PrivateRoundsTest, NoiseIsTheSystemsUnlessATestAsksOtherwise) {
  const auto once = [&](const std::string& site) {
    LocalTrainer own = trainer();
    ClientData data = client();
    const auto by = make_private_rounds(
        {.config = config, .ledger = ledger(site), .entropy = privacy::os_entropy()}, own.model(),
        training);
    return own.run(data, copy_state(own.model()), 1, {}, 0, by.get()).update.delta;
  };
  const auto one = once("one");
  const auto other = once("other");
  EXPECT_FALSE(torch::equal(one[0], other[0]));
  EXPECT_EQ(account("one").insecure_steps, 0);
}

TEST_F(PrivateRoundsTest, RefusesModelsThatWouldTellMore) {
  const auto refusal = [&](const Model& own) {
    try {
      (void)rule(own);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const tests::TensorModel with_buffer({{"weight", torch::zeros({2})}},
                                       {{"bn.running_mean", torch::zeros({2})}});
  EXPECT_NE(refusal(with_buffer).find("buffers, such as \"bn.running_mean\""), std::string::npos);
  for (const auto& [name, allowed] : {std::pair{"mlp", true},
                                      {"cnn", true},
                                      {"vit", true},
                                      {"resnet20", false},
                                      {"resnet18", false}}) {
    ModelConfig built;
    built.name = name;
    built.patch = 8;
    const DataInfo images{.task = Task::kClassify, .input_shape = {3, 32, 32}, .classes = 10};
    EXPECT_EQ(refusal(*make_model(built, images, 1)).empty(), allowed) << name;
  }
}

TEST_F(PrivateRoundsTest, AFingerprintIsOfTheSamples) {
  const std::vector<std::int64_t> samples{1, 2, 3};
  const auto first = privacy::fingerprint(*dataset, samples);
  EXPECT_EQ(first, privacy::fingerprint(*load_datasets(data_config, 1).train, samples));
  const std::vector<std::int64_t> others{1, 2, 4};
  EXPECT_NE(first, privacy::fingerprint(*dataset, others));
  EXPECT_NE(first, privacy::fingerprint(*load_datasets(data_config, 2).train, samples));
}

}  // namespace
}  // namespace convoy::trainer
