// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/messages.h"

#include <cstring>

#include "base/errors.h"

namespace convoy::trainer::messages {
namespace {

/// Writes and reads the words of a header one after the other.
class Words {
 public:
  explicit Words(Header& header) : header_(header) {}

  template <typename T>
  void put(T value) {
    header_[next_++] = static_cast<double>(value);
  }

 private:
  Header& header_;
  std::size_t next_ = 0;
};

class WordReader {
 public:
  explicit WordReader(const Header& header) : header_(header) {}

  template <typename T>
  void take(T& value) {
    value = static_cast<T>(header_[next_++]);
  }

 private:
  const Header& header_;
  std::size_t next_ = 0;
};

}  // namespace

void append(const std::vector<torch::Tensor>& tensors, Bytes& bytes) {
  for (const auto& tensor : tensors) {
    const auto values = tensor.contiguous();
    const auto* data = static_cast<const std::uint8_t*>(values.data_ptr());
    bytes.insert(bytes.end(), data, data + values.nbytes());
  }
}

void append(std::span<const std::byte> compressed, Bytes& bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(compressed.data());
  bytes.insert(bytes.end(), data, data + compressed.size());
}

std::vector<torch::Tensor> take(std::span<const std::uint8_t>& bytes,
                                const std::vector<torch::Tensor>& like) {
  std::vector<torch::Tensor> tensors;
  for (const auto& pattern : like) {
    auto tensor = torch::empty(pattern.sizes(), pattern.options().requires_grad(false));
    require(tensor.nbytes() <= bytes.size(), "a payload is shorter than the model");
    std::memcpy(tensor.data_ptr(), bytes.data(), tensor.nbytes());
    bytes = bytes.subspan(tensor.nbytes());
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::span<const std::byte> take(std::span<const std::uint8_t>& bytes, std::size_t count) {
  require(count <= bytes.size(), "a payload is shorter than its header says");
  const auto front = std::as_bytes(bytes.first(count));
  bytes = bytes.subspan(count);
  return front;
}

Header to_header(const Order& order) {
  Header header{};
  Words words(header);
  words.put(order.end);
  words.put(order.round);
  words.put(order.steps);
  words.put(order.version);
  words.put(order.position);
  words.put(order.take_back);
  words.put(order.payload_bytes);
  words.put(order.compressed_bytes);
  return header;
}

Order to_order(const Header& header) {
  Order order;
  WordReader words(header);
  words.take(order.end);
  words.take(order.round);
  words.take(order.steps);
  words.take(order.version);
  words.take(order.position);
  words.take(order.take_back);
  words.take(order.payload_bytes);
  words.take(order.compressed_bytes);
  return order;
}

Header to_header(const ClientReport& report, std::size_t payload_bytes) {
  Header header{};
  Words words(header);
  const LocalResult& result = report.result;
  const Evaluation validation = result.validation.value_or(Evaluation{});
  words.put(payload_bytes);
  words.put(report.payload.size());
  words.put(report.client);
  words.put(report.round);
  words.put(report.position);
  words.put(report.training_seconds);
  words.put(result.update.version);
  words.put(result.steps);
  words.put(result.samples);
  words.put(result.loss);
  words.put(result.finite);
  words.put(result.validation.has_value());
  words.put(validation.loss);
  words.put(validation.accuracy);
  words.put(validation.samples);
  return header;
}

ClientReport to_report(const Header& header, std::size_t& payload_bytes) {
  ClientReport report;
  LocalResult& result = report.result;
  Evaluation validation;
  bool validated = false;
  WordReader words(header);
  std::size_t compressed_bytes = 0;
  words.take(payload_bytes);
  words.take(compressed_bytes);
  report.payload.resize(compressed_bytes);
  words.take(report.client);
  words.take(report.round);
  words.take(report.position);
  words.take(report.training_seconds);
  words.take(result.update.version);
  words.take(result.steps);
  words.take(result.samples);
  words.take(result.loss);
  words.take(result.finite);
  words.take(validated);
  words.take(validation.loss);
  words.take(validation.accuracy);
  words.take(validation.samples);
  result.update.client = report.client;
  if (validated) result.validation = validation;
  return report;
}

}  // namespace convoy::trainer::messages
