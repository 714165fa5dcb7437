// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace convoy::trainer::privacy {

/// Random bits that no one else can foretell. One thread; not across fork(), which would give both
/// processes the same ones.
class Entropy {
 public:
  virtual ~Entropy() = default;
  Entropy() = default;
  Entropy(const Entropy&) = delete;
  Entropy& operator=(const Entropy&) = delete;

  [[nodiscard]] std::uint64_t bits();
  /// In (0, 1], a multiple of 2^-53.
  [[nodiscard]] double uniform() { return static_cast<double>((bits() >> 11) + 1) * 0x1.0p-53; }
  /// True with probability q, to 2^-64 and never more often.
  [[nodiscard]] bool happens(double q);
  /// False for tests' ones.
  [[nodiscard]] virtual bool is_secure() const = 0;

 private:
  virtual void fill(std::span<std::uint64_t> words) = 0;

  std::array<std::uint64_t, 512> words_{};  ///< each is wiped when it is handed out
  std::size_t next_ = words_.size();
};

/// The operating system's, getrandom(2). @throws std::runtime_error when first drawn from, where
/// there is none.
[[nodiscard]] std::unique_ptr<Entropy> os_entropy();

/// For tests only: whoever knows `seed` can take the noise off again.
[[nodiscard]] std::unique_ptr<Entropy> insecure_entropy(std::uint64_t seed);

}  // namespace convoy::trainer::privacy
