// SPDX-License-Identifier: Apache-2.0
// A payload store in a folder of its own, and uploads into it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "scheduler/journal/payload_store.h"
#include "tests/scheduler/journal/faulty_disk.h"
#include "tests/temporary_folder.h"

namespace convoy::tests {

using Bytes = std::vector<std::byte>;

/// Random bytes, the same for the same seed.
Bytes content(std::uint64_t seed, std::size_t bytes);

scheduler::journal::DeclaredUpload declared(const std::string& site, const std::string& id,
                                            const Bytes& bytes);

/// Sends what is missing, up to `end`.
void send(scheduler::journal::Upload& upload, const Bytes& bytes, std::size_t end,
          std::size_t step = 777);

void upload_all(scheduler::journal::PayloadStore& store, const std::string& site,
                const std::string& id, const Bytes& bytes);

/// What a RefusedUpload says; "": none was thrown.
std::string refusal_of(const std::function<void()>& work);

inline constexpr scheduler::journal::PayloadStoreConfig kSmall{
    .max_update_bytes = 100'000, .max_site_bytes = 150'000, .sync_bytes = 4096};

class PayloadStoreTest : public testing::Test {
 protected:
  PayloadStoreTest() { disk::reset(); }
  ~PayloadStoreTest() override { disk::reset(); }

  TemporaryFolder folder_;
  std::filesystem::path spool_ = folder_.path() / "spool";
};

}  // namespace convoy::tests
