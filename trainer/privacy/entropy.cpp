// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/random.h"

namespace convoy::trainer::privacy {
namespace {

class OsEntropy final : public Entropy {
 public:
  [[nodiscard]] bool is_secure() const override { return true; }

 private:
  void fill(std::span<std::uint64_t> words) override {
    auto bytes = std::as_writable_bytes(words);
    while (!bytes.empty()) {
      const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        throw std::runtime_error(std::string("no entropy from getrandom: ") + std::strerror(errno));
      }
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }
};

class InsecureEntropy final : public Entropy {
 public:
  explicit InsecureEntropy(std::uint64_t seed) : random_({seed, kStream}) {}
  [[nodiscard]] bool is_secure() const override { return false; }

 private:
  static constexpr std::uint64_t kStream = 0x696e736563757265;  // "insecure"

  void fill(std::span<std::uint64_t> words) override {
    for (auto& word : words) word = random_();
  }

  Random random_;
};

}  // namespace

std::uint64_t Entropy::bits() {
  if (next_ == words_.size()) {
    fill(words_);
    next_ = 0;
  }
  return std::exchange(words_[next_++], 0);
}

bool Entropy::happens(double q) {
  const std::uint64_t drawn = bits();
  return q >= 1.0 || drawn < static_cast<std::uint64_t>(std::ldexp(q, 64));
}

std::unique_ptr<Entropy> os_entropy() { return std::make_unique<OsEntropy>(); }

std::unique_ptr<Entropy> insecure_entropy(std::uint64_t seed) {
  return std::make_unique<InsecureEntropy>(seed);
}

}  // namespace convoy::trainer::privacy
