// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/internal/pem.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <spdlog/fmt/fmt.h>

#include "base/errors.h"
#include "base/file.h"

namespace convoy::net::internal {
namespace {

/// OpenSSL's own would ask the terminal, and a server has none.
int refuse_password(char*, int, int, void*) { return -1; }

Bio bio_over(std::span<const std::byte> bytes) {
  return own_openssl<Bio>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())),
                          "BIO_new_mem_buf");
}

[[noreturn]] void fail_reading(const std::filesystem::path& path, const char* what) {
  throw ConfigError(fmt::format("{} holds no {} that can be read (PEM): {}", path.string(), what,
                                take_openssl_errors()));
}

/// Every block of its kind, up to the end; a damaged one is an error, not the end.
template <typename Handle, auto Read>
std::vector<Handle> read_all(const std::filesystem::path& path, const char* what) {
  const auto bytes = read_file(path);
  const Bio bio = bio_over(bytes);
  std::vector<Handle> found;
  ERR_clear_error();
  while (auto* object = Read(bio.get(), nullptr, refuse_password, nullptr)) {
    found.emplace_back(object);
  }
  const auto error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (found.empty() || !at_end) fail_reading(path, what);
  ERR_clear_error();
  return found;
}

template <typename Handle, auto Read>
Handle read_one(const std::filesystem::path& path, const char* what) {
  auto found = read_all<Handle, Read>(path, what);
  require_config(found.size() == 1, fmt::format("{} holds {} of: {}; one is wanted", path.string(),
                                                found.size(), what));
  return std::move(found.front());
}

template <auto Write, typename T>
std::string write_pem(T& object, const char* what) {
  const auto bio = own_openssl<Bio>(BIO_new(BIO_s_mem()), "BIO_new");
  check_openssl(Write(bio.get(), &object), what);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

Key read_key(const std::filesystem::path& path) {
  auto bytes = read_private_file(path);
  Key key;
  {
    const Bio bio = bio_over(bytes);
    ERR_clear_error();
    key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, nullptr));
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (!key) fail_reading(path, "private key without a password");
  return key;
}

Certificate read_certificate(const std::filesystem::path& path) {
  return read_one<Certificate, PEM_read_bio_X509>(path, "certificate");
}

Request read_request(const std::filesystem::path& path) {
  return read_one<Request, PEM_read_bio_X509_REQ>(path, "certificate request");
}

std::vector<Certificate> read_certificates(const std::filesystem::path& path) {
  return read_all<Certificate, PEM_read_bio_X509>(path, "certificate");
}

std::vector<RevocationList> read_revocation_lists(const std::filesystem::path& path) {
  return read_all<RevocationList, PEM_read_bio_X509_CRL>(path, "revocation list");
}

std::string to_pem(X509& certificate) {
  return write_pem<PEM_write_bio_X509>(certificate, "PEM_write_bio_X509");
}
std::string to_pem(X509_REQ& request) {
  return write_pem<PEM_write_bio_X509_REQ>(request, "PEM_write_bio_X509_REQ");
}
std::string to_pem(X509_CRL& list) {
  return write_pem<PEM_write_bio_X509_CRL>(list, "PEM_write_bio_X509_CRL");
}

void create_key_file(const std::filesystem::path& path, EVP_PKEY& key) {
  // Memory that is wiped when it is freed.
  const auto bio = own_openssl<Bio>(BIO_new(BIO_s_secmem()), "BIO_new");
  check_openssl(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr),
      "PEM_write_bio_PKCS8PrivateKey");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  create_private_file(path, std::as_bytes(std::span(text, static_cast<std::size_t>(size))));
}

}  // namespace convoy::net::internal
