// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"

namespace convoy::comm {

// Collectives on a few values, by value and blocking. Each owns the memory that it hands to the
// transport, which may still write there after a CommError has unwound the caller's stack.

/// @return op over ranks of values[i]. Collective. @throws CommError.
template <Element T>
[[nodiscard]] std::vector<T> all_reduce_values(Communicator& communicator, std::vector<T> values,
                                               ReduceOp op = ReduceOp::kSum) {
  const auto owned = std::make_shared<std::vector<T>>(std::move(values));
  communicator.all_reduce(Buffer(std::span(*owned), owned), op).wait();
  return std::move(*owned);
}

/// The same for one value.
template <Element T>
[[nodiscard]] T all_reduce_value(Communicator& communicator, T value,
                                 ReduceOp op = ReduceOp::kSum) {
  return all_reduce_values(communicator, std::vector<T>{value}, op).front();
}

/// Rank r's `values`, of counts[r] elements, one after the other. All ranks pass equal counts.
/// Collective. @throws CommError.
template <Element T>
[[nodiscard]] std::vector<T> all_gather_values(Communicator& communicator, std::vector<T> values,
                                               const std::vector<std::int64_t>& counts) {
  const auto own = std::make_shared<const std::vector<T>>(std::move(values));
  const auto all = std::make_shared<std::vector<T>>(
      static_cast<std::size_t>(std::reduce(counts.begin(), counts.end())));
  const std::shared_ptr<void> owner = std::const_pointer_cast<std::vector<T>>(own);
  communicator
      .all_gather_v(ConstBuffer(std::span(*own), owner), Buffer(std::span(*all), all), counts)
      .wait();
  return std::move(*all);
}

/// The same where every rank has as many.
template <Element T>
[[nodiscard]] std::vector<T> all_gather_values(Communicator& communicator, std::vector<T> values) {
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(communicator.size()),
                                         static_cast<std::int64_t>(values.size()));
  return all_gather_values(communicator, std::move(values), counts);
}

/// Rank `root`'s `values`, whatever their number on the other ranks; two messages. Collective.
/// @throws CommError.
template <Element T>
[[nodiscard]] std::vector<T> broadcast_values(Communicator& communicator, std::vector<T> values,
                                              int root) {
  const auto count = std::make_shared<std::int64_t>(static_cast<std::int64_t>(values.size()));
  communicator.broadcast(Buffer(std::span(count.get(), 1), count), root).wait();
  const auto owned = std::make_shared<std::vector<T>>(std::move(values));
  owned->resize(static_cast<std::size_t>(*count));
  communicator.broadcast(Buffer(std::span(*owned), owned), root).wait();
  return std::move(*owned);
}

/// Rank `root`'s text. Collective. @throws CommError.
[[nodiscard]] inline std::string broadcast_text(Communicator& communicator, const std::string& text,
                                                int root) {
  const auto bytes =
      broadcast_values(communicator, std::vector<std::uint8_t>(text.begin(), text.end()), root);
  return {bytes.begin(), bytes.end()};
}

}  // namespace convoy::comm
