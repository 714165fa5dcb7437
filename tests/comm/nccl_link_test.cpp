// SPDX-License-Identifier: Apache-2.0
// What the backend says where it is linked with the real libraries, or was left out.
#include <gtest/gtest.h>

#include <iostream>
#include <optional>
#include <string>

#include "base/errors.h"
#include "comm/local/local.h"
#include "comm/nccl/nccl.h"
#include "comm/nccl/staging.h"

namespace convoy::comm {
namespace {

std::string error_of_make(Communicator& bootstrap) {
  try {
    static_cast<void>(nccl::make(bootstrap));
  } catch (const ConfigError& error) {
    return error.what();  // built with NCCL
  } catch (const ContractError& error) {
    return error.what();  // built without
  }
  return "";
}

// Ranks without a device take part in sharing them, whatever they were built with.
TEST(NcclOnThisMachine, StagesWhereThereIsADevice) {
  local::run(2, [](Communicator& all) {
    EXPECT_EQ(nccl::share_devices(all, nccl::DeviceWish::kNone), std::nullopt);
    if (nccl::available()) return;
    try {
      static_cast<void>(nccl::share_devices(
          all, all.rank() == 1 ? nccl::DeviceWish::kMust : nccl::DeviceWish::kNone));
      ADD_FAILURE() << "no error";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("rank 1 on host"), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(nccl::missing()), std::string::npos);
    }
    EXPECT_ANY_THROW(static_cast<void>(nccl::stage(all, {.device = 0})));
    EXPECT_FALSE(all.poisoned());
  });
}

TEST(NcclOnThisMachine, TellsVersionsInWords) {
  EXPECT_EQ(nccl::cuda_version_text(12020), "12.2");
  EXPECT_EQ(nccl::nccl_version_text(22809), "2.28.9");
}

TEST(NcclOnThisMachine, SaysWhatIsMissingAndDoesNotCrash) {
  std::cout << "NCCL backend: " << nccl::version() << "\n";
  const std::string missing = nccl::missing();
  EXPECT_EQ(nccl::available(), missing.empty());
  EXPECT_EQ(missing.find('\n'), std::string::npos);
  const auto world = local::make_world(1);
  if (nccl::available()) {
    EXPECT_EQ(nccl::make(*world[0])->backend(), "nccl");
    return;
  }
  EXPECT_NE(error_of_make(*world[0]).find(missing), std::string::npos);
  const bool named = missing.find("driver") != std::string::npos ||
                     missing.find("device") != std::string::npos ||
                     missing.find("built without NCCL") != std::string::npos;
  EXPECT_TRUE(named) << missing;
}

}  // namespace
}  // namespace convoy::comm
