// SPDX-License-Identifier: Apache-2.0
#include "comm/internal/transport_communicator.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "comm/internal/collectives.h"
#include "comm/values.h"

namespace convoy::comm::internal {

TransportCommunicator::TransportCommunicator(std::unique_ptr<Transport> transport,
                                             const CommunicatorOptions& options)
    : Communicator(transport->rank(), transport->size(), options),
      engine_(std::make_shared<Engine>(std::move(transport), options)) {}

TransportCommunicator::~TransportCommunicator() { engine_->close(); }

TransportCommunicator::OperationPtr TransportCommunicator::do_all_reduce(Buffer values, ReduceOp op,
                                                                         Turn turn) {
  return engine_->start(make_all_reduce(engine_->layout(), std::move(values), op), turn);
}

TransportCommunicator::OperationPtr TransportCommunicator::do_reduce_scatter(ConstBuffer values,
                                                                             Buffer piece,
                                                                             ReduceOp op,
                                                                             Turn turn) {
  return engine_->start(
      make_reduce_scatter(engine_->layout(), std::move(values), std::move(piece), op), turn);
}

TransportCommunicator::OperationPtr TransportCommunicator::do_all_gather_v(
    ConstBuffer piece, Buffer values, std::vector<std::int64_t> counts, Turn turn) {
  return engine_->start(
      make_all_gather_v(engine_->layout(), std::move(piece), std::move(values), counts), turn);
}

TransportCommunicator::OperationPtr TransportCommunicator::do_all_to_all_v(
    ConstBuffer from, std::vector<std::int64_t> to_counts, Buffer to,
    std::vector<std::int64_t> from_counts, Turn turn) {
  return engine_->start(
      make_all_to_all_v(engine_->layout(), std::move(from), to_counts, std::move(to), from_counts),
      turn);
}

TransportCommunicator::OperationPtr TransportCommunicator::do_broadcast(Buffer values, int root,
                                                                        Turn turn) {
  return engine_->start(make_broadcast(engine_->layout(), std::move(values), root), turn);
}

TransportCommunicator::OperationPtr TransportCommunicator::do_send(ConstBuffer values, int peer,
                                                                   int tag) {
  return engine_->start(make_send(engine_->layout(), std::move(values), peer, tag));
}

TransportCommunicator::OperationPtr TransportCommunicator::do_recv(Buffer values, int peer,
                                                                   int tag) {
  return engine_->start(make_recv(engine_->layout(), std::move(values), peer, tag));
}

TransportCommunicator::OperationPtr TransportCommunicator::do_barrier() {
  return engine_->start(make_barrier(engine_->layout()));
}

// The gather tells every rank who goes where, and brings the timeout that names a missing one: the
// backend's own split may then block.
std::unique_ptr<Communicator> TransportCommunicator::do_split(int color, int key) {
  const auto places = all_gather_values(*this, std::vector<std::int32_t>{color, key});
  const auto own_offer = engine_->prepare_split();
  const auto offers = own_offer.empty() ? own_offer : all_gather_values(*this, own_offer);
  const auto color_of = [&](int r) { return places[2 * static_cast<std::size_t>(r)]; };
  const auto key_of = [&](int r) { return places[2 * static_cast<std::size_t>(r) + 1]; };

  SplitGroup group{.color = color, .key = key};
  for (int r = 0; r < size(); ++r) {
    if (color_of(r) == color) group.members.push_back(r);
  }
  std::ranges::sort(group.members, {}, [&](int r) { return std::tuple(key_of(r), r); });
  for (const int member : group.members) {
    const auto at = offers.begin() + static_cast<std::ptrdiff_t>(own_offer.size()) * member;
    group.offers.emplace_back(at, at + static_cast<std::ptrdiff_t>(own_offer.size()));
  }
  group.index = static_cast<int>(std::ranges::find(group.members, rank()) - group.members.begin());
  return std::make_unique<TransportCommunicator>(engine_->split(group), options());
}

}  // namespace convoy::comm::internal
