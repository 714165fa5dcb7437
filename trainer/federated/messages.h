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
inline constexpr int kResidualUp = 105;
inline constexpr int kSignUp = 106;

/// Doubles, so that one message holds counts (exact up to 2^53) and measurements.
inline constexpr std::size_t kHeaderWords = 20;
using Header = std::array<double, kHeaderWords>;
using Bytes = std::vector<std::uint8_t>;

/// A client's sign of life.
using Sign = std::array<double, 1>;
inline constexpr double kAlive = 0.0;
inline constexpr double kFarewell = 1.0;  ///< the last one

/// Adds all tensors, one after the other, as they lie in memory.
void append(const std::vector<torch::Tensor>& tensors, Bytes& bytes);
void append(std::span<const std::byte> compressed, Bytes& bytes);
/// Cuts new tensors with types and shapes of `like` off the front of `bytes`.
/// @throws ContractError when there are too few.
[[nodiscard]] std::vector<torch::Tensor> take(std::span<const std::uint8_t>& bytes,
                                              const std::vector<torch::Tensor>& like);
/// Cuts `count` bytes off the front. @throws ContractError when there are too few.
[[nodiscard]] std::span<const std::byte> take(std::span<const std::uint8_t>& bytes,
                                              std::size_t count);

/// What a report's header announces, as it came.
struct ReportSizes {
  double payload = 0.0;
  double compressed = 0.0;
  double client = 0.0;
};
[[nodiscard]] ReportSizes sizes_of(const Header& header);

/// What the server tells a client.
struct Order {
  enum class Kind : std::uint8_t {
    kTrain,    ///< a round; the model follows
    kShow,     ///< send what was owed before round `round`, also while training
    kRestore,  ///< owe what follows, float32
    kEnd,      ///< there are no further orders, and no use for a round that is under way
  };
  Kind kind = Kind::kTrain;
  std::int64_t round = 0;
  std::int64_t steps = 0;
  std::int64_t version = 0;
  std::int64_t position = 0;
  std::int64_t updates = 0;
  bool take_back = false;  ///< the server has refused the newest update
  std::size_t payload_bytes = 0;
  std::size_t compressed_bytes = 0;  ///< at the payload's front; 0: parameters come dense
};
[[nodiscard]] Header to_header(const Order& order);
[[nodiscard]] Order to_order(const Header& header);

/// A report without its tensors; payload_bytes follow, the report's payload first.
[[nodiscard]] Header to_header(const ClientReport& report, std::size_t payload_bytes);
/// The payload has its size, and not yet its bytes.
[[nodiscard]] ClientReport to_report(const Header& header, std::size_t& payload_bytes);

}  // namespace messages
}  // namespace convoy::trainer
