// SPDX-License-Identifier: Apache-2.0
// What is urgent overtakes what is under way already.
#include <gtest/gtest.h>

#include <vector>

#include "tests/comm/faulty_transport.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using comm::Request;

TEST(NarrowLink, AnUrgentAllReduceOvertakesThoseUnderWay) {
  const std::vector<Faults> faults(2, {.link_rate = 20e6});
  run_faulty(faults,
             [](Communicator& c) {
               constexpr std::size_t kNumel = 64 << 10;
               constexpr std::size_t kBytes = kNumel * sizeof(float);
               std::vector<std::vector<float>> bulk(8, std::vector<float>(kNumel, 1.0F));
               std::vector<float> urgent(kNumel, 2.0F);
               std::vector<Request> requests;
               c.barrier().wait();
               const auto before = c.bytes_sent();
               for (auto& values : bulk) {
                 requests.push_back(c.all_reduce(std::span(values), ReduceOp::kSum, {1}));
               }
               c.all_reduce(std::span(urgent)).wait();
               EXPECT_EQ(urgent.back(), 4.0F);
               // Where all shared the link alike, it would be done with the last of them.
               EXPECT_TRUE(requests.back().pending() && !requests.back().test());
               c.all_reduce(std::span(urgent), ReduceOp::kSum, {2}).wait();
               for (auto& request : requests)
                 EXPECT_TRUE(request.test()) << "less urgent, and over before";
               EXPECT_EQ(c.bytes_sent() - before, 10 * kBytes);
               for (const auto& values : bulk) EXPECT_EQ(values.front(), 2.0F);
             },
             {.chunk_bytes = 4096});
}

}  // namespace
}  // namespace convoy::tests
