// SPDX-License-Identifier: Apache-2.0
#include "launch/job/privacy_section.h"

namespace convoy::launch {
namespace {

constexpr NumberRange kSigma{.low = 0.0, .high = 1e5, .low_included = false};
constexpr NumberRange kClip{.low = 1e-30, .high = 1e30};
constexpr NumberRange kRate{.low = 0.0, .high = 1.0};
constexpr NumberRange kDelta{
    .low = 0.0, .high = 1.0, .low_included = false, .high_included = false};

}  // namespace

void describe_privacy(FieldVisitor& v, trainer::PrivacyConfig& privacy) {
  v.section("privacy");
  v.text("mode", privacy.mode, {"none", "per_sample", "per_update"});
  v.number("clip", privacy.clip, kClip);
  v.number("sigma", privacy.sigma, kSigma);
  v.number("rate", privacy.rate, kRate);
  v.number("delta", privacy.delta, kDelta);
  v.number("epsilon", privacy.epsilon, kNotNegative);
  v.text("ledger", privacy.ledger);
  v.integer("insecure_seed", privacy.insecure_seed, kAtLeastZero);
}

}  // namespace convoy::launch
