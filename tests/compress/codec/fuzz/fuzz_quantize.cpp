// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/quantize_codec.h"
#include "tests/compress/codec/fuzz/fuzz_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using convoy::compress::Level;
  static const convoy::compress::QuantizeCodec codec(
      {.group = 64, .rounding = convoy::compress::Rounding::kStochastic});
  static const Level levels[] = {Level(1), Level(2), Level(3), Level(4),
                                 Level(5), Level(6), Level(7), Level(8)};
  convoy::compress::fuzz_codec(codec, levels, {data, size});
  return 0;
}
