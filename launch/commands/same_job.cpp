// SPDX-License-Identifier: Apache-2.0
#include "launch/commands/same_job.h"

#include <sstream>
#include <string>

#include "base/errors.h"
#include "comm/values.h"
#include "launch/job/job_file.h"
#include "trainer/together.h"

namespace convoy::launch {
namespace {

/// Without what may be another on every host.
std::string common_text(trainer::Job job) {
  job.run.output.clear();
  job.run.threads_per_rank = 1;
  job.data.path.clear();
  job.model.torchscript = job.model.torchscript.empty() ? "" : "model.pt";
  job.model.init = job.model.init.empty() ? "" : "weights.pt";
  return job_text(job);
}

}  // namespace

void require_same_job(comm::Communicator& communicator, const trainer::Job& job) {
  const std::string own = common_text(job);
  const std::string expected = comm::broadcast_text(communicator, own, 0);
  trainer::together(communicator, [&] {
    std::istringstream own_lines(own);
    std::istringstream expected_lines(expected);
    // One program writes the same keys, in the same order.
    for (std::string mine, theirs; std::getline(own_lines, mine);) {
      std::getline(expected_lines, theirs);
      require_config(mine == theirs, "the job differs between ranks: " + mine +
                                         " here, where rank 0 has " + theirs);
    }
  });
}

}  // namespace convoy::launch
