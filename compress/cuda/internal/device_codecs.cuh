// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compress/codec/half_codec.h"
#include "compress/codec/quantize_codec.h"
#include "compress/codec/top_k_codec.h"
#include "compress/cuda/device_codec.h"
#include "compress/cuda/internal/device_runner.cuh"

// Each in its own source file, as nvcc takes its time.

namespace convoy::compress::cuda {

std::unique_ptr<DeviceCodec> make_codec_on(const DeviceRunner& runner, QuantizeConfig config);
std::unique_ptr<DeviceCodec> make_codec_on(const DeviceRunner& runner, TopKConfig config);
std::unique_ptr<DeviceCodec> make_codec_on(const DeviceRunner& runner, HalfConfig config);

}  // namespace convoy::compress::cuda
