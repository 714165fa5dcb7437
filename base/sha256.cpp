// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace convoy {

namespace {

void check(bool is_fine) {
  if (!is_fine) throw std::runtime_error("OpenSSL cannot compute a SHA-256");
}

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

struct Sha256Stream::Context {
  Context() : evp(EVP_MD_CTX_new()) { check(evp != nullptr); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  EVP_MD_CTX* evp;
};

Sha256Stream::Sha256Stream() : context_(std::make_unique<Context>()) {
  check(EVP_DigestInit_ex(context_->evp, EVP_sha256(), nullptr) == 1);
}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

void Sha256Stream::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::digest() const {
  const Context copy;
  check(EVP_MD_CTX_copy_ex(copy.evp, context_->evp) == 1);
  Sha256 digest{};
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  check(EVP_DigestFinal_ex(copy.evp, out, nullptr) == 1);
  return digest;
}

Sha256 sha256(std::span<const std::byte> bytes) {
  Sha256Stream stream;
  stream.add(bytes);
  return stream.digest();
}

Sha256 sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

std::optional<Sha256> sha256_from_hex(std::string_view hex) {
  Sha256 digest;
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto high = kDigits.find(hex[2 * i]);
    const auto low = kDigits.find(hex[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    digest[i] = static_cast<std::byte>(high << 4U | low);
  }
  return digest;
}

}  // namespace convoy
