// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_book.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/errors.h"

namespace convoy::trainer {

using Json = nlohmann::json;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Json to_json(const std::optional<Evaluation>& found) {
  if (!found) return nullptr;
  return {found->loss, found->accuracy, found->samples};  // NaN becomes null
}

std::optional<Evaluation> validation_from(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return Evaluation{json.at(0), json.at(1).is_null() ? kNone : json.at(1).get<double>(),
                    json.at(2)};
}

}  // namespace

void SiteBook::add(const std::string& name, const EnrolledSite& site) {
  require(!sites_.contains(name) && !names_.contains(site.client),
          "SiteBook: a site or a client twice");
  sites_.emplace(name, site);
  names_.emplace(site.client, name);
}

const EnrolledSite* SiteBook::find(std::string_view name) const {
  const auto found = sites_.find(name);
  return found == sites_.end() ? nullptr : &found->second;
}

const std::string& SiteBook::name_of(std::int64_t client) const {
  const auto found = names_.find(client);
  require(found != names_.end(), "SiteBook: a client that is no site");
  return found->second;
}

void SiteBook::has_left(std::int64_t client) { sites_.at(name_of(client)).has_left = true; }

void SiteBook::validated(std::int64_t client, const Evaluation& found) {
  if (found.samples > 0 && std::isfinite(found.loss)) {
    sites_.at(name_of(client)).validation = found;
  }
}

Evaluation SiteBook::judgement() const {
  Evaluation sum;
  for (const auto& [name, site] : sites_) {
    if (!site.validation) continue;
    const auto weight = static_cast<double>(site.validation->samples);
    sum.loss += weight * site.validation->loss;
    sum.accuracy += weight * site.validation->accuracy;
    sum.samples += site.validation->samples;
  }
  const auto all = static_cast<double>(sum.samples);  // 0 / 0 is NaN
  return {.loss = sum.loss / all, .accuracy = sum.accuracy / all, .samples = sum.samples};
}

std::int64_t SiteBook::bounded_latecomer(std::int64_t samples, double share) const {
  if (share >= 1.0) return samples;
  double others = 0.0;
  for (const auto& [name, site] : sites_) others += static_cast<double>(site.samples);
  const double most = std::max(1.0, share / (1.0 - share) * others);
  return static_cast<double>(samples) > most ? static_cast<std::int64_t>(most) : samples;
}

Json SiteBook::save() const {
  Json json = Json::array();
  for (const auto& [name, site] : sites_) {
    json.push_back({name, site.client, site.samples, site.has_left, to_json(site.validation)});
  }
  return json;
}

void SiteBook::load(const Json& saved) {
  for (const Json& item : saved) {
    add(item.at(0), {.client = item.at(1),
                     .samples = item.at(2),
                     .has_left = item.at(3),
                     .validation = validation_from(item.at(4))});
  }
}

namespace {

std::vector<std::int64_t> cut(std::vector<std::int64_t> samples, double bound) {
  const auto most = std::max<std::int64_t>(1, static_cast<std::int64_t>(bound));
  for (auto& own : samples) own = std::min(own, most);
  return samples;
}

}  // namespace

std::vector<std::int64_t> bounded_samples(std::vector<std::int64_t> samples, double share) {
  if (samples.empty()) return samples;
  std::vector<std::int64_t> sorted = samples;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double rest = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  if (static_cast<double>(sorted[0]) <= share * rest) return samples;
  // With the `cuts` largest cut to one bound: bound = share * (rest + cuts * bound).
  for (std::size_t cuts = 1; cuts < sorted.size(); ++cuts) {
    rest -= static_cast<double>(sorted[cuts - 1]);
    const double left = 1.0 - share * static_cast<double>(cuts);
    if (left <= 0.0) break;  // nobody can have so little
    const double bound = share * rest / left;
    if (static_cast<double>(sorted[cuts]) <= bound) return cut(std::move(samples), bound);
  }
  return cut(std::move(samples), static_cast<double>(sorted.back()));
}

}  // namespace convoy::trainer
