// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/certificate_authority.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "base/errors.h"
#include "base/file.h"
#include "scheduler/net/certificate_request.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/pem.h"
#include "scheduler/net/pem_content.h"
#include "tests/scheduler/net/federation.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;
using net::CertificateAuthority;
using net::Role;
using net::Subject;

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

template <typename Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing thrown";
}

class Authority : public ::testing::Test {
 protected:
  fs::path request(const std::string& name, Role role = Role::kSite) {
    std::vector<std::string> hosts;
    if (role == Role::kServer) hosts = {"a.org", "b.org"};
    return net::make_request(federation_.path(name), net::make_subject(name, role, hosts)).request;
  }
  std::string refusal(const fs::path& path, const Subject& expected, net::Validity validity,
                      const std::string& print = "") {
    return refusal_of([&] {
      (void)CertificateAuthority(federation_.path("ca")).sign(path, expected, validity, print);
    });
  }

  Federation federation_;
  const Subject site_{"site-a", Role::kSite, {}};
};

TEST_F(Authority, SignsOnlyWhatItIsToldTo) {
  const auto path = request("site-a");
  const auto refused = [&](const Subject& expected) { return refusal(path, expected, days(0, 9)); };
  EXPECT_EQ(refused({"site-b", Role::kSite, {}}),
            path.string() + " asks for site \"site-a\", and not for site \"site-b\"");
  EXPECT_EQ(refused({"site-a", Role::kOperator, {}}),
            path.string() + " asks for site \"site-a\", and not for operator \"site-a\"");
  EXPECT_EQ(refusal(request("hub", Role::kServer), {"hub", Role::kServer, {"a.org"}}, days(0, 9)),
            federation_.path("hub/hub.csr").string() +
                " asks for server \"hub\" (a.org, b.org), and not for server \"hub\" (a.org)");
  EXPECT_TRUE(CertificateAuthority(federation_.path("ca")).issued().empty());
}

TEST_F(Authority, ChecksTheKeyAgainstAPrint) {
  const auto path = request("site-a");
  const auto print = net::read_pem_content(path).at(0).key_fingerprint;
  EXPECT_EQ(print.size(), 95U);
  EXPECT_EQ(print,
            net::read_pem_content(federation_.path("site-a/site-a.key")).at(0).key_fingerprint);
  EXPECT_HOLDS(refusal(path, site_, days(0, 9), "AB:CD"), print + ", and not AB:CD");
  EXPECT_EQ(refusal(path, site_, days(0, 9), print), "nothing thrown");
}

TEST_F(Authority, RefusesRequestsThatWereChangedOnTheirWay) {
  const auto path = request("site-a");
  auto altered = net::internal::read_request(path);
  auto* entries = X509_REQ_get_subject_name(altered.get());
  X509_NAME_ENTRY_free(X509_NAME_delete_entry(entries, 0));
  net::internal::set_common_name(*entries, "site-b");
  unsigned char* bytes = nullptr;
  ASSERT_GT(i2d_re_X509_REQ_tbs(altered.get(), &bytes), 0);  // encodes the change
  OPENSSL_free(bytes);
  std::ofstream(path) << net::internal::to_pem(*altered);
  EXPECT_HOLDS(refusal(path, site_, days(0, 9)), "its signature is wrong");
  std::ofstream(path) << "garbage";
  EXPECT_HOLDS(refusal(path, site_, days(0, 9)), " holds no certificate request that can be read");
}

TEST_F(Authority, RefusesOtherKindsOfKeys) {
  const auto path = request("site-a");
  const net::internal::Key key(EVP_RSA_gen(2048));
  auto other = net::internal::read_request(path);
  ASSERT_EQ(X509_REQ_set_pubkey(other.get(), key.get()), 1);
  ASSERT_GT(X509_REQ_sign(other.get(), key.get(), EVP_sha256()), 0);
  std::ofstream(path) << net::internal::to_pem(*other);
  EXPECT_HOLDS(refusal(path, site_, days(0, 9)), "its key is not EC on P-256");
}

TEST_F(Authority, NothingOutlivesTheCa) {
  EXPECT_HOLDS(refusal(request("site-a"), site_, days(0, 4000)), "the CA itself ends on ");
}

TEST_F(Authority, KeepsAnIndexWithSerialNumbersThatDiffer) {
  const auto path = request("site-a");
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) {
    CertificateAuthority authority(federation_.path("ca"));
    const auto made = authority.sign(path, site_, days(0, 9)).entry;
    EXPECT_EQ(made.serial.size(), 40U);
    serials.insert(made.serial);
  }
  EXPECT_EQ(serials.size(), 20U);
  const CertificateAuthority again(federation_.path("ca"));
  ASSERT_EQ(again.issued().size(), 20U);
  const auto& entry = again.issued().front();
  EXPECT_EQ(entry.subject, site_);
  EXPECT_EQ(entry.fingerprint.size(), 95U);
  EXPECT_FALSE(entry.revoked);
  EXPECT_TRUE(net::is_living(entry, net::current_time()));
  EXPECT_FALSE(net::is_living(entry, net::current_time() + std::chrono::days(10)));
}

TEST_F(Authority, RevokesByNameOrSerialAndSaysSoTwice) {
  const auto path = request("site-a");
  CertificateAuthority authority(federation_.path("ca"));
  const auto first = authority.sign(path, site_, days(0, 9)).entry.serial;
  const auto second = authority.sign(path, site_, days(0, 9)).entry.serial;
  const auto revoked = [&] {
    auto list = net::read_pem_content(authority.files().list).at(0).revoked;
    return std::set<std::string>(list.begin(), list.end());
  };
  EXPECT_TRUE(revoked().empty());
  std::string lower(first);
  std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
  EXPECT_EQ(authority.revoke(lower, days(0, 9)).size(), 1U);
  EXPECT_EQ(revoked(), std::set{first});
  const auto when = authority.issued().at(0).revoked;
  EXPECT_EQ(authority.revoke("site-a", days(0, 9)).size(), 2U);
  EXPECT_EQ(revoked(), (std::set{first, second}));
  EXPECT_EQ(authority.issued().at(0).revoked, when);
  // A crash between index and list: the same call mends it.
  fs::remove(authority.files().list);
  EXPECT_EQ(authority.revoke("site-a", days(0, 9)).size(), 2U);
  EXPECT_EQ(revoked(), (std::set{first, second}));
  EXPECT_HOLDS(refusal_of([&] { (void)authority.revoke("nobody", days(0, 9)); }),
               "knows no certificate with the name or serial number \"nobody\"");
}

TEST_F(Authority, FilesAreTheirOwnersAndAreNeverReplaced) {
  const auto files = federation_.files();
  for (const auto& path : {files.key, files.certificate, files.list, files.index}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << path;
  }
  EXPECT_EQ(fs::status(federation_.path("ca")).permissions(), fs::perms::owner_all);
  const std::string key = read_text_file(files.key);
  EXPECT_HOLDS(refusal_of([&] { (void)CertificateAuthority::create(federation_.path("ca"), {}); }),
               files.key.string() + " exists already and is kept");
  EXPECT_EQ(read_text_file(files.key), key);
  (void)request("site-a");
  const auto site_key = federation_.path("site-a/site-a.key");
  EXPECT_EQ(fs::status(site_key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const std::string before = read_text_file(site_key);
  fs::remove(federation_.path("site-a/site-a.csr"));
  EXPECT_HOLDS(refusal_of([&] { (void)request("site-a"); }),
               site_key.string() + " exists already and is kept");
  EXPECT_EQ(read_text_file(site_key), before);
}

TEST_F(Authority, RefusesALooseKeyAndAForeignOne) {
  const auto files = federation_.files();
  const auto open = [&] {
    return refusal_of([&] { CertificateAuthority{federation_.path("ca")}; });
  };
  fs::permissions(files.key, fs::perms::group_read, fs::perm_options::add);
  EXPECT_HOLDS(open(), files.key.string() + " has mode 0640");
  const Federation other;
  fs::remove(files.key);
  fs::copy_file(other.files().key, files.key);
  EXPECT_HOLDS(open(), files.key.string() + " is not the key of ");
  EXPECT_HOLDS(refusal_of([&] { CertificateAuthority{federation_.path("nowhere")}; }),
               "No such file or directory; convoy certs init makes one");
}

TEST_F(Authority, OneAtATime) {
  const CertificateAuthority first(federation_.path("ca"));
  EXPECT_EQ(refusal_of([&] { CertificateAuthority{federation_.path("ca")}; }),
            federation_.path("ca").string() + ": another convoy certs is at work there");
}

TEST_F(Authority, ADamagedIndexIsNamed) {
  std::ofstream(federation_.files().index) << R"({"list_number": 1, "certificates": [{}]})";
  EXPECT_HOLDS(refusal_of([&] { CertificateAuthority{federation_.path("ca")}; }),
               "index.json: certificates[0]");
}

}  // namespace
}  // namespace convoy::tests
