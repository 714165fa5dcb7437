// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/net/pem_content.h"

namespace convoy::net {

/// The files of a member that end some day.
struct MemberFiles {
  std::filesystem::path certificate;  ///< NAME.crt
  std::filesystem::path authorities;  ///< ca.crt
  std::filesystem::path lists;        ///< ca.crl
};

/// A certificate, a CA or a revocation list that ends soon, or has ended.
struct Ending {
  std::string what;  ///< "the certificate of site \"hospital-a\""
  std::filesystem::path file;
  Time at;
  std::string cure;  ///< what to do about it
};

/// How long before its end people are told: time enough for a new one to be made and handed out.
inline constexpr std::chrono::days kToldBefore{7};

/// What of `contents`, which `file` holds, ends within kToldBefore of `now`, or has. Pure.
[[nodiscard]] std::vector<Ending> expiring(const std::filesystem::path& file,
                                           const std::vector<PemContent>& contents, Time now);
/// Of all files; those that cannot be read are left out: whoever uses them says what is wrong.
[[nodiscard]] std::vector<Ending> expiring(const MemberFiles& files, Time now);

/// "the revocation list of the CA \"lung study\" (ca.crl) ends on ... (6 days left): ...".
[[nodiscard]] std::string to_text(const Ending& ending, Time now);
/// "6 days left", "5 hours left".
[[nodiscard]] std::string time_left(Time end, Time now);

/// Who is told of an ending has forgotten it the next day. One thread at a time.
class ExpiryWatch {
 public:
  explicit ExpiryWatch(MemberFiles files) : files_(std::move(files)) {}

  /// Reads the files again. @return a line for what ends soon and was not told of within a day.
  [[nodiscard]] std::vector<std::string> due(Time now);

 private:
  MemberFiles files_;
  std::map<std::pair<std::string, Time>, Time> told_;  // by what ends, and when
};

}  // namespace convoy::net
