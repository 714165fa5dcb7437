// SPDX-License-Identifier: Apache-2.0
#include "trainer/sites/site_check.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>

#include "scheduler/net/expiry.h"
#include "scheduler/net/pem_content.h"
#include "scheduler/net/tls_settings.h"
#include "trainer/sites/site_places.h"
#include "trainer/sites/site_privacy.h"

namespace convoy::trainer {
namespace {

using net::PemContent;
using Checks = std::vector<SiteCheck>;
using State = SiteCheck::State;

/// For the server's answers.
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::seconds kFarewell{1};

/// What `body` finds; its text or exception is the outcome.
SiteCheck tried(const std::string& what, const std::function<std::string()>& body) {
  SiteCheck check{.what = what};
  try {
    check.text = body();
    check.state = State::kOk;
  } catch (const std::exception& error) {
    check.text = error.what();
  }
  return check;
}

/// @return whether it went well.
bool attempt(Checks& checks, const std::string& what, const std::function<std::string()>& body) {
  checks.push_back(tried(what, body));
  return checks.back().state == State::kOk;
}

[[noreturn]] void fail(const std::string& text) { throw std::runtime_error(text); }

std::string until(const net::Validity& validity, net::Time now) {
  return fmt::format("until {} ({})", net::to_text(validity.to), net::time_left(validity.to, now));
}

/// All that a file holds is valid now. @return the one that ends first.
net::Validity require_current(const std::filesystem::path& file, net::Time now) {
  std::optional<net::Validity> first;
  for (const PemContent& content : net::read_pem_content(file)) {
    if (!content.validity) continue;
    const net::Validity& validity = *content.validity;
    if (now < validity.from) {
      fail(fmt::format("{} is valid from {} on, and this machine's clock says {}: is it right?",
                       file.string(), net::to_text(validity.from), net::to_text(now)));
    }
    if (now > validity.to) {
      fail(fmt::format("{} was valid until {}, and it is {}", file.string(),
                       net::to_text(validity.to), net::to_text(now)));
    }
    if (!first || validity.to < first->to) first = validity;
  }
  if (!first) fail(file.string() + " holds nothing that has a validity");
  return *first;
}

/// @param verifier  null where CA or list are of no use.
std::string check_certificate(const std::string& site, const net::DialerOptions& dialing,
                              const net::PeerVerifier* verifier) {
  const auto found = net::read_pem_content(dialing.own.certificate);
  if (found.empty() || !found.front().subject) {
    fail(dialing.own.certificate.string() + " is no certificate of a member");
  }
  const net::Subject& subject = *found.front().subject;
  if (subject.role != net::Role::kSite || subject.name != site) {
    fail(fmt::format("{} is of {}, not of the site \"{}\"", dialing.own.certificate.string(),
                     net::to_text(subject), site));
  }
  const auto now = net::current_time();
  const net::Validity validity = require_current(dialing.own.certificate, now);
  net::require_client_credentials(dialing.own, verifier);
  return fmt::format("{}, {}", net::to_text(subject), until(validity, now));
}

/// What is well today and ends soon.
void warn(SiteCheck& check, const std::vector<std::filesystem::path>& files) {
  if (check.state != State::kOk) return;
  const auto now = net::current_time();
  std::string text;
  for (const auto& file : files) {
    for (const auto& ending : net::expiring(file, net::read_pem_content(file), now)) {
      text += (text.empty() ? "" : "; ") + net::to_text(ending, now);
    }
  }
  if (!text.empty()) check = {.what = check.what, .state = State::kWarn, .text = text};
}

/// The list first: the certificate is held against it.
bool check_identity(Checks& checks, const std::string& site, const net::DialerOptions& dialing) {
  std::unique_ptr<const net::PeerVerifier> verifier;
  SiteCheck list = tried("CA and revocation list", [&] {
    const auto now = net::current_time();
    (void)require_current(dialing.authorities, now);
    const net::Validity validity = require_current(dialing.lists, now);
    verifier = std::make_unique<const net::PeerVerifier>(net::PeerVerifier::Options{
        .authorities = dialing.authorities, .lists = dialing.lists, .roles = {net::Role::kServer}});
    return "the list holds " + until(validity, now);
  });
  SiteCheck own =
      tried("certificate", [&] { return check_certificate(site, dialing, verifier.get()); });
  const bool is_ok = own.state == State::kOk && list.state == State::kOk;
  warn(own, {dialing.own.certificate});
  warn(list, {dialing.authorities, dialing.lists});
  checks.push_back(std::move(own));
  checks.push_back(std::move(list));
  return is_ok;
}

void check_places(Checks& checks, const SiteClientOptions& options) {
  (void)attempt(checks, "state folder", [&] {
    require_state_folder(options.state);
    return options.state.string();
  });
  (void)attempt(checks, "model file", [&] {
    require_model_file(options.model, options.state);
    return options.model.string();
  });
}

/// The server's first words, or how the connection ended.
class FirstWords {
 public:
  FirstWords(const SiteClientOptions& options)
      : link_(std::make_shared<SiteLink>(
            LinkIdentity{.site = options.own.site,
                         .instance = options.instance,
                         .software = options.software},
            SiteLink::Surroundings{.tell = [this](LinkEvent event) { keep(std::move(event)); },
                                   .progress = [] { return net::Progress{}; }})) {}

  [[nodiscard]] const std::shared_ptr<SiteLink>& link() const { return link_; }

  [[nodiscard]] JobCame wait() {
    auto first = first_.get_future();
    if (first.wait_for(kPatience) != std::future_status::ready) fail("the server does not answer");
    const LinkEvent event = first.get();
    if (const auto* ended = std::get_if<LinkEnded>(&event)) fail(ended->text);
    return std::get<JobCame>(event);
  }

  void wait_for_end() { (void)ended_.get_future().wait_for(kFarewell); }

 private:
  /// A job or the end comes first, as nobody joins; then perhaps the end.
  void keep(LinkEvent event) {
    if (std::holds_alternative<LinkEnded>(event)) ended_.set_value();
    if (!is_kept_) first_.set_value(std::move(event));
    is_kept_ = true;
  }

  std::promise<LinkEvent> first_;
  std::promise<void> ended_;
  bool is_kept_ = false;            // where the connection's calls run
  std::shared_ptr<SiteLink> link_;  // with the connection
};

std::string describe(const JobCame& job) {
  return fmt::format("{} ({}), run {}", job.welcome.server,
                     job.welcome.software.empty() ? "?" : net::as_text(job.welcome.software),
                     job.welcome.run);
}

std::string check_data(const SiteClientOptions& options, const JobCame& job, const Job& read) {
  const SiteJob loaded = load_site_job(own_job(read, options.own), options.own.share);
  const std::int64_t samples = loaded.client_data(0).train_size();
  const std::string found = fmt::format("{} samples; {}", samples, to_text(loaded.schema));
  if (const auto refusal = refusal_of_samples(options.own.policy, samples)) fail(*refusal);
  if (hash_of(loaded.shape) != job.offer.model_hash) {
    fail("with these data the model has other names or shapes than the server's: " + found);
  }
  return found;
}

void check_job(Checks& checks, const SiteClientOptions& options, const JobCame& job) {
  Job read;
  const auto& script = job.offer.torchscript_sha256;
  const bool is_allowed = attempt(checks, "policy", [&] {
    read = options.read_job(job.offer.job);
    if (const auto refusal = refusal_of(options.own.policy, read, script)) fail(*refusal);
    return std::string("allows what the job asks for");
  });
  if (!is_allowed) return;
  if (const auto refusal = refusal_of_budget(options.own.policy, read)) {
    checks.push_back({"privacy ledger", State::kFailed, *refusal});
    return;
  }
  if (script) {  // the file comes only to who takes part
    checks.push_back(
        {"data", State::kOk, "not tried: the model comes as TorchScript when the site joins"});
    return;
  }
  if (!attempt(checks, "data", [&] { return check_data(options, job, read); })) return;
  if (!read.privacy.is_on()) return;
  (void)attempt(checks, "privacy ledger",
                [&] { return require_site_ledger(own_job(read, options.own), options.own); });
}

}  // namespace

Checks check_site(const SiteClientOptions& options, const net::DialerOptions& dialing) {
  Checks checks;
  const bool is_known = check_identity(checks, options.own.site, dialing);
  check_places(checks, options);
  if (!is_known) return checks;
  FirstWords words(options);
  std::optional<net::Dialer> dialer;
  std::shared_ptr<net::Connection> connection;
  const bool is_there = attempt(checks, "route", [&] {
    net::DialerOptions quiet = dialing;
    quiet.tells_expiry = false;  // that is in the table
    dialer.emplace(quiet);
    connection = dialer->dial(words.link());
    return connection->address() + ", TLS 1.3";
  });
  if (!is_there) return checks;
  connection->post([link = words.link(), connection] { link->open(connection); });
  std::optional<JobCame> job;
  (void)attempt(checks, "server", [&] { return describe(job.emplace(words.wait())); });
  if (job) check_job(checks, options, *job);
  connection->post([link = words.link()] { link->say_goodbye("this was a check"); });
  words.wait_for_end();
  return checks;
}

bool all_ok(const Checks& checks) {
  return std::ranges::none_of(checks,
                              [](const SiteCheck& check) { return check.state == State::kFailed; });
}

std::string to_text(const Checks& checks) {
  std::string text;
  for (const auto& [what, state, line] : checks) {
    const char* word = state == State::kOk ? "ok" : state == State::kWarn ? "WARN" : "FAILED";
    text += fmt::format("{:<8}{:<24}{}\n", word, what, line);
  }
  return text;
}

std::string to_json(const Checks& checks) {
  nlohmann::ordered_json json{{"ok", all_ok(checks)}, {"checks", nlohmann::ordered_json::array()}};
  for (const auto& [what, state, line] : checks) {
    const char* word = state == State::kOk ? "ok" : state == State::kWarn ? "warn" : "failed";
    json["checks"].push_back(
        {{"what", what}, {"ok", state != State::kFailed}, {"state", word}, {"text", line}});
  }
  return json.dump();
}

}  // namespace convoy::trainer
