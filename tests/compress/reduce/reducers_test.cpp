// SPDX-License-Identifier: Apache-2.0
// Every family on threads as ranks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/values.h"
#include "tests/comm/comm_errors.h"
#include "tests/compress/reduce/reducer_kit.h"
#include "tests/compress/reduce/reducer_scenarios.h"

namespace convoy::tests {
namespace {

using comm::local::run;

TEST(Reducers, LoseNothing) {
  for (const int ranks : {2, 3, 8}) run(ranks, expect_nothing_is_lost);
}

TEST(Reducers, GiveAllRanksTheSameBits) {
  for (const int ranks : {2, 3, 4, 8}) run(ranks, expect_equal_bits);
}

TEST(Reducers, SendDenseWhatTheyMustNotTouch) {
  for (const int ranks : {1, 2, 3}) run(ranks, expect_dense_where_asked);
}

TEST(Reducers, TakeAStepBack) {
  for (const int ranks : {2, 3}) run(ranks, expect_discard_leaves_no_trace);
}

TEST(Reducers, ResumeToTheBit) {
  for (const int ranks : {2, 3}) run(ranks, expect_resume_is_exact);
}

TEST(Reducers, GiveTheSameBitsHoweverBucketsOverlap) {
  for (const int ranks : {2, 3, 5}) {
    run(ranks, [](comm::Communicator& communicator) {
      for (const auto& [name, config] : all_families()) {
        const auto one_by_one = compress::make_reducer(config, 1)(communicator);
        const auto duplicate = communicator.duplicate();
        const auto overlapping = compress::make_reducer(config, 1)(*duplicate);
        Random random{17, static_cast<std::uint64_t>(communicator.rank())};
        for (std::int64_t step = 0; step < 4; ++step) {
          const auto gradients = gradients_of(small_model(), communicator.rank(), step);
          const auto expected = reduce_step(*one_by_one, small_model(), gradients, step, 1);
          const auto found =
              reduce_step_overlapping(*overlapping, small_model(), gradients, step, random);
          EXPECT_EQ(found, expected) << name << ", step " << step;
        }
        EXPECT_EQ(overlapping->traffic().sent_bytes, one_by_one->traffic().sent_bytes) << name;
        EXPECT_EQ(overlapping->state().arrays, one_by_one->state().arrays) << name;
      }
    });
  }
}

TEST(Reducers, BeginTheNextBucketBeforeTheLastOneIsDone) {
  run(2, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      std::vector<float> first(4096, 1.0F);
      std::vector<float> second(4096, 2.0F);
      const compress::Bucket buckets[]{{{{"first", 0, {64, 64}, 4096}}, first},
                                       {{{"second", 0, {64, 64}, 4096}}, second}};
      reducer->begin_step(0);
      if (communicator.rank() == 1) communicator.recv(std::span(first).first(1), 0).wait();
      first.front() = 1.0F;
      auto one = reducer->start(buckets[0], 0);
      auto two = reducer->start(buckets[1], 0);
      if (communicator.rank() == 0) {
        // The peer has not begun.
        EXPECT_FALSE(one.advance()) << name;
        EXPECT_FALSE(two.advance()) << name;
        communicator.send(std::span<const float>(second).first(1), 1).wait();
      }
      one.wait();
      two.wait();
      reducer->end_step();
      EXPECT_NEAR(first[17], 1.0F, 1e-2F) << name;
      EXPECT_NEAR(second[17], 2.0F, 1e-2F) << name;
    }
  });
}

TEST(Reducers, TellWhereTimeGoes) {
  run(2, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      Timeline timeline;
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
      (void)reduce_step(*reducer, small_model(), gradients, 0);
      EXPECT_TRUE(timeline.take().empty()) << name;
      reducer->watch(&timeline);
      (void)reduce_step(*reducer, small_model(), gradients, 1);
      std::map<Phase, std::set<std::string>> seen;
      for (const auto& span : timeline.take()) {
        EXPECT_LE(span.begin, span.end);
        seen[span.phase].insert(span.what);
      }
      EXPECT_FALSE(seen[Phase::kWire].empty()) << name;
      const bool dense = config.family == "none";
      EXPECT_EQ(seen[Phase::kEncode].contains("fc.weight"), !dense) << name;
      EXPECT_EQ(seen[Phase::kDecode].contains("fc.weight"), !dense) << name;
      reducer->watch(nullptr);
      (void)reduce_step(*reducer, small_model(), gradients, 2);
      EXPECT_TRUE(timeline.take().empty()) << name;
    }
  });
}

TEST(Reducers, OnOneRankChangeNothing) {
  run(1, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      const auto gradients = gradients_of(small_model(), 0, 0);
      EXPECT_EQ(reduce_step(*reducer, small_model(), gradients, 0), gradients) << name;
      EXPECT_EQ(reducer->traffic().sent_bytes, 0U) << name;
    }
  });
}

/// Sends the first half of a layer as it is, and nothing of the rest.
class FirstHalf final : public compress::Codec {
 public:
  [[nodiscard]] std::string_view family() const override { return "first half"; }
  void check_level(compress::Level level) const override {
    require(level.value() == 5.0, "first half has level 5 only");
  }

 private:
  [[nodiscard]] std::size_t do_max_bytes(std::int64_t numel, compress::Level) const override {
    return static_cast<std::size_t>(numel) / 2 * sizeof(float);
  }
  [[nodiscard]] std::size_t do_encode(compress::Values values, compress::Level, std::uint64_t,
                                      std::span<std::byte> out) const override {
    std::memcpy(out.data(), std::get<0>(values).data(), out.size());
    return out.size();
  }
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override {
    std::ranges::fill(out, 0.0F);
    std::memcpy(out.data(), payload.data(), payload.size());
  }
};

TEST(OwnCodec, IsGatheredWithErrorFeedback) {
  run(3, [](comm::Communicator& communicator) {
    compress::CompressionConfig config{.level = 5, .min_numel = 64};
    const auto reducer =
        compress::make_reducer(std::make_shared<FirstHalf>(), config, 1)(communicator);
    const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
    const auto found = reduce_step(*reducer, small_model(), gradients, 0).at("fc.weight");
    const auto mean = mean_gradients(small_model(), 3, 0).at("fc.weight");
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], i < found.size() / 2 ? mean[i] : 0.0, 1e-6) << i;
    }
    const auto residual = reducer->state().arrays.at("residual/fc.weight");
    EXPECT_EQ(residual.front(), 0.0F);
    EXPECT_EQ(residual.back(), gradients.at("fc.weight").back());
  });
}

TEST(OwnCodec, HasItsOwnLevels) {
  const auto codec = std::make_shared<FirstHalf>();
  EXPECT_THROW((void)compress::make_reducer(codec, {.level = 4}, 1), ContractError);
  EXPECT_THROW((void)compress::make_reducer(codec, {.level = 5, .candidates = {4, 5}}, 1),
               ContractError);
}

TEST(Resume, OnOneRankPaysWhatIsOwed) {
  compress::ReducerState state;
  run(2, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(config_of("top_k", 0.05), 1)(communicator);
    const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
    (void)reduce_step(*reducer, small_model(), gradients, 0);
    if (communicator.rank() == 0) state = reducer->state();
  });
  const auto owed = state.arrays.at("residual/fc.weight");
  run(1, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(config_of("top_k", 0.05), 1)(communicator);
    reducer->load_state(state);
    for (const std::int64_t step : {1, 2}) {
      const auto gradients = gradients_of(small_model(), 0, step);
      const auto found = reduce_step(*reducer, small_model(), gradients, step).at("fc.weight");
      for (std::size_t i = 0; i < found.size(); ++i) {
        const float expected = gradients.at("fc.weight")[i] + (step == 1 ? owed[i] : 0.0F);
        ASSERT_EQ(found[i], expected) << "step " << step << ", value " << i;
      }
    }
  });
}

TEST(Resume, WithOtherCompressionStartsUniform) {
  compress::ReducerState state;
  run(2, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(config_of("quantize", 4), 1)(communicator);
    const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
    (void)reduce_step(*reducer, small_model(), gradients, 0);
    if (communicator.rank() == 0) state = reducer->state();
  });
  for (const auto& config : {config_of("quantize", 8), config_of("power_sgd", 2)}) {
    run(2, [&](comm::Communicator& communicator) {
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      reducer->load_state(state);
      const auto gradients = gradients_of(small_model(), communicator.rank(), 1);
      (void)reduce_step(*reducer, small_model(), gradients, 1);
      const auto plans = reducer->take_plans();
      ASSERT_EQ(plans.size(), 1U);
      for (const auto& layer : plans[0].layers) EXPECT_EQ(layer.level.value(), config.level);
    });
  }
}

TEST(Replay, OfPlansThatDoNotFitIsRefused) {
  const auto refusal = [](const std::vector<compress::PlanRecord>& plans) {
    std::string message;
    run(2, [&](comm::Communicator& communicator) {
      try {
        const auto reducer =
            compress::make_reducer(config_of("quantize", 4), 1, plans)(communicator);
        const auto gradients = gradients_of(small_model(), communicator.rank(), 0);
        (void)reduce_step(*reducer, small_model(), gradients, 0);
      } catch (const ConfigError& error) {
        if (communicator.rank() == 0) message = error.what();
      }
    });
    return message;
  };
  const auto plan = [](std::vector<compress::PlannedLayer> layers) {
    compress::PlanRecord record;
    record.layers = std::move(layers);
    return std::vector{record};
  };
  using compress::Level;
  const compress::PlannedLayer conv1{"conv1.weight", 432, Level(4)};
  const compress::PlannedLayer conv2{"conv2.weight", 3456, Level(2)};
  const compress::PlannedLayer fc{"fc.weight", 650, Level::dense()};
  EXPECT_EQ(refusal(plan({conv1, conv2, fc})), "");
  EXPECT_NE(refusal(plan({{"conv1.weight", 432, Level(64)}})).find("conv1.weight"),
            std::string::npos);
  EXPECT_EQ(refusal(plan({conv1, conv2})),
            "the plan of step 0 cannot be replayed: it has no level for fc.weight");
  EXPECT_EQ(refusal(plan({conv1, conv2, fc, {"other", 1, Level(4)}})),
            "the plan of step 0 cannot be replayed: other is not compressed here");
}

TEST(Replay, OfOtherPlansOnOneRankIsRefusedOnAll) {
  run(2, [](comm::Communicator& communicator) {
    compress::PlanRecord plan;
    // Rank 1's level does not exist either: it must not leave rank 0 waiting.
    plan.layers = {{"fc.weight", 650, compress::Level(communicator.rank() == 0 ? 4 : 64)}};
    EXPECT_THROW((void)compress::make_reducer(config_of("quantize", 4), 1, {plan})(communicator),
                 ConfigError);
  });
}

TEST(Plans, TakeEffectAtOnceOrAsLateAsTheNextWindow) {
  for (const std::int64_t lag : {0, 6}) {
    run(2, [&](comm::Communicator& communicator) {
      auto config = config_of("power_sgd", 2);
      config.policy = "lgreco";
      config.warmup_steps = 4;
      config.window = 3;
      config.adapt_every = 6;
      config.plan_lag = lag;
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      std::vector<std::int64_t> steps;
      for (std::int64_t step = 0; step < 18; ++step) {
        const auto gradients = gradients_of(small_model(), communicator.rank(), step);
        (void)reduce_step(*reducer, small_model(), gradients, step);
        for (const auto& plan : reducer->take_plans()) {
          if (plan.policy == "lgreco") steps.push_back(plan.step);
        }
      }
      const std::vector<std::int64_t> at_once{4, 10, 16};
      const std::vector<std::int64_t> late{10, 16};
      EXPECT_EQ(steps, lag == 0 ? at_once : late);
    });
  }
}

/// What rank 0 remembers after planning under the budget `alpha`.
compress::ReducerState planned_state(double alpha) {
  compress::ReducerState state;
  run(2, [&](comm::Communicator& communicator) {
    auto config = config_of("quantize", 4);
    config.policy = "lgreco";
    config.alpha = alpha;
    config.warmup_steps = 2;
    config.window = 2;
    config.plan_lag = 0;
    const auto reducer = compress::make_reducer(config, 1)(communicator);
    for (std::int64_t step = 0; step < 4; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      (void)reduce_step(*reducer, small_model(), gradients, step);
    }
    if (communicator.rank() == 0) state = reducer->state();
  });
  return state;
}

TEST(Plans, OfOneRankAloneAreFoundOutAtOnce) {
  const std::vector states{planned_state(1.0), planned_state(16.0)};
  const auto error_with = [&](std::size_t of_rank_1) {
    return comm_error([&] {
      run(2, [&](comm::Communicator& communicator) {
        auto config = config_of("quantize", 4);
        config.policy = "lgreco";
        const auto reducer = compress::make_reducer(config, 1)(communicator);
        reducer->load_state(states[communicator.rank() == 0 ? 0 : of_rank_1]);
        const auto gradients = gradients_of(small_model(), communicator.rank(), 4);
        (void)reduce_step(*reducer, small_model(), gradients, 4);
      });
    });
  };
  EXPECT_EQ(error_with(0), "no CommError");
  expect_match(error_with(1),
               "rank [01]/2.*context [0-9a-f]{8}.*rank [01] .*its context [0-9a-f]{8} where this "
               "rank has [0-9a-f]{8}");
}

double squared_residuals(compress::Reducer& reducer) {
  double sum = 0.0;
  for (const auto& [name, values] : reducer.state().arrays) {
    if (!name.starts_with("residual/")) continue;
    for (const double value : values) sum += value * value;
  }
  return sum;
}

TEST(Reducers, SendTheBytesThatTheyState) {
  for (const int ranks : {2, 3, 8}) run(ranks, expect_stated_bytes_are_sent);
}

TEST(Plans, SayTheErrorOfTheStepBefore) {
  run(3, [&](comm::Communicator& communicator) {
    auto config = config_of("top_k", 0.05);
    config.policy = "lgreco";
    config.warmup_steps = 2;
    config.window = 3;
    config.adapt_every = 6;
    config.plan_lag = 2;
    const auto reducer = compress::make_reducer(config, 1)(communicator);
    for (std::int64_t step = 0; step < 8; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      (void)reduce_step(*reducer, small_model(), gradients, step);
    }
    const auto errors =
        comm::all_gather_values(communicator, std::vector{squared_residuals(*reducer)});
    (void)reducer->take_plans();
    for (std::int64_t step = 8; step < 11; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      (void)reduce_step(*reducer, small_model(), gradients, step);
    }
    const auto plans = reducer->take_plans();
    const double mean = (errors[0] + errors[1] + errors[2]) / 3.0;
    EXPECT_GT(mean, 0.0);
    EXPECT_EQ(plans.size(), 1U);
    for (const auto& plan : plans) EXPECT_NEAR(plan.step_error, mean, 1e-9 * mean);
  });
}

TEST(Quantize, OfConstantsIsExact) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_constants_are_exact);
}

TEST(Quantize, OfRangesStaysWithinItsStep) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_ranges_within_bound);
}

TEST(PowerSgd, OfFullRankIsExact) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_full_rank_is_exact);
}

TEST(Plans, FollowTheSchedule) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_plans_follow_the_schedule);
}

}  // namespace
}  // namespace convoy::tests
