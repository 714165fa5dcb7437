// SPDX-License-Identifier: Apache-2.0
#include "compress/update/update_sender.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "tests/compress/update/updates.h"

namespace convoy::tests {
namespace {

using compress::UpdateCodec;
using compress::UpdateSender;

/// Of every third update the server refuses the payload.
void expect_nothing_is_lost(const compress::CompressionConfig& config) {
  const UpdateCodec codec(config, update_layers());
  UpdateSender sender(codec, 3);
  const auto numel = static_cast<std::size_t>(codec.numel());
  std::vector<double> missing(numel);  // true updates - decoded ones
  for (std::int64_t round = 0; round < 30; ++round) {
    const auto delta = random_update(static_cast<std::uint64_t>(round));
    const auto payload = sender.send(delta, round);
    for (std::size_t i = 0; i < numel; ++i) missing[i] += delta[i];
    if (round % 3 == 2) {
      sender.take_back(payload);
      continue;
    }
    const auto received = decoded(codec, payload);
    for (std::size_t i = 0; i < numel; ++i) missing[i] -= received[i];
  }
  double worst = 0.0;
  double largest = 1.0;
  for (std::size_t i = 0; i < numel; ++i) {
    const double residual = sender.residual()[i];
    worst = std::max(worst, std::abs(residual - missing[i]));
    largest = std::max(largest, std::abs(residual));
  }
  EXPECT_LT(worst, 4.0 * 30 * largest * 0x1p-24) << config.family;
}

TEST(UpdateSender, LosesNothingOverManyUpdates) {
  for (auto config : {update_config("top_k", 0.05), update_config("quantize", 2),
                      update_config("half", 16), update_config("none", 0)}) {
    expect_nothing_is_lost(config);
    if (config.family == "top_k" || config.family == "quantize") {
      config.policy = "lgreco";
      expect_nothing_is_lost(config);
    }
  }
}

TEST(UpdateSender, GoesOnFromItsResidual) {
  const UpdateCodec codec(update_config("top_k", 0.05), update_layers());
  UpdateSender whole(codec, 3);
  (void)whole.send(random_update(0), 0);
  UpdateSender resumed(codec, 3);
  resumed.restore(whole.residual());
  EXPECT_EQ(whole.send(random_update(1), 1), resumed.send(random_update(1), 1));
  EXPECT_THROW(resumed.restore(std::vector<float>(3)), ConfigError);
}

}  // namespace
}  // namespace convoy::tests
