// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/top_k_codec.h"
#include "tests/compress/codec/fuzz/fuzz_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using convoy::compress::Level;
  static const convoy::compress::TopKCodec exact;
  static const convoy::compress::TopKCodec half({.values = convoy::compress::TopKValues::kFloat16});
  static const Level levels[] = {Level(0.001), Level(0.01), Level(0.1), Level(0.5), Level(1)};
  convoy::compress::fuzz_codec(size % 2 == 0 ? exact : half, levels, {data, size});
  return 0;
}
