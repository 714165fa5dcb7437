// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/same_place.h"

#include "comm/values.h"
#include "trainer/together.h"

namespace convoy::launch {

ResumePoint same_place(comm::Communicator& communicator, const std::function<ResumePoint()>& find) {
  ResumePoint place;
  trainer::together(communicator, [&] {
    if (communicator.rank() == 0) place = find();
  });
  return {.run_dir = comm::broadcast_text(communicator, place.run_dir.string(), 0),
          .checkpoint = comm::broadcast_text(communicator, place.checkpoint.string(), 0)};
}

}  // namespace convoy::launch
