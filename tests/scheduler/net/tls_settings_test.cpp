// SPDX-License-Identifier: Apache-2.0
// Real handshakes in memory: who is let in, who is not, and why.
#include "scheduler/net/tls_settings.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "scheduler/net/certificate_request.h"
#include "scheduler/net/internal/fields.h"
#include "scheduler/net/internal/keys.h"
#include "scheduler/net/internal/pem.h"
#include "scheduler/net/internal/signing.h"
#include "scheduler/net/internal/trust.h"
#include "tests/scheduler/net/federation.h"
#include "tests/scheduler/net/handshake.h"

namespace convoy::tests {
namespace {

using net::Credentials;
using net::PeerVerifier;
using net::Role;

const std::vector<Role> kClients{Role::kSite, Role::kOperator};
constexpr const char* kHost = "hub.example.org";

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

class Tls : public ::testing::Test {
 protected:
  /// What the server under test says to a client that shows `client` and does what it wants.
  std::string server_says(const Credentials& client, std::vector<Role> roles = kClients) {
    const auto foreign = foreign_context(false, client);
    const auto server = server_context(hub_, verifier(std::move(roles)));
    const Pair pair = shake_hands(*server, *foreign);
    if (pair.is_up()) return "";
    EXPECT_FALSE(pair.server.done);
    EXPECT_FALSE(pair.client.error.empty());  // by an alert
    return net::refusal_in_handshake(*pair.server.ssl) + " | " + pair.server.error;
  }

  std::string client_says(const Credentials& server, const std::string& host = kHost) {
    const auto foreign = foreign_context(true, server);
    const auto client = client_context(site_, verifier({Role::kServer}, host));
    const Pair pair = shake_hands(*foreign, *client);
    if (pair.is_up()) return "";
    EXPECT_FALSE(pair.client.done);
    return net::refusal_in_handshake(*pair.client.ssl);
  }

  std::shared_ptr<PeerVerifier> verifier(std::vector<Role> roles, const std::string& host = "") {
    return std::make_shared<PeerVerifier>(federation_.accepting(std::move(roles), host));
  }

  /// A certificate that our CA would never sign, but its key has: `change` alters it before.
  template <typename Change>
  Credentials forged(const std::string& name, Change change) {
    const auto files = federation_.files();
    const net::internal::Issuer issuer{net::internal::read_key(files.key),
                                       net::internal::read_certificate(files.certificate)};
    const auto key = net::internal::make_key();
    std::filesystem::remove(federation_.path(name + ".key"));
    net::internal::create_key_file(federation_.path(name + ".key"), *key);
    const net::Subject subject{name, Role::kSite, {}};
    auto certificate = net::internal::signed_certificate(issuer, *key, subject, "77", days(0, 9));
    change(*certificate);
    EXPECT_GT(X509_sign(certificate.get(), issuer.key.get(), EVP_sha256()), 0);
    const auto path = federation_.path("forged.crt");
    std::ofstream(path) << net::internal::to_pem(*certificate);
    return {path, federation_.path(name + ".key")};
  }

  Federation federation_;
  Credentials hub_ = federation_.member("hub", Role::kServer);
  Credentials site_ = federation_.member("site-a", Role::kSite);
};

TEST_F(Tls, LetsMembersInAndKnowsThem) {
  const auto operator_ = federation_.member("anna", Role::kOperator);
  const auto server = server_context(hub_, verifier(kClients));
  for (const auto& [own, name, role] :
       {std::tuple(site_, "site-a", Role::kSite), std::tuple(operator_, "anna", Role::kOperator)}) {
    const auto client = client_context(own, verifier({Role::kServer}, kHost));
    const Pair pair = shake_hands(*server, *client);
    ASSERT_TRUE(pair.is_up()) << pair.server.error << pair.client.error;
    EXPECT_EQ(SSL_version(pair.server.ssl.get()), TLS1_3_VERSION);
    const auto peer = net::identity_of_peer(*pair.server.ssl);
    EXPECT_EQ(peer.name, name);
    EXPECT_EQ(peer.role, role);
    const auto issued = net::CertificateAuthority(federation_.path("ca")).issued();
    const auto& entry = role == Role::kSite ? issued.at(1) : issued.at(2);
    EXPECT_EQ(peer.serial, entry.serial);
    EXPECT_EQ(peer.fingerprint, entry.fingerprint);
    EXPECT_EQ(net::identity_of_peer(*pair.client.ssl).name, "hub");
    EXPECT_EQ(net::refusal_in_handshake(*pair.server.ssl), "");
  }
}

TEST_F(Tls, NobodyIsKnownBeforeTheHandshake) {
  const auto server = server_context(hub_, verifier(kClients));
  const Connection fresh(SSL_new(server.get()));
  EXPECT_THROW((void)net::identity_of_peer(*fresh), ContractError);
  // And never where nobody verifies.
  const auto foreign = foreign_context(true, hub_);
  const auto client = client_context(site_, verifier({Role::kServer}, kHost));
  const Pair pair = shake_hands(*foreign, *client);
  ASSERT_TRUE(pair.is_up());
  EXPECT_THROW((void)net::identity_of_peer(*pair.server.ssl), ContractError);
}

TEST_F(Tls, RefusesClientsOfAnotherCaAndSelfMadeOnes) {
  Federation other;
  EXPECT_HOLDS(server_says(other.member("site-a", Role::kSite)),
               "the federation's CA has not signed it");
  // The other CA's own certificate, which its owner made himself.
  const auto files = other.files();
  EXPECT_HOLDS(server_says({files.certificate, files.key}),
               "the federation's CA has not signed it");
  EXPECT_HOLDS(client_says(other.member("hub", Role::kServer)),
               "the federation's CA has not signed it");
}

TEST_F(Tls, RefusesTheCaItself) {
  const auto files = federation_.files();
  EXPECT_HOLDS(server_says({files.certificate, files.key}), "extended key usage");
}

TEST_F(Tls, RefusesClientsWithoutACertificate) {
  EXPECT_HOLDS(server_says({}), "peer did not return a certificate");
}

TEST_F(Tls, RefusesWhatIsOverOrNotYetValid) {
  EXPECT_HOLDS(server_says(federation_.member("old", Role::kSite, -9, -1)),
               "certificate has expired: it ended on ");
  EXPECT_HOLDS(server_says(federation_.member("early", Role::kSite, 1, 9)),
               "certificate is not yet valid: it begins on ");
  EXPECT_HOLDS(client_says(federation_.member("old-hub", Role::kServer, -9, -1)),
               "certificate has expired: it ended on ");
}

TEST_F(Tls, RefusesTheRevokedOfBothEnds) {
  const auto bad_hub = federation_.member("bad-hub", Role::kServer);
  EXPECT_EQ(server_says(site_), "");
  EXPECT_EQ(client_says(bad_hub), "");
  federation_.revoke("bad-hub");
  EXPECT_HOLDS(client_says(bad_hub), "certificate \"bad-hub\" (serial ");
  EXPECT_HOLDS(client_says(bad_hub), "certificate revoked");
  federation_.revoke("site-a");
  EXPECT_HOLDS(server_says(site_), "certificate revoked");
}

TEST_F(Tls, AcceptsEachRoleOnlyInItsPlace) {
  const auto operator_ = federation_.member("anna", Role::kOperator);
  EXPECT_HOLDS(server_says(hub_), "its role is server, and accepted here is site or operator");
  EXPECT_HOLDS(server_says(operator_, {Role::kSite}),
               "its role is operator, and accepted here is site");
  EXPECT_HOLDS(server_says(site_, {Role::kOperator}),
               "its role is site, and accepted here is operator");
  EXPECT_HOLDS(client_says(site_), "its role is site, and accepted here is server");
  EXPECT_HOLDS(client_says(operator_), "its role is operator, and accepted here is server");
}

void remove_extension(X509& certificate, int nid) {
  X509_EXTENSION_free(X509_delete_ext(&certificate, X509_get_ext_by_NID(&certificate, nid, -1)));
}

void set_usage(X509& certificate, const char* usage) {
  const net::internal::Extension extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, usage));
  ASSERT_EQ(X509_add_ext(&certificate, extension.get(), -1), 1);
}

TEST_F(Tls, RefusesCertificatesWithoutExactlyOneUsage) {
  const auto without = forged("site-n", [](X509& c) { remove_extension(c, NID_ext_key_usage); });
  EXPECT_HOLDS(server_says(without), "it has no extended key usage, and so no role");
  EXPECT_HOLDS(client_says(without), "it has no extended key usage, and so no role");
  const auto with = [&](const std::string& name, const char* usage) {
    return forged(name, [&](X509& c) {
      remove_extension(c, NID_ext_key_usage);
      set_usage(c, usage);
    });
  };
  EXPECT_HOLDS(server_says(with("site-2", "serverAuth,clientAuth")),
               "it has 2 extended key usages");
  EXPECT_HOLDS(server_says(with("site-any", "anyExtendedKeyUsage")), "is no role of convoy's");
  EXPECT_HOLDS(server_says(with("site-mail", "emailProtection")), "is no role of convoy's");
}

TEST_F(Tls, RefusesNamesThatAreNotAllowed) {
  for (const std::string name : {"site/../a", "..", "a b", "a\nb"}) {
    const auto bad = forged("x", [&](X509& c) {
      auto* entries = X509_get_subject_name(&c);
      X509_NAME_ENTRY_free(X509_NAME_delete_entry(entries, 0));
      net::internal::set_common_name(*entries, name);
    });
    EXPECT_HOLDS(server_says(bad), "is not allowed: 1 to 64 of A-Z a-z 0-9 . _ -");
    EXPECT_EQ(server_says(bad).find('\n'), std::string::npos);
  }
  // One name above, another below: which is it?
  const auto two_names = forged("y", [](X509& c) {
    auto* entries = X509_get_subject_name(&c);
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(entries, 0));
    net::internal::set_common_name(*entries, "site-a");
  });
  EXPECT_HOLDS(server_says(two_names), "its alternative name is not its common name");
}

TEST_F(Tls, AClientChecksTheServersName) {
  EXPECT_EQ(client_says(hub_, "127.0.0.1"), "");
  EXPECT_EQ(client_says(hub_, "HUB.example.org"), "");
  EXPECT_HOLDS(client_says(hub_, "evil.example.org"),
               "it is for 127.0.0.1, hub.example.org, and not for evil.example.org");
  EXPECT_HOLDS(client_says(hub_, "127.0.0.2"), "and not for 127.0.0.2");
  EXPECT_HOLDS(client_says(hub_, "hub"), "and not for hub");
}

TEST_F(Tls, RefusesOlderVersions) {
  const auto old_client = foreign_context(false, site_);
  SSL_CTX_set_max_proto_version(old_client.get(), TLS1_2_VERSION);
  const auto server = server_context(hub_, verifier(kClients));
  const Pair first = shake_hands(*server, *old_client);
  EXPECT_FALSE(first.server.done);
  EXPECT_HOLDS(first.server.error, "unsupported protocol");
  const auto old_server = foreign_context(true, hub_);
  SSL_CTX_set_max_proto_version(old_server.get(), TLS1_2_VERSION);
  const auto client = client_context(site_, verifier({Role::kServer}, kHost));
  const Pair second = shake_hands(*old_server, *client);
  EXPECT_FALSE(second.client.done);
  EXPECT_HOLDS(second.server.error, "unsupported protocol");
}

TEST_F(Tls, GivesNoTickets) {
  const auto server = server_context(hub_, verifier(kClients));
  const auto client = foreign_context(false, site_);
  const Pair pair = shake_hands(*server, *client);
  ASSERT_TRUE(pair.is_up());
  using Session = net::internal::Owned<SSL_SESSION, SSL_SESSION_free>;
  const Session session(SSL_get1_session(pair.client.ssl.get()));
  EXPECT_EQ(SSL_SESSION_is_resumable(session.get()), 0);
  const Pair again =
      shake_hands(*server, *client, [&](SSL& ssl) { (void)SSL_set_session(&ssl, session.get()); });
  EXPECT_EQ(SSL_session_reused(again.server.ssl.get()), 0);
}

TEST_F(Tls, TakesNoTicketsEither) {
  // A server with the same keys for its tickets, which gives them away.
  std::array<unsigned char, 80> keys{};
  const auto loose = foreign_context(true, hub_);
  const auto strict = server_context(hub_, verifier(kClients));
  for (SSL_CTX* context : {loose.get(), strict.get()}) {
    ASSERT_EQ(SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), keys.size()), 1);
    ASSERT_EQ(SSL_CTX_set_session_id_context(context, keys.data(), 4), 1);
  }
  const auto client = foreign_context(false, site_);
  using Session = net::internal::Owned<SSL_SESSION, SSL_SESSION_free>;
  const Pair first = shake_hands(*loose, *client);
  ASSERT_TRUE(first.is_up());
  const Session session(SSL_get1_session(first.client.ssl.get()));
  ASSERT_EQ(SSL_SESSION_is_resumable(session.get()), 1);
  const auto resume = [&](SSL& ssl) { ASSERT_EQ(SSL_set_session(&ssl, session.get()), 1); };
  const Pair control = shake_hands(*loose, *client, resume);
  ASSERT_EQ(SSL_session_reused(control.server.ssl.get()), 1);  // the ticket is good
  const Pair pair = shake_hands(*strict, *client, resume);
  EXPECT_EQ(SSL_session_reused(pair.server.ssl.get()), 0);
  // And the certificate is asked for all the same.
  federation_.revoke("site-a");
  const auto now = server_context(hub_, verifier(kClients));
  ASSERT_EQ(SSL_CTX_set_tlsext_ticket_keys(now.get(), keys.data(), keys.size()), 1);
  EXPECT_FALSE(shake_hands(*now, *client, resume).server.done);
}

TEST_F(Tls, ReloadingFindsTheRevokedAmongTheLiving) {
  const auto checks = verifier(kClients);
  const auto server = server_context(hub_, checks);
  const auto client = client_context(site_, verifier({Role::kServer}, kHost));
  const Pair pair = shake_hands(*server, *client);
  ASSERT_TRUE(pair.is_up());
  EXPECT_EQ(checks->refusal_of_peer(*pair.server.ssl), std::nullopt);
  federation_.revoke("site-a");
  EXPECT_EQ(checks->refusal_of_peer(*pair.server.ssl), std::nullopt);  // not read yet
  EXPECT_EQ(checks->reload(), std::nullopt);
  EXPECT_HOLDS(checks->refusal_of_peer(*pair.server.ssl).value(), "certificate revoked");
  const Pair next = shake_hands(*server, *client);
  EXPECT_FALSE(next.server.done);
}

TEST_F(Tls, AListThatCannotBeReadAnyMoreRefusesAll) {
  const auto checks = verifier(kClients);
  const auto server = server_context(hub_, checks);
  const auto client = client_context(site_, verifier({Role::kServer}, kHost));
  const Pair pair = shake_hands(*server, *client);
  ASSERT_TRUE(pair.is_up());
  std::filesystem::remove(federation_.files().list);
  EXPECT_HOLDS(checks->reload().value(), "cannot open ");
  EXPECT_HOLDS(checks->refusal_of_peer(*pair.server.ssl).value(),
               "nobody is accepted: cannot open ");
  const Pair next = shake_hands(*server, *client);
  EXPECT_FALSE(next.server.done);
  EXPECT_HOLDS(net::refusal_in_handshake(*next.server.ssl), "nobody is accepted: cannot open ");
  federation_.write_list(0, 9);
  EXPECT_EQ(checks->reload(), std::nullopt);
  EXPECT_TRUE(shake_hands(*server, *client).is_up());
}

TEST_F(Tls, BadListsAreRefusedAtTheStart) {
  const auto list = federation_.files().list;
  const auto refusal = [&] { return refusal_of([&] { (void)verifier(kClients); }); };
  federation_.write_list(-9, -1);
  EXPECT_HOLDS(refusal(), list.string() + ": its revocation list ended on ");
  federation_.write_list(1, 9);
  EXPECT_HOLDS(refusal(), "its revocation list begins on ");
  const std::string mine = [&] {
    federation_.write_list(0, 9);
    std::ifstream file(list);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  std::ofstream(list) << "garbage";
  EXPECT_HOLDS(refusal(), list.string() + " holds no revocation list that can be read (PEM)");
  std::ofstream(list) << "";
  EXPECT_HOLDS(refusal(), " holds no revocation list that can be read (PEM)");
  std::ofstream(list) << mine.substr(0, mine.size() / 2);
  EXPECT_HOLDS(refusal(), " holds no revocation list that can be read (PEM)");
  std::ofstream(list) << mine << mine;
  EXPECT_HOLDS(refusal(), " holds 2 revocation lists of the CA \"convoy federation\"");
  // Another CA of the same name.
  const Federation other;
  std::filesystem::copy_file(other.files().list, list,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_HOLDS(refusal(), "holds a revocation list that the federation's CA has not signed");
  std::filesystem::remove(list);
  EXPECT_HOLDS(refusal(), "cannot open " + list.string());
}

TEST_F(Tls, AListThatGrowsOldWhileTheServerRunsRefusesAll) {
  const auto now = net::current_time();
  net::CertificateAuthority(federation_.path("ca"))
      .write_list({now - std::chrono::minutes(1), now + std::chrono::seconds(3)});
  const auto checks = verifier(kClients);
  const auto server = server_context(hub_, checks);
  const auto client = foreign_context(false, site_);
  ASSERT_TRUE(shake_hands(*server, *client).is_up());
  std::string said;
  while (said.empty() && net::current_time() < now + std::chrono::seconds(20)) {
    said = net::refusal_in_handshake(*shake_hands(*server, *client).server.ssl);
  }
  EXPECT_HOLDS(said, "CRL has expired: get a new one (convoy certs revoke --refresh at the CA)");
}

TEST_F(Tls, TwoCasServeWhileOneReplacesTheOther) {
  Federation next;  // its CA has the same name
  const auto revoked = next.member("site-b", Role::kSite);
  const auto other_site = next.member("site-c", Role::kSite);
  next.revoke("site-b");
  for (const auto& [from, to] :
       {std::pair(next.files().certificate, federation_.files().certificate),
        std::pair(next.files().list, federation_.files().list)}) {
    std::ifstream source(from);
    std::ofstream(to, std::ios::app) << source.rdbuf();
  }
  EXPECT_EQ(server_says(site_), "");
  EXPECT_EQ(server_says(other_site), "");
  EXPECT_HOLDS(server_says(revoked), "certificate revoked");
}

TEST_F(Tls, OwnFilesAreCheckedAtTheStart) {
  const auto checks = verifier(kClients);
  const auto start = [&](const Credentials& own) {
    return refusal_of([&] { (void)server_context(own, checks); });
  };
  EXPECT_HOLDS(start(site_),
               "site-a.crt is the certificate of a site; needed here is that of a server");
  EXPECT_HOLDS(
      refusal_of([&] { (void)client_context(hub_, checks); }),
      "hub.crt is the certificate of a server; needed here is that of a site or an operator");
  EXPECT_HOLDS(start({hub_.certificate, site_.key}), "site-a.key is not the key of ");
  EXPECT_HOLDS(start(federation_.member("old", Role::kServer, -9, -1)), "certificate has expired");
  std::filesystem::permissions(hub_.key, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  EXPECT_HOLDS(start(hub_),
               "hub.key has mode 0604: others than its owner can get at it; chmod 600 ");
  std::ofstream(site_.key) << "garbage";
  EXPECT_HOLDS(start({hub_.certificate, site_.key}), "site-a.key holds no private key");
}

}  // namespace
}  // namespace convoy::tests
