// SPDX-License-Identifier: Apache-2.0
#include "launch/job/policy_file.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>

#include "base/errors.h"
#include "base/file.h"
#include "launch/job/document.h"
#include "launch/job/known_keys.h"
#include "launch/job/reader.h"
#include "launch/job/sections.h"

namespace convoy::launch {
namespace {

constexpr NumberRange kDeltaOrNone{.low = 0.0, .high = 1.0, .high_included = false};

struct PolicyFields {
  trainer::SitePolicy policy;
  std::vector<std::string> torchscript;
};

void describe(FieldVisitor& v, PolicyFields& fields) {
  auto& policy = fields.policy;
  v.section("models");
  v.texts("allowed", policy.models);
  v.texts("torchscript_sha256", fields.torchscript);
  v.section("training");
  v.integer("max_local_steps", policy.max_local_steps, kAtLeastZero);
  v.section("data");
  v.texts("kinds", policy.kinds);
  v.texts("columns", policy.columns);
  v.text("label", policy.label);
  v.integer("min_samples", policy.min_samples, kAtLeastOne);
  v.section("privacy");
  v.flag("required", policy.require_privacy);
  v.number("min_sigma", policy.min_sigma, kNotNegative);
  v.number("max_epsilon", policy.max_epsilon, kNotNegative);
  v.number("max_delta", policy.max_delta, kDeltaOrNone);
  v.text("ledger", policy.ledger);
  v.flag("allow_insecure_seed", policy.allow_insecure_seed);
}

/// Collects what a job's key may hold.
class ChoiceFinder final : public FieldVisitor {
 public:
  explicit ChoiceFinder(std::string_view path) : path_(path) {}
  [[nodiscard]] const std::vector<std::string>& choices() const { return choices_; }

  void section(std::string_view path) override { section_ = path; }
  void text(std::string_view key, std::string&, Choices choices) override {
    if (fmt::format("{}.{}", section_, key) != path_) return;
    for (const auto choice : choices) choices_.emplace_back(choice);
  }
  void integer(std::string_view, std::int64_t&, IntegerRange) override {}
  void integer_or_auto(std::string_view, std::int64_t&, IntegerRange) override {}
  void number(std::string_view, double&, NumberRange) override {}
  void flag(std::string_view, bool&) override {}
  void flag_or_text(std::string_view, std::string&, Choices) override {}
  void numbers(std::string_view, std::vector<double>&, NumberRange) override {}
  void text_or_numbers(std::string_view, std::string&, std::vector<double>&, Choices,
                       NumberRange) override {}
  void texts(std::string_view, std::vector<std::string>&) override {}

 private:
  std::string path_;
  std::string section_;
  std::vector<std::string> choices_;
};

/// A name that no job can have would allow less than its writer thinks.
void require_known(const std::vector<std::string>& names, const std::string& key,
                   std::string_view job_key, const Document& document) {
  trainer::Job job;
  ChoiceFinder finder(job_key);
  describe(finder, job);
  for (const auto& name : names) {
    if (std::ranges::find(finder.choices(), name) != finder.choices().end()) continue;
    throw ConfigError(fmt::format(R"({}: {} must be of "{}", not "{}")", document.at(key).where(),
                                  key, fmt::join(finder.choices(), R"(", ")"), name));
  }
}

std::vector<Sha256> read_hashes(const std::vector<std::string>& texts, const Document& document) {
  constexpr const char* kKey = "models.torchscript_sha256";
  std::vector<Sha256> hashes;
  for (const auto& text : texts) {
    const auto hash = sha256_from_hex(text);
    require_config(hash.has_value(),
                   fmt::format(R"({}: {} must be 64 digits 0-9 a-f, as sha256sum prints, not "{}")",
                               document.at(kKey).where(), kKey, text));
    hashes.push_back(*hash);
  }
  return hashes;
}

}  // namespace

trainer::SitePolicy parse_policy(std::string_view text, const std::string& source) {
  const Document document = parse_toml(text, source);
  PolicyFields fields;
  const Description keys = [&fields](FieldVisitor& visitor) { describe(visitor, fields); };
  check_known(document, keys);
  read_fields(document, keys);
  trainer::SitePolicy policy = std::move(fields.policy);
  require_known(policy.models, "models.allowed", "model.name", document);
  require_known(policy.kinds, "data.kinds", "data.name", document);
  policy.torchscript = read_hashes(fields.torchscript, document);
  if (!policy.ledger.empty()) {
    const auto folder = std::filesystem::absolute(source).parent_path();
    policy.ledger = (folder / policy.ledger).lexically_normal().string();
  }
  return policy;
}

trainer::SitePolicy load_policy(const std::filesystem::path& file) {
  return parse_policy(read_text_file(file), file.string());
}

}  // namespace convoy::launch
