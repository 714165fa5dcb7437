// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_policy.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>

#include "base/hash.h"
#include "scheduler/net/refusal.h"

namespace convoy::trainer {
namespace {

using Refusal = std::optional<std::string>;

template <typename T>
bool allows(const std::vector<T>& allowed, const T& wanted) {
  return allowed.empty() || std::ranges::find(allowed, wanted) != allowed.end();
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

Refusal refusal_of_model(const SitePolicy& policy, const ModelConfig& model,
                         const std::optional<Sha256>& torchscript) {
  if (!torchscript) {
    if (!model.torchscript.empty()) {
      return "model.torchscript: the server has not said which file (SHA-256)";
    }
    if (allows(policy.models, model.name)) return std::nullopt;
    return fmt::format("model.name = \"{}\": the policy allows {}", model.name,
                       listed(policy.models));
  }
  if (std::ranges::find(policy.torchscript, *torchscript) != policy.torchscript.end()) {
    return std::nullopt;
  }
  return fmt::format(
      "the job's model is a TorchScript file, which could read and write this site's files, and "
      "models.torchscript_sha256 does not list {}",
      to_hex(*torchscript));
}

Refusal refusal_of_data(const SitePolicy& policy, const DataConfig& data) {
  if (!allows(policy.kinds, data.name)) {
    return fmt::format("data.name = \"{}\": the policy allows {}", data.name, listed(policy.kinds));
  }
  const bool limits_tables = !policy.columns.empty() || !policy.label.empty();
  if (data.name != "csv") {
    if (!limits_tables || !policy.kinds.empty()) return std::nullopt;
    // Read as another kind, the same file would be read whole.
    return fmt::format(
        "data.name = \"{}\": the policy limits the columns of csv, and data.kinds names no other "
        "kind",
        data.name);
  }
  if (!policy.label.empty() && data.label != policy.label) {
    return fmt::format("data.label = \"{}\": the policy allows \"{}\"", data.label, policy.label);
  }
  if (policy.columns.empty()) return std::nullopt;
  if (policy.label.empty() && !allows(policy.columns, data.label)) {
    return fmt::format("data.label: the policy does not allow \"{}\"", data.label);
  }
  if (data.columns.empty()) return "data.columns: the job names none, and the policy lists some";
  for (const auto& column : data.columns) {
    if (allows(policy.columns, column)) continue;
    return fmt::format("data.columns: the policy does not allow \"{}\"", column);
  }
  return std::nullopt;
}

Refusal refusal_of_privacy(const SitePolicy& policy, const PrivacyConfig& privacy) {
  if (!privacy.is_on()) {
    if (!policy.needs_privacy()) return std::nullopt;
    return "privacy.mode = \"none\": the policy demands differential privacy";
  }
  if (privacy.sigma < policy.min_sigma) {
    return fmt::format("privacy.sigma = {}: the policy demands at least {}", privacy.sigma,
                       policy.min_sigma);
  }
  if (privacy.insecure_seed != 0 && !policy.allow_insecure_seed) {
    return "privacy.insecure_seed: the server could take the noise off again";
  }
  if (!policy.ledger.empty()) return std::nullopt;
  return "the job has [privacy], and the policy names no folder for the ledger (privacy.ledger)";
}

/// The server's words stand in it.
Refusal printable(const Refusal& refusal) {
  return refusal ? Refusal(net::as_text(*refusal)) : std::nullopt;
}

double smaller(double limit, double value) { return limit > 0.0 ? std::min(limit, value) : value; }

double largest_delta(const SitePolicy& policy) {
  if (policy.max_delta > 0.0 || policy.max_epsilon <= 0.0) return policy.max_delta;
  return kDeltaOfMaxEpsilon;
}

}  // namespace

Refusal refusal_of(const SitePolicy& policy, const Job& job,
                   const std::optional<Sha256>& torchscript) {
  if (auto refusal = refusal_of_model(policy, job.model, torchscript)) return printable(refusal);
  if (auto refusal = refusal_of_data(policy, job.data)) return printable(refusal);
  return printable(refusal_of_privacy(policy, job.privacy));
}

Refusal refusal_of_samples(const SitePolicy& policy, std::int64_t samples) {
  if (samples >= policy.min_samples) return std::nullopt;
  return fmt::format("{} samples: the policy demands at least {}", samples, policy.min_samples);
}

Job apply(const SitePolicy& policy, Job job) {
  job.run.output.clear();
  job.data.path.clear();
  job.model.torchscript.clear();
  job.model.init.clear();
  job.privacy.ledger = policy.ledger;
  if (job.privacy.is_on()) {
    job.privacy.epsilon = smaller(policy.max_epsilon, job.privacy.epsilon);
    job.privacy.delta = smaller(largest_delta(policy), job.privacy.delta);
  }
  auto& steps = job.federation.policy;
  steps.max_local_steps = steps_allowed(policy, steps.max_local_steps);
  steps.min_local_steps = std::min(steps.min_local_steps, steps.max_local_steps);
  return job;
}

std::int64_t steps_allowed(const SitePolicy& policy, std::int64_t wanted) {
  return policy.max_local_steps > 0 ? std::min(policy.max_local_steps, wanted) : wanted;
}

}  // namespace convoy::trainer
