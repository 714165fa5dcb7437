// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "comm/communicator.h"
#include "trainer/federated/model_update.h"
#include "trainer/sites/site_worker.h"

// What rank 0 of a site that is an MPI job tells the other ranks between rounds.
namespace convoy::trainer::silo {

struct Order {
  enum class Kind : std::uint8_t {
    kJob,    ///< prepare for one; its text follows, see share_text()
    kTrain,  ///< a round; the model follows, see share_model()
    kEnd,    ///< there are no further orders
  };
  Kind kind = Kind::kEnd;
  SiteRound round;          ///< kTrain
  std::int64_t number = 0;  ///< kJob: of the site
};

/// Rank 0's. @throws CommError.
void tell(comm::Communicator& site, const Order& order);

/// The other ranks': waits as long as it takes, hours perhaps, and asleep for nearly all of them.
/// @throws CommError when rank 0 is gone.
[[nodiscard]] Order await_order(comm::Communicator& site);

/// Waits as await_order() does until all ranks have come here. Collective. @throws CommError when a
/// rank is gone.
void meet(comm::Communicator& site);

/// Rank 0's text and model on all ranks; `start` is not read elsewhere. Collective. @throws
/// CommError.
[[nodiscard]] std::string share_text(comm::Communicator& site, const std::string& text);
[[nodiscard]] ModelState share_model(comm::Communicator& site, const ModelState& start,
                                     const ModelState& like);

}  // namespace convoy::trainer::silo
