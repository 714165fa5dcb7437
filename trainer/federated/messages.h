// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "trainer/federated/client_pool.h"
#include "trainer/federated/model_update.h"

namespace convoy::trainer {

/// What a server and a client rank send each other: a header of fixed size, then a payload whose
/// size the header says.
namespace messages {

// Tags of comm::Communicator::send().
inline constexpr int kHeaderDown = 101;
inline constexpr int kPayloadDown = 102;
inline constexpr int kHeaderUp = 103;
inline constexpr int kPayloadUp = 104;

/// Doubles, so that one message holds counts (exact up to 2^53) and measurements.
inline constexpr std::size_t kHeaderWords = 16;
using Header = std::array<double, kHeaderWords>;
using Bytes = std::vector<std::uint8_t>;

/// All tensors, one after the other, as they lie in memory.
[[nodiscard]] Bytes pack(const std::vector<torch::Tensor>& first,
                         const std::vector<torch::Tensor>& second);
/// New tensors with types and shapes of `first_like` and `second_like`.
/// @throws ContractError when the sizes differ.
void unpack(std::span<const std::uint8_t> bytes, const ModelState& like,
            std::vector<torch::Tensor>& first, std::vector<torch::Tensor>& second);

/// An order to train; without one, the end.
struct Order {
  bool end = false;
  std::int64_t round = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  std::int64_t position = 0;
  std::size_t payload_bytes = 0;
};
[[nodiscard]] Header to_header(const Order& order);
[[nodiscard]] Order to_order(const Header& header);

/// A report without its tensors.
[[nodiscard]] Header to_header(const ClientReport& report, std::size_t payload_bytes);
[[nodiscard]] ClientReport to_report(const Header& header, std::size_t& payload_bytes);

}  // namespace messages
}  // namespace convoy::trainer
