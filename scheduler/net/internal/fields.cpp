// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/fields.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <span>

#include "base/errors.h"

namespace convoy::net::internal {
namespace {

void free_memory(void* memory) { OPENSSL_free(memory); }
using Text = Owned<char, free_memory>;

const char* usage_of(Role role) {
  switch (role) {
    case Role::kServer:
      return "1.3.6.1.5.5.7.3.1";
    case Role::kSite:
      return "1.3.6.1.5.5.7.3.2";
    case Role::kOperator:
      break;
  }
  return kOperatorUsage;
}

std::string to_text(const ASN1_OBJECT& object) {
  std::array<char, 256> text{};
  const int size = OBJ_obj2txt(text.data(), text.size(), &object, 1);
  return size > 0 && size < static_cast<int>(text.size()) ? text.data() : "?";
}

Role role_of_usage(const ASN1_OBJECT& object) {
  const std::string usage = to_text(object);
  for (const Role role : {Role::kServer, Role::kSite, Role::kOperator}) {
    if (usage == usage_of(role)) return role;
  }
  throw ConfigError("its extended key usage " + usage + " is no role of convoy's");
}

/// The one extension of this kind. @throws ConfigError that calls it `what` unless there is one.
template <typename Handle>
Handle extension(const STACK_OF(X509_EXTENSION) * list, int nid, const char* what) {
  int critical = 0;
  Handle found(
      static_cast<typename Handle::pointer>(X509V3_get_d2i(list, nid, &critical, nullptr)));
  require_config(found != nullptr || critical != -1, fmt::format("it has no {}", what));
  require_config(found != nullptr, fmt::format("its {} cannot be read", what));
  return found;
}

Role role_of(const STACK_OF(X509_EXTENSION) * list) {
  const auto usages =
      extension<KeyUsages>(list, NID_ext_key_usage, "extended key usage, and so no role");
  const int count = sk_ASN1_OBJECT_num(usages.get());
  require_config(count == 1,
                 fmt::format("it has {} extended key usages, and one is wanted", count));
  return role_of_usage(*sk_ASN1_OBJECT_value(usages.get(), 0));
}

std::string to_text(const ASN1_STRING& string) {
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(&string));
  return {data, static_cast<std::size_t>(ASN1_STRING_length(&string))};
}

std::string address_text(const ASN1_OCTET_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(&address);
  const int family = size == 4 ? AF_INET : AF_INET6;
  require_config(size == 4 || size == 16, "its IP address has a wrong length");
  (void)::inet_ntop(family, ASN1_STRING_get0_data(&address), text.data(), text.size());
  return text.data();
}

std::string alternative_name(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS) return to_text(*name.d.dNSName);
  if (name.type == GEN_IPADD) return address_text(*name.d.iPAddress);
  throw ConfigError("its alternative names hold more than host names and IP addresses");
}

std::vector<std::string> alternative_names(const STACK_OF(X509_EXTENSION) * list) {
  const auto names = extension<GeneralNames>(list, NID_subject_alt_name, "alternative name");
  std::vector<std::string> texts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    texts.push_back(alternative_name(*sk_GENERAL_NAME_value(names.get(), i)));
  }
  return texts;
}

/// As it stands, or nothing unless there is exactly one.
std::optional<std::string> raw_common_name(const X509_NAME& entries) {
  const int place = X509_NAME_get_index_by_NID(&entries, NID_commonName, -1);
  if (place < 0 || X509_NAME_get_index_by_NID(&entries, NID_commonName, place) >= 0) return {};
  return to_text(*X509_NAME_ENTRY_get_data(X509_NAME_get_entry(&entries, place)));
}

Subject read_subject(const X509_NAME& entries, const STACK_OF(X509_EXTENSION) * list) {
  const auto name = raw_common_name(entries);
  require_config(name.has_value(), "it has no common name, or several");
  const Role role = role_of(list);
  auto names = alternative_names(list);
  if (role == Role::kServer) return make_subject(*name, role, std::move(names));
  Subject subject = make_subject(*name, role, {});
  require_config(names.size() == 1 && names.front() == *name,
                 "its alternative name is not its common name");
  return subject;
}

Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address_bytes(const std::string& text) {
  return own_openssl<Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>>(a2i_IPADDRESS(text.c_str()),
                                                                       "a2i_IPADDRESS");
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

void append(GENERAL_NAMES& names, const std::string& text, bool as_address) {
  auto name =
      own_openssl<Owned<GENERAL_NAME, GENERAL_NAME_free>>(GENERAL_NAME_new(), "GENERAL_NAME_new");
  if (as_address) {
    GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address_bytes(text).release());
  } else {
    auto string = own_openssl<Owned<ASN1_IA5STRING, ASN1_IA5STRING_free>>(ASN1_IA5STRING_new(),
                                                                          "ASN1_IA5STRING_new");
    check_openssl(ASN1_STRING_set(string.get(), text.data(), static_cast<int>(text.size())),
                  "ASN1_STRING_set");
    GENERAL_NAME_set0_value(name.get(), GEN_DNS, string.release());
  }
  if (sk_GENERAL_NAME_push(&names, name.get()) <= 0) fail_openssl("sk_GENERAL_NAME_push");
  (void)name.release();
}

GeneralNames names_of(const Subject& subject) {
  auto names = own_openssl<GeneralNames>(sk_GENERAL_NAME_new_null(), "sk_GENERAL_NAME_new_null");
  if (subject.role != Role::kServer) append(*names, subject.name, false);
  for (const auto& host : subject.hosts) append(*names, host, is_address(host));
  return names;
}

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += fmt::format("{}{:02X}", text.empty() ? "" : ":", static_cast<unsigned>(byte));
  }
  return text;
}

}  // namespace

Subject subject_of(const X509& certificate) {
  return read_subject(*X509_get_subject_name(&certificate), X509_get0_extensions(&certificate));
}

Subject subject_of(X509_REQ& request) {
  const Extensions list(X509_REQ_get_extensions(&request));
  return read_subject(*X509_REQ_get_subject_name(&request), list.get());
}

Extensions extensions_of(const Subject& subject) {
  Extensions list =
      own_openssl<Extensions>(sk_X509_EXTENSION_new_null(), "sk_X509_EXTENSION_new_null");
  const auto usage = own_openssl<Extension>(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, usage_of(subject.role)),
      "extended key usage");
  auto* raw = list.get();
  // X509v3_add_ext() copies.
  if (X509v3_add_ext(&raw, usage.get(), -1) == nullptr) fail_openssl("X509v3_add_ext");
  check_openssl(X509V3_add1_i2d(&raw, NID_subject_alt_name, names_of(subject).get(), 0, 0),
                "X509V3_add1_i2d");
  return list;
}

void set_common_name(X509_NAME& entries, const std::string& name) {
  check_openssl(X509_NAME_add_entry_by_NID(&entries, NID_commonName, MBSTRING_UTF8,
                                           reinterpret_cast<const unsigned char*>(name.data()),
                                           static_cast<int>(name.size()), -1, 0),
                "X509_NAME_add_entry_by_NID");
}

std::string common_name(const X509_NAME& entries) {
  return printable(raw_common_name(entries).value_or(""));
}

std::string serial_text(const ASN1_INTEGER& serial) {
  const auto number =
      own_openssl<Number>(ASN1_INTEGER_to_BN(&serial, nullptr), "ASN1_INTEGER_to_BN");
  const auto text = own_openssl<Text>(BN_bn2hex(number.get()), "BN_bn2hex");
  return text.get();
}

Integer serial_from_text(const std::string& text) {
  BIGNUM* raw = nullptr;
  const int used = BN_hex2bn(&raw, text.c_str());
  const Number number(raw);
  require_config(used > 0 && used == static_cast<int>(text.size()),
                 fmt::format("\"{}\" is no serial number", printable(text)));
  return own_openssl<Integer>(BN_to_ASN1_INTEGER(number.get(), nullptr), "BN_to_ASN1_INTEGER");
}

std::string fingerprint_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check_openssl(X509_digest(&certificate, EVP_sha256(), digest.data(), &size), "X509_digest");
  return hex(std::span(digest).first(size));
}

std::string fingerprint_of(EVP_PKEY& key) {
  unsigned char* raw = nullptr;
  const int encoded = i2d_PUBKEY(&key, &raw);
  const Owned<unsigned char, free_memory> bytes(raw);
  if (encoded <= 0) fail_openssl("i2d_PUBKEY");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check_openssl(EVP_Digest(bytes.get(), static_cast<std::size_t>(encoded), digest.data(), &size,
                           EVP_sha256(), nullptr),
                "EVP_Digest");
  return hex(std::span(digest).first(size));
}

Asn1Time to_asn1(Time time) {
  return own_openssl<Asn1Time>(ASN1_TIME_set(nullptr, time.time_since_epoch().count()),
                               "ASN1_TIME_set");
}

Time from_asn1(const ASN1_TIME& time) {
  std::tm parts{};
  check_openssl(ASN1_TIME_to_tm(&time, &parts), "ASN1_TIME_to_tm");
  return Time(std::chrono::seconds(::timegm(&parts)));
}

Validity validity_of(const X509& certificate) {
  return {from_asn1(*X509_get0_notBefore(&certificate)),
          from_asn1(*X509_get0_notAfter(&certificate))};
}

}  // namespace convoy::net::internal
