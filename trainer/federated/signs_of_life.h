// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/federated/client_pool.h"

namespace convoy::trainer {

/// When clients were last heard of. Told the time by whoever listens, who looks often: a gap
/// between two looks is time in which the server itself stood still (was suspended), and counts as
/// nobody's silence. Pure; one thread at a time.
class SignsOfLife {
 public:
  /// All were heard of at `now`.
  SignsOfLife(std::size_t clients, WallTime now) : last_(clients, now), looked_(now) {}

  /// Before what is heard at `now` is told.
  void look(WallTime now);
  void heard(std::int64_t client, WallTime now) {
    last_.at(static_cast<std::size_t>(client)) = now;
  }
  /// The last sign, as the next look() will correct it: who asks may wake up before who listens.
  [[nodiscard]] WallTime last(std::int64_t client, WallTime now) const;

 private:
  [[nodiscard]] WallTime::duration stood_still(WallTime now) const;

  std::vector<WallTime> last_;  ///< by client
  WallTime looked_;
};

}  // namespace convoy::trainer
