// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/device_executor.h"
#include "tests/compress/cuda/queued_engine.h"
#include "tests/compress/reduce/device_ranks.h"
#include "tests/compress/reduce/reducer_kit.h"

namespace convoy::tests {
namespace {

thread_local cudaStream_t stream_of_rank = nullptr;

}  // namespace

RankStream::RankStream() : stream_(comm::nccl::make_stream()) { stream_of_rank = stream_.get(); }
RankStream::~RankStream() { stream_of_rank = nullptr; }

compress::Executors executors_of_rank() {
  using compress::device_executor;
  using compress::cuda::make_queued_engine;
  if (stream_of_rank == nullptr) return compress::host_executors();
  return {.reducing = device_executor(make_queued_engine(stream_of_rank)),
          .planning = device_executor(make_queued_engine())};
}

std::unique_ptr<compress::Reducer> make_reducer_on(comm::Communicator& communicator,
                                                   const compress::CompressionConfig& config,
                                                   std::uint64_t seed,
                                                   std::vector<compress::PlanRecord> replay) {
  return compress::make_reducer(config, seed, std::move(replay), executors_of_rank())(communicator);
}

}  // namespace convoy::tests
