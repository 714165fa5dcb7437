// SPDX-License-Identifier: Apache-2.0
#include "comm/nccl/internal/staged.h"

#include <spdlog/fmt/fmt.h>

#include <cstddef>
#include <span>
#include <utility>

#include "comm/nccl/internal/check.h"

namespace convoy::comm::nccl {
namespace {

// After `ready`, on the stream for copies; `copied` says when it is over.
void copy(const Connection& connection, std::byte* to, const std::byte* from, std::size_t bytes,
          cudaMemcpyKind kind, const Event& ready, const Event& copied) {
  const cudaStream_t stream = connection.copies();
  check_cuda(cudaStreamWaitEvent(stream, ready.get(), 0), "cudaStreamWaitEvent");
  if (bytes > 0) check_cuda(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
  check_cuda(cudaEventRecord(copied.get(), stream), "cudaEventRecord");
}

}  // namespace

StagedSend::StagedSend(const internal::Call& made, Connection& connection, cudaStream_t caller,
                       Communicator& host, const ConstBuffer& values, int peer, int tag,
                       SendTurn turn)
    : PendingCall(made),
      connection_(connection),
      host_(host),
      values_(values),
      peer_(peer),
      tag_(tag),
      staging_(std::make_shared<PinnedMemory>(make_pinned_memory(values.bytes.size()))),
      ready_(make_event()),
      copied_(make_event()),
      turn_(std::move(turn)) {
  check_cuda(cudaEventRecord(ready_.get(), caller), "cudaEventRecord");
}

void StagedSend::begin() {
  copy(connection_, staging_->get(), values_.bytes.data(), values_.bytes.size(),
       cudaMemcpyDeviceToHost, ready_, copied_);
}

bool StagedSend::is_over() {
  if (!sending_) {
    if (!turn_.has_come() || !nccl::is_over(copied_)) return false;
    const std::span<const std::byte> bytes(staging_->get(), values_.bytes.size());
    request_ = host_.send(ConstBuffer(bytes, values_.dtype, staging_), peer_, tag_);
    sending_ = true;
    turn_.end();
  }
  return request_.test();
}

std::string StagedSend::whom_it_waits_for() const {
  if (sending_) return fmt::format("rank {} has not taken its data", peer_);
  return turn_.has_come() ? "the device has not come to it"
                          : fmt::format("an earlier send to rank {} has not left", peer_);
}

StagedRecv::StagedRecv(const internal::Call& made, Connection& connection, cudaStream_t caller,
                       Communicator& host, const Buffer& values, int peer, int tag)
    : PendingCall(made),
      connection_(connection),
      host_(host),
      values_(values),
      peer_(peer),
      tag_(tag),
      staging_(std::make_shared<PinnedMemory>(make_pinned_memory(values.bytes.size()))),
      ready_(make_event()),
      copied_(make_event()) {
  check_cuda(cudaEventRecord(ready_.get(), caller), "cudaEventRecord");
}

void StagedRecv::begin() {
  const std::span<std::byte> bytes(staging_->get(), values_.bytes.size());
  request_ = host_.recv(Buffer(bytes, values_.dtype, staging_), peer_, tag_);
}

bool StagedRecv::is_over() {
  if (!copying_) {
    if (!request_.test()) return false;
    copy(connection_, values_.bytes.data(), staging_->get(), values_.bytes.size(),
         cudaMemcpyHostToDevice, ready_, copied_);
    copying_ = true;
  }
  return nccl::is_over(copied_);
}

std::string StagedRecv::whom_it_waits_for() const {
  return copying_ ? "the device has not come to it" : fmt::format("no data from rank {}", peer_);
}

}  // namespace convoy::comm::nccl
