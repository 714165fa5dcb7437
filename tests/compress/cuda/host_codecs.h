// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compress/cuda/internal/engine_on.h"
#include "compress/cuda/internal/half_on.h"
#include "compress/cuda/internal/quantize_on.h"
#include "compress/cuda/internal/top_k_on.h"
#include "tests/compress/cuda/host_runner.h"

// What EngineOn<Runner> needs beside the runner, for the runners of tests.

namespace convoy::compress::cuda {

template <typename Runner>
std::unique_ptr<DeviceCodec> make_codec_on(const Runner& runner, QuantizeConfig config) {
  return std::make_unique<QuantizeOn<Runner>>(config, runner);
}
template <typename Runner>
std::unique_ptr<DeviceCodec> make_codec_on(const Runner& runner, TopKConfig config) {
  return std::make_unique<TopKOn<Runner>>(config, runner);
}
template <typename Runner>
std::unique_ptr<DeviceCodec> make_codec_on(const Runner& runner, HalfConfig config) {
  return std::make_unique<HalfOn<Runner>>(config, runner);
}

}  // namespace convoy::compress::cuda
