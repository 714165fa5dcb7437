// SPDX-License-Identifier: Apache-2.0
// Every family with its kernels, run on the host by the streams of the double of CUDA and NCCL:
// over NCCL, and where only some ranks have a device.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "comm/local/local.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"
#include "comm/values.h"
#include "compress/codec/codec.h"
#include "tests/compress/reduce/device_ranks.h"
#include "tests/compress/reduce/reducer_kit.h"
#include "tests/compress/reduce/reducer_scenarios.h"
#include "tests/nccl_double/nccl_double.h"
#include "tests/nccl_double/state.h"

namespace convoy::tests {
namespace {

using Body = std::function<void(comm::Communicator&)>;

/// As a kernel of backward that takes its time.
void put_late_on_default_stream(std::function<void()> work) {
  auto& all = nccl_double::state();
  const std::lock_guard lock(all.mutex);
  nccl_double::push(*nccl_double::use(all, cudaStream_t{nullptr}),
                    [work = std::move(work)](std::unique_lock<std::mutex>& held) {
                      held.unlock();
                      std::this_thread::sleep_for(std::chrono::milliseconds(3));
                      work();
                      held.lock();
                    });
}

const NcclSwitches kSlow{.all_memory_is_device = true,
                         .longest_delay = std::chrono::microseconds(200),
                         .slow_launches = 1};

void run_over_nccl(int ranks, const Body& body) {
  comm::local::run(ranks, [&](comm::Communicator& world) {
    const auto device = comm::nccl::share_devices(world, comm::nccl::DeviceWish::kMust);
    const RankStream stream;
    const auto devices = comm::nccl::make(world, {.stream = stream.number(), .device = *device});
    body(*devices);
  });
}

/// Devices on ranks 0, 2, ...
void run_mixed(int ranks, const Body& body) {
  comm::local::run(ranks, [&](comm::Communicator& world) {
    const auto device =
        comm::nccl::share_devices(world, world.rank() % 2 == 0 ? comm::nccl::DeviceWish::kMust
                                                               : comm::nccl::DeviceWish::kNone);
    if (!device) return body(world);
    const RankStream stream;
    const auto staged = comm::nccl::stage(world, {.stream = stream.number(), .device = *device});
    body(*staged);
  });
}

struct World {
  const char* name;
  void (*run)(int, const Body&);
};

class DeviceReducers : public testing::TestWithParam<World> {
 protected:
  void run(int ranks, const Body& body) const { GetParam().run(ranks, body); }
  NcclDouble cuda_{kSlow};
};

INSTANTIATE_TEST_SUITE_P(Worlds, DeviceReducers,
                         testing::Values(World{"Nccl", run_over_nccl}, World{"Mixed", run_mixed}),
                         [](const auto& world) { return world.param.name; });

TEST_P(DeviceReducers, LoseNothing) {
  for (const int ranks : {2, 3}) run(ranks, expect_nothing_is_lost);
}

// Whatever the buckets: but of three values and more NCCL chooses the order of a dense sum.
TEST_P(DeviceReducers, GiveAllRanksTheSameBits) { run(2, expect_equal_bits); }
TEST(MixedRanks, GiveAllRanksTheSameBits) {
  const NcclDouble cuda(kSlow);
  for (const int ranks : {3, 4}) run_mixed(ranks, expect_equal_bits);
}
TEST(NcclRanks, AgreeToTheBit) {
  const NcclDouble cuda(kSlow);
  run_over_nccl(4, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      const auto reducer = make_reducer_on(communicator, config, 3);
      for (std::int64_t step = 0; step < 4; ++step) {
        const auto gradients = gradients_of(small_model(), communicator.rank(), step);
        const auto own = hash_of(reduce_step(*reducer, small_model(), gradients, step));
        const auto all = comm::all_gather_values(communicator, std::vector{own});
        EXPECT_EQ(all, std::vector(4, own)) << name << ", step " << step;
      }
    }
  });
}

TEST_P(DeviceReducers, TakeAStepBack) { run(3, expect_discard_leaves_no_trace); }
TEST_P(DeviceReducers, ResumeToTheBit) { run(2, expect_resume_is_exact); }
TEST_P(DeviceReducers, SendTheBytesThatTheyState) { run(3, expect_stated_bytes_are_sent); }
TEST_P(DeviceReducers, OfConstantsAreExact) { run(3, expect_constants_are_exact); }
TEST_P(DeviceReducers, OfRangesStayWithinTheirBound) { run(3, expect_ranges_within_bound); }
TEST_P(DeviceReducers, OfFullRankAreExact) { run(2, expect_full_rank_is_exact); }
TEST_P(DeviceReducers, FollowTheSchedule) { run(2, expect_plans_follow_the_schedule); }

/// What a run of 24 steps gives on a rank, with plans made on the way.
struct Outcome {
  std::vector<std::int64_t> averages;  // hashes, by step
  std::map<std::string, std::vector<float>> state;
  std::string last_plan;
};

Outcome outcome_of(const comm::Communicator& communicator, compress::Reducer& reducer) {
  Outcome outcome;
  for (std::int64_t step = 0; step < 24; ++step) {
    const auto gradients = gradients_of(small_model(), communicator.rank(), step);
    outcome.averages.push_back(hash_of(reduce_step(reducer, small_model(), gradients, step, 2)));
    for (const auto& plan : reducer.take_plans()) outcome.last_plan = plan.hash;
  }
  outcome.state = reducer.state().arrays;
  return outcome;
}

compress::CompressionConfig planned(compress::CompressionConfig config, const char* residual) {
  config.policy = "lgreco";
  config.adapt_every = 8;
  config.window = 4;
  config.plan_lag = 2;
  config.warmup_steps = 2;
  config.residual = residual;
  return config;
}

/// The same run on ranks that all compute on hosts.
std::vector<Outcome> on_hosts(int ranks, const compress::CompressionConfig& config) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(ranks));
  comm::local::run(ranks, [&](comm::Communicator& communicator) {
    const auto reducer = compress::make_reducer(config, 5)(communicator);
    outcomes[static_cast<std::size_t>(communicator.rank())] = outcome_of(communicator, *reducer);
  });
  return outcomes;
}

// Averages, residuals, factors and plans: ranks on devices and on hosts can share one job.
TEST(MixedRanks, HaveTheBitsOfHosts) {
  const NcclDouble cuda(kSlow);
  for (const int ranks : {2, 3}) {
    for (const auto& [name, family] : all_families()) {
      for (const char* residual : {"float32", "bfloat16"}) {
        SCOPED_TRACE(name + " " + residual);
        const auto config = planned(family, residual);
        const auto expected = on_hosts(ranks, config);
        run_mixed(ranks, [&](comm::Communicator& communicator) {
          const auto reducer = make_reducer_on(communicator, config, 5);
          const Outcome found = outcome_of(communicator, *reducer);
          const Outcome& own = expected[static_cast<std::size_t>(communicator.rank())];
          EXPECT_EQ(found.averages, own.averages);
          EXPECT_EQ(found.state, own.state);
          EXPECT_EQ(found.last_plan, own.last_plan);
        });
      }
    }
  }
}

/// A codec of the user's own, which has no kernels: the sign and the mean magnitude.
class SignCodec final : public compress::Codec {
 public:
  [[nodiscard]] std::string_view family() const override { return "sign"; }
  void check_level(compress::Level) const override {}

 private:
  [[nodiscard]] std::size_t do_max_bytes(std::int64_t numel, compress::Level) const override {
    return sizeof(float) + static_cast<std::size_t>(numel);
  }
  [[nodiscard]] std::size_t do_encode(compress::Values values, compress::Level, std::uint64_t,
                                      std::span<std::byte> out) const override {
    const auto all = std::get<std::span<const float>>(values);
    float sum = 0.0F;
    for (const float value : all) sum += std::abs(value);
    const float mean = sum / static_cast<float>(all.size());
    std::memcpy(out.data(), &mean, sizeof mean);
    for (std::size_t i = 0; i < all.size(); ++i) out[sizeof mean + i] = std::byte(all[i] < 0.0F);
    return sizeof mean + all.size();
  }
  void do_decode(std::span<const std::byte> payload, std::span<float> out) const override {
    float mean = 0.0F;
    std::memcpy(&mean, payload.data(), sizeof mean);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = payload[sizeof mean + i] == std::byte{1} ? -mean : mean;
    }
  }
};

/// LibTorch's stream is late with the gradients, and reads the averages when a step says that they
/// are there.
TEST(NcclRanks, FollowTheStreamThatMakesTheGradients) {
  const NcclDouble cuda(kSlow);
  run_over_nccl(2, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      if (config.family == "none") continue;  // has no stream of its own
      const auto reducer = make_reducer_on(communicator, config, 1);
      std::vector<float> values(64 * 64, NAN);
      compress::Bucket bucket{{{"w", 0, {64, 64}, 64 * 64}}, values};
      bucket.device = comm::Device::kCuda;
      for (std::int64_t step = 0; step < 3; ++step) {
        std::ranges::fill(values, NAN);
        put_late_on_default_stream([&] { std::ranges::fill(values, 2.0F); });
        reducer->begin_step(step);
        reducer->reduce(bucket);
        // Families that leave something out send it later.
        EXPECT_GT(*std::ranges::max_element(values), 1.99F) << name << ", step " << step;
        EXPECT_FALSE(std::ranges::any_of(values, [](float value) { return std::isnan(value); }));
        reducer->end_step();
      }
    }
  });
}

TEST(MixedRanks, MayHaveACodecWithoutKernels) {
  const NcclDouble cuda(kSlow);
  const auto codec = std::make_shared<SignCodec>();
  const compress::CompressionConfig config{.level = 1, .candidates = {1}, .min_numel = 64};
  const auto steps = [&](comm::Communicator& communicator, compress::Executors executors) {
    const auto reducer = compress::make_reducer(codec, config, 3, executors)(communicator);
    std::vector<std::int64_t> hashes;
    for (std::int64_t step = 0; step < 3; ++step) {
      const auto gradients = gradients_of(small_model(), communicator.rank(), step);
      hashes.push_back(hash_of(reduce_step(*reducer, small_model(), gradients, step)));
    }
    return hashes;
  };
  std::vector<std::int64_t> expected;
  comm::local::run(3, [&](comm::Communicator& communicator) {
    const auto own = steps(communicator, compress::host_executors());
    if (communicator.rank() == 0) expected = own;
  });
  run_mixed(3, [&](comm::Communicator& communicator) {
    EXPECT_EQ(steps(communicator, executors_of_rank()), expected);
  });
}

}  // namespace
}  // namespace convoy::tests
