// SPDX-License-Identifier: Apache-2.0
// Run by stopped_rank_test.sh: rank 1 stops itself in the middle of a job; the others must find
// out, say so, and end the job by MPI_Abort.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/mpi/mpi.h"

int main() {
  using namespace std::chrono_literals;
  convoy::comm::mpi::Environment environment;
  convoy::comm::CommunicatorOptions options;
  options.timeout = 1500ms;
  const auto world = environment.world(options);
  std::printf("rank %d pid %d\n", world->rank(), static_cast<int>(::getpid()));
  std::fflush(stdout);

  std::vector<float> values(100'003);
  world->all_reduce(std::span(values)).wait();
  if (world->rank() == 1) std::raise(SIGSTOP);
  try {
    for (;;) world->all_reduce(std::span(values)).wait();
  } catch (const convoy::CommError& error) {
    std::printf("rank %d: %s\n", world->rank(), error.what());
  }
  try {
    world->barrier().wait();
  } catch (const convoy::CommError&) {
    std::printf("rank %d: poisoned %d\n", world->rank(), world->poisoned() ? 1 : 0);
  }
  std::fflush(stdout);
  // Time for the others to say it too.
  std::this_thread::sleep_for(1s);
  environment.abort(42);
}
