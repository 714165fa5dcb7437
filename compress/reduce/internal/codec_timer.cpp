// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/codec_timer.h"

#include <cstddef>
#include <ctime>
#include <vector>

namespace convoy::compress::internal {

double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double codec_seconds(const Codec& codec, std::span<const float> values, Level level,
                     double encodings, double decodings) {
  std::vector<std::byte> room(codec.max_bytes(std::ssize(values), level));
  std::vector<float> sum(values.size());
  const double begin = thread_seconds();
  const std::size_t bytes = codec.encode(values, level, 1, room);
  const double middle = thread_seconds();
  codec.add_decoded(std::span<const std::byte>(room).first(bytes), 1.0F, sum);
  const double end = thread_seconds();
  return encodings * (middle - begin) + decodings * (end - middle);
}

}  // namespace convoy::compress::internal
