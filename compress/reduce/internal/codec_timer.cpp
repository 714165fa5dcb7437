// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/codec_timer.h"

#include <cstddef>
#include <ctime>

#include "compress/reduce/array.h"

namespace convoy::compress::internal {

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double codec_seconds(Executor& executor, PlacedCodec& codec, const Codec& sizes,
                     std::span<const float> values, Level level, double encodings,
                     double decodings) {
  Array<std::byte> room;
  Array<float> own;
  Array<float> sum;
  room.resize(executor, sizes.max_bytes(std::ssize(values), level));
  const std::span<const float> here = placed(executor, values, own);
  executor.fill_zero(sum.resize(executor, values.size()));
  const double begin = executor.seconds();
  const std::size_t bytes = codec.encode(here, level, 1, room.values());
  const double middle = executor.seconds();
  codec.add_decoded(room.values().first(bytes), 1.0F, sum.values());
  const double end = executor.seconds();
  return encodings * (middle - begin) + decodings * (end - middle);
}

}  // namespace convoy::compress::internal
