// SPDX-License-Identifier: Apache-2.0
#include "tests/scheduler/journal/payload_store_kit.h"

#include <algorithm>
#include <span>

#include "base/random.h"

namespace convoy::tests {

using namespace scheduler::journal;

Bytes content(std::uint64_t seed, std::size_t bytes) {
  Random random({seed});
  Bytes values(bytes);
  for (auto& value : values) value = static_cast<std::byte>(random.below(256));
  return values;
}

DeclaredUpload declared(const std::string& site, const std::string& id, const Bytes& bytes) {
  return {site, id, bytes.size(), sha256(bytes)};
}

void send(Upload& upload, const Bytes& bytes, std::size_t end, std::size_t step) {
  while (upload.offset() < end) {
    const auto part = std::min<std::size_t>(step, end - upload.offset());
    upload.write(std::span(bytes).subspan(upload.offset(), part));
  }
}

void upload_all(PayloadStore& store, const std::string& site, const std::string& id,
                const Bytes& bytes) {
  Upload upload = store.begin(declared(site, id, bytes));
  send(upload, bytes, bytes.size());
  upload.finish();
}

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const RefusedUpload& refused) {
    return refused.what();
  }
  return "";
}

}  // namespace convoy::tests
