// SPDX-License-Identifier: Apache-2.0
#include "scheduler/policy.h"

#include "base/errors.h"
#include "scheduler/internal/asynchronous.h"
#include "scheduler/internal/fedavg.h"
#include "scheduler/internal/fedcompass.h"

namespace convoy::scheduler {

std::string_view to_text(Trigger trigger) {
  switch (trigger) {
    case Trigger::kFirst:
      return "first";
    case Trigger::kComplete:
      return "complete";
    case Trigger::kTimer:
      return "timer";
    case Trigger::kLate:
      return "late";
    case Trigger::kEvict:
      return "evict";
  }
  throw ContractError("unknown trigger");
}

std::unique_ptr<Policy> make_policy(const PolicyConfig& config) {
  switch (config.algorithm) {
    case Algorithm::kFedCompass:
      return std::make_unique<internal::FedCompass>(config);
    case Algorithm::kFedAvg:
      return std::make_unique<internal::FedAvg>(config);
    case Algorithm::kFedAsync:
    case Algorithm::kFedBuff:
      return std::make_unique<internal::Asynchronous>(config);
  }
  throw ContractError("unknown algorithm");
}

}  // namespace convoy::scheduler
