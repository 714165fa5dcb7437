// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/expiry.h"

#include <spdlog/fmt/fmt.h>

#include <exception>

namespace convoy::net {
namespace {

constexpr std::chrono::days kTellAgain{1};

/// @param at  where it ends.
Ending ending_of(const std::filesystem::path& file, const PemContent& content, Time at) {
  if (content.kind == "revocation list") {
    return {fmt::format("the revocation list of the CA \"{}\"", content.issuer), file, at,
            "the administrator of the federation makes a new one (convoy certs revoke --refresh) "
            "and gives it to every member"};
  }
  if (content.kind == "CA") {
    return {fmt::format("the CA \"{}\"", content.name), file, at,
            "the administrator of the federation makes a new CA and signs for every member anew "
            "(docs/certificates.md, section 6)"};
  }
  const std::string whose =
      content.subject ? to_text(*content.subject) : fmt::format("\"{}\"", content.name);
  return {"the certificate of " + whose, file, at,
          "make a new request, and have it signed (convoy certs request, convoy certs sign: "
          "docs/certificates.md, section 5)"};
}

}  // namespace

std::vector<Ending> expiring(const std::filesystem::path& file,
                             const std::vector<PemContent>& contents, Time now) {
  std::vector<Ending> endings;
  for (const PemContent& content : contents) {
    if (!content.validity || content.validity->to - now > kToldBefore) continue;
    endings.push_back(ending_of(file, content, content.validity->to));
  }
  return endings;
}

std::vector<Ending> expiring(const MemberFiles& files, Time now) {
  std::vector<Ending> all;
  for (const auto& file : {files.certificate, files.authorities, files.lists}) {
    try {
      const auto found = expiring(file, read_pem_content(file), now);
      all.insert(all.end(), found.begin(), found.end());
    } catch (const std::exception&) {  // whoever uses the file says what is wrong with it
    }
  }
  return all;
}

std::string time_left(Time end, Time now) {
  const auto days = std::chrono::duration_cast<std::chrono::days>(end - now).count();
  if (days >= 1) return fmt::format("{} day{} left", days, days == 1 ? "" : "s");
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(end - now).count();
  if (hours >= 1) return fmt::format("{} hour{} left", hours, hours == 1 ? "" : "s");
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(end - now).count();
  return fmt::format("{} minute{} left", minutes, minutes == 1 ? "" : "s");
}

std::string to_text(const Ending& ending, Time now) {
  const bool is_over = now > ending.at;
  return fmt::format("{} ({}) {} on {}{}: {}", ending.what, ending.file.string(),
                     is_over ? "ended" : "ends", to_text(ending.at),
                     is_over ? "" : " (" + time_left(ending.at, now) + ")", ending.cure);
}

std::vector<std::string> ExpiryWatch::due(Time now) {
  std::vector<std::string> lines;
  std::map<std::pair<std::string, Time>, Time> told;
  for (const Ending& ending : expiring(files_, now)) {
    const std::pair key(ending.what, ending.at);
    const auto before = told_.find(key);
    const bool is_due = before == told_.end() || now - before->second >= kTellAgain;
    if (is_due) lines.push_back(to_text(ending, now));
    told[key] = is_due ? now : before->second;
  }
  told_ = std::move(told);
  return lines;
}

}  // namespace convoy::net
