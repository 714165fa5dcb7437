// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include "scheduler/net/tensor_reader.h"

namespace convoy::net {
namespace {

void demand(bool ok) {
  if (!ok) std::abort();
}

struct CountingSink : TensorSink {
  std::optional<StreamError> begin(const TensorManifest& all) override {
    demand(++begun == 1);
    manifest = all;
    return std::nullopt;
  }
  void data(std::size_t tensor, std::int64_t offset, std::span<const std::byte> bytes) override {
    demand(begun == 1 && tensor < manifest.tensors.size() && !bytes.empty());
    demand(tensor == last ? offset == expected : tensor > last && offset == 0);
    last = tensor;
    expected = offset + std::ssize(bytes);
    demand(expected <= bytes_of(manifest.tensors[tensor]));
    count += std::ssize(bytes);
  }
  int begun = 0;
  TensorManifest manifest;
  std::size_t last = 0;
  std::int64_t expected = 0;
  std::int64_t count = 0;
};

}  // namespace
}  // namespace convoy::net

/// The first byte is the size of the pieces; the rest is a stream, whose length is announced as it
/// is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::net;
  if (size == 0) return 0;
  auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  CountingSink sink;
  TensorReader reader(std::ssize(rest), sink);
  const std::size_t piece = data[0] + std::size_t{1};
  while (!rest.empty()) {
    const auto front = rest.first(std::min(piece, rest.size()));
    const std::vector<std::byte> exact(front.begin(), front.end());
    rest = rest.subspan(front.size());
    if (reader.feed(exact)) return 0;
  }
  if (!reader.finish()) {
    demand(sink.begun == 1 && sink.count == data_bytes(sink.manifest));
    demand(std::get<TensorManifest>(parse_manifest(encode(sink.manifest))) == sink.manifest);
  }
  return 0;
}
