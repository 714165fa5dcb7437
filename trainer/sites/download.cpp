// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/download.h"

#include <algorithm>

namespace convoy::trainer {
namespace {

/// May be on its way at a time. The bytes end in memory anyway; smaller windows let other messages
/// through sooner.
constexpr std::int64_t kWindow = std::int64_t{8} << 20;

}  // namespace

Download::Download(const net::ModelBegin& begin)
    : begin_(begin), receiver_(begin.bytes, begin.sha256) {}

void Download::attach(const net::ModelBegin& begin, std::uint64_t stream) {
  begin_ = begin;
  stream_ = stream;
  limit_ = receiver_.received();
}

bool Download::continues(const net::ModelBegin& begin) const {
  return begin.kind == begin_.kind && begin.sha256 == begin_.sha256 && begin.bytes == begin_.bytes;
}

net::StreamOffset Download::take_more() {
  limit_ = std::min(begin_.bytes, receiver_.received() + kWindow);
  receiver_.allow(limit_);
  return {.stream = stream_, .offset = receiver_.received(), .limit = limit_};
}

std::optional<net::StreamOffset> Download::take_more_if_due() {
  if (limit_ == begin_.bytes || limit_ - receiver_.received() > kWindow / 2) return std::nullopt;
  return take_more();
}

std::optional<net::StreamError> Download::take(const net::Chunk& chunk) {
  if (auto error = receiver_.take(chunk.offset, chunk.bytes)) return error;
  bytes_.insert(bytes_.end(), chunk.bytes.begin(), chunk.bytes.end());
  return std::nullopt;
}

std::optional<net::StreamError> Download::finish(const net::StreamEnd& end) {
  return receiver_.finish(end.sha256);
}

}  // namespace convoy::trainer
