// SPDX-License-Identifier: Apache-2.0
#include "compress/codec/half_codec.h"
#include "tests/compress/codec/fuzz/fuzz_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const convoy::compress::HalfCodec codec;
  static const convoy::compress::Level levels[] = {convoy::compress::Level(16)};
  convoy::compress::fuzz_codec(codec, levels, {data, size});
  return 0;
}
