// SPDX-License-Identifier: Apache-2.0
// `convoy certs` as administrators and scripts call it, with the openssl tool as a second opinion.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/launch/child.h"

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

#define EXPECT_HOLDS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

struct Ended {
  int code;
  std::string output;
  std::string errors;
};

class CertsCommand : public ::testing::Test {
 protected:
  Ended certs(Words words) {
    words.insert(words.begin(), "certs");
    Child child(folder_, words);
    const auto code = child.wait();
    return {code.value_or(-1), child.output(), child.errors()};
  }

  nlohmann::json json(Words words) {
    words.push_back("--json");
    const Ended ended = certs(words);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    EXPECT_EQ(ended.errors, "");
    return nlohmann::json::parse(ended.output);
  }

  void expect_refused(const Words& words, const std::string& line) {
    const Ended ended = certs(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(ended.errors, "convoy: " + line + "\n");
  }

  /// What the openssl tool prints, with its exit code as last line.
  std::string openssl(const std::string& words) {
    const std::string out = folder_ / "openssl.txt";
    const std::string command =
        "cd '" + folder_.path().string() + "' && openssl " + words + " > openssl.txt 2>&1";
    const int code = std::system(command.c_str());
    std::ostringstream text;
    text << std::ifstream(out).rdbuf() << "exit " << code;
    return text.str();
  }

  void make_site() {
    (void)json({"init"});
    (void)json({"request", "site-a", "--folder", "a"});
    (void)json({"sign", "a/site-a.csr", "--name", "site-a"});
  }

  TemporaryFolder folder_;
};

TEST_F(CertsCommand, MakesAFederationThatOpensslAccepts) {
  const auto ca = json({"init", "--name", "lung study"});
  EXPECT_EQ(ca.at("name"), "lung study");
  EXPECT_EQ(ca.at("list"), "ca/ca.crl");
  const Words hosts{"--role", "server", "--host", "hub.example.org", "--host", "::1"};
  Words words{"request", "hub"};
  words.insert(words.end(), hosts.begin(), hosts.end());
  (void)json(words);
  words = {"sign", "hub.csr", "--name", "hub"};
  words.insert(words.end(), hosts.begin(), hosts.end());
  (void)json(words);
  (void)json({"request", "site-a"});
  const auto site = json({"sign", "site-a.csr", "--name", "site-a", "--days", "30"});
  (void)json({"request", "anna", "--role", "operator"});
  (void)json({"sign", "anna.csr", "--name", "anna", "--role", "operator"});

  const std::string verify = "verify -x509_strict -crl_check -CAfile ca/ca.crt -CRLfile ca/ca.crl ";
  EXPECT_EQ(openssl(verify + "-purpose sslserver -verify_hostname hub.example.org hub.crt"),
            "hub.crt: OK\nexit 0");
  EXPECT_EQ(openssl(verify + "-purpose sslclient site-a.crt"), "site-a.crt: OK\nexit 0");
  EXPECT_EQ(openssl(verify + "anna.crt"), "anna.crt: OK\nexit 0");
  EXPECT_HOLDS(openssl(verify + "-purpose sslclient anna.crt"), "unsuitable certificate purpose");
  EXPECT_HOLDS(openssl(verify + "-purpose sslclient hub.crt"), "unsuitable certificate purpose");

  const std::string text = openssl("x509 -in site-a.crt -noout -text -nameopt RFC2253");
  for (const char* part : {"Version: 3", "NIST CURVE: P-256", "TLS Web Client Authentication",
                           "DNS:site-a", "CA:FALSE", "Digital Signature", "CN=lung study"}) {
    EXPECT_HOLDS(text, part);
  }
  EXPECT_HOLDS(openssl("x509 -in site-a.crt -noout -fingerprint -sha256"),
               site.at("fingerprint").get<std::string>());
  EXPECT_HOLDS(openssl("x509 -in site-a.crt -noout -serial"),
               "serial=" + site.at("serial").get<std::string>());
  EXPECT_HOLDS(openssl("x509 -in anna.crt -noout -text"),
               "2.25.152896212340134536567804731709398210331");
  EXPECT_HOLDS(openssl("x509 -in hub.crt -noout -text"), "DNS:hub.example.org");

  (void)json({"revoke", "site-a"});
  EXPECT_HOLDS(openssl(verify + "site-a.crt"), "certificate revoked");
  EXPECT_EQ(openssl(verify + "anna.crt"), "anna.crt: OK\nexit 0");
}

TEST_F(CertsCommand, TellsPeopleWhatToCompare) {
  EXPECT_HOLDS(certs({"init"}).output, "made the CA \"convoy federation\"\n  fingerprint  ");
  const auto request = certs({"request", "site-a"});
  EXPECT_HOLDS(request.output, "made a key and a request for site \"site-a\"\n");
  const auto at = request.output.find("key print");
  ASSERT_NE(at, std::string::npos);
  const std::string print = request.output.substr(at + 13, 95);
  const auto made = certs({"sign", "site-a.csr", "--name", "site-a"});
  EXPECT_EQ(made.code, 0) << made.errors;
  EXPECT_HOLDS(made.output, "signed site \"site-a\"\n");
  EXPECT_HOLDS(made.output, print);
  EXPECT_HOLDS(made.output, "if they differ: convoy certs revoke ");
  const auto again =
      certs({"sign", "site-a.csr", "--name", "site-a", "--key-print", print, "--out", "new.crt"});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_HOLDS(again.output, print + ": as you have asked for");
  EXPECT_HOLDS(again.output, "\"site-a\" has another certificate, site, until ");
  expect_refused({"sign", "site-a.csr", "--name", "site-a", "--key-print", "00", "--out", "x.crt"},
                 "site-a.csr: its key has the fingerprint " + print + ", and not 00");
  EXPECT_FALSE(fs::exists(folder_.path() / "x.crt"));
}

TEST_F(CertsCommand, ShowsWhatThereIs) {
  make_site();
  const auto at = [](const nlohmann::json& j, const char* key) {
    return j.at("content").at(0).at(key).get<std::string>();
  };
  const auto certificate = json({"show", "a/site-a.crt"});
  const auto request = json({"show", "a/site-a.csr"});
  const auto key = json({"show", "a/site-a.key"});
  EXPECT_EQ(at(certificate, "kind"), "certificate");
  EXPECT_EQ(at(certificate, "role"), "site");
  EXPECT_EQ(at(request, "kind"), "request");
  EXPECT_EQ(at(key, "kind"), "key");
  EXPECT_EQ(at(certificate, "key_fingerprint"), at(key, "key_fingerprint"));
  EXPECT_EQ(at(request, "key_fingerprint"), at(key, "key_fingerprint"));
  EXPECT_EQ(at(json({"show", "ca/ca.crt"}), "kind"), "CA");
  EXPECT_HOLDS(certs({"show", "a/site-a.crt"}).output, "certificate: site \"site-a\"\n");
  EXPECT_HOLDS(certs({"show", "a/site-a.crt"}).output, "(364 days left)");

  (void)json({"revoke", "site-a"});
  const auto ca = json({"show", "ca"});
  ASSERT_EQ(ca.at("certificates").size(), 1U);
  EXPECT_EQ(ca.at("list").at("revoked").at(0), at(certificate, "serial"));
  EXPECT_TRUE(ca.at("certificates").at(0).contains("revoked"));
  EXPECT_HOLDS(certs({"show", "ca"}).output, at(certificate, "serial") + "  revoked 20");
}

TEST_F(CertsCommand, RevokesAndRefreshes) {
  make_site();
  const auto revoked = json({"revoke", "site-a", "--list-days", "7"});
  EXPECT_EQ(revoked.at("revoked").at(0).at("name"), "site-a");
  const auto number = [&] { return openssl("crl -in ca/ca.crl -noout -crlnumber"); };
  EXPECT_HOLDS(number(), "0x02");
  const auto fresh = json({"revoke", "--refresh"});
  EXPECT_TRUE(fresh.at("revoked").empty());
  EXPECT_GT(fresh.at("valid_to"), revoked.at("valid_to"));
  EXPECT_HOLDS(number(), "0x03");
  const auto list = json({"show", "ca/ca.crl"}).at("content").at(0);
  EXPECT_EQ(list.at("revoked").size(), 1U);  // still
  EXPECT_EQ(list.at("valid_to"), fresh.at("valid_to"));
  EXPECT_HOLDS(certs({"revoke", "site-a"}).output, "revoked site \"site-a\", serial ");
}

TEST_F(CertsCommand, RefusesInOneLine) {
  make_site();
  expect_refused({"init"},
                 "ca/ca.key exists already and is kept; for a new CA choose another --ca");
  expect_refused({"request", "site-a", "--folder", "a"},
                 "a/site-a.key exists already and is kept; for a new key choose another --folder");
  expect_refused({"request", "../x"},
                 "the name \"../x\" is not allowed: 1 to 64 of A-Z a-z 0-9 . _ -");
  expect_refused(
      {"request", "hub", "--role", "server"},
      "a server's certificate must name the hosts (names or IP addresses) at which sites "
      "reach it: --host");
  expect_refused({"sign", "a/site-a.csr", "--name", "site-b", "--out", "b.crt"},
                 "a/site-a.csr asks for site \"site-a\", and not for site \"site-b\"");
  expect_refused(
      {"sign", "a/site-a.csr", "--name", "site-a", "--role", "operator", "--out", "b.crt"},
      "a/site-a.csr asks for site \"site-a\", and not for operator \"site-a\"");
  expect_refused({"sign", "a/site-a.csr", "--name", "site-a"},
                 "a/site-a.crt exists already and is kept; choose another --out");
  expect_refused({"sign", "none.csr", "--name", "site-a"},
                 "cannot open none.csr: No such file or directory");
  expect_refused({"revoke", "nobody"},
                 "ca/index.json knows no certificate with the name or serial number \"nobody\"");
  expect_refused({"revoke"}, "convoy certs revoke takes either NAME|SERIAL or --refresh");
  expect_refused({"revoke", "x", "--ca", "none"},
                 "cannot open the folder of the CA none: No such file or directory; convoy certs "
                 "init makes one");
  fs::permissions(folder_.path() / "ca/ca.key", fs::perms::group_read, fs::perm_options::add);
  expect_refused(
      {"revoke", "site-a"},
      "ca/ca.key has mode 0640: others than its owner can get at it; chmod 600 ca/ca.key");
  EXPECT_EQ(certs({"sign", "a/site-a.csr", "--name", "site-a", "--role", "client"}).code, 2);
  EXPECT_EQ(certs({}).code, 2);
  Child launched(folder_, {"launch", "-n", "2", "--", "certs", "show", "a/site-a.crt"});
  EXPECT_EQ(launched.wait(), 2);
  EXPECT_EQ(launched.errors(),
            "convoy: convoy certs runs in one process: call it without convoy launch\n");
}

TEST_F(CertsCommand, HelpNamesWhatThereIs) {
  EXPECT_HOLDS(certs({"--help"}).output, "revoke");
  const auto help = certs({"sign", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_HOLDS(help.output, "--key-print");
}

TEST_F(CertsCommand, AFolderThatCannotBeMadeIsNamed) {
  const Ended ended = certs({"init", "--ca", "/proc/convoy"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_HOLDS(ended.errors, "cannot make the folder /proc/convoy: ");
}

}  // namespace
}  // namespace convoy::tests
