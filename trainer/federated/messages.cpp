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

void append(const std::vector<torch::Tensor>& tensors, Bytes& bytes) {
  for (const auto& tensor : tensors) {
    const auto values = tensor.contiguous();
    const auto* data = static_cast<const std::uint8_t*>(values.data_ptr());
    bytes.insert(bytes.end(), data, data + values.nbytes());
  }
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

}  // namespace

Bytes pack(const std::vector<torch::Tensor>& first, const std::vector<torch::Tensor>& second) {
  Bytes bytes;
  bytes.reserve(bytes_of(first) + bytes_of(second));
  append(first, bytes);
  append(second, bytes);
  return bytes;
}

void unpack(std::span<const std::uint8_t> bytes, const ModelState& like,
            std::vector<torch::Tensor>& first, std::vector<torch::Tensor>& second) {
  first = take(bytes, like.parameters);
  second = take(bytes, like.buffers);
  require(bytes.empty(), "a payload is longer than the model");
}

Header to_header(const Order& order) {
  Header header{};
  Words words(header);
  words.put(order.end);
  words.put(order.round);
  words.put(order.steps);
  words.put(order.version);
  words.put(order.position);
  words.put(order.payload_bytes);
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
  words.take(order.payload_bytes);
  return order;
}

Header to_header(const ClientReport& report, std::size_t payload_bytes) {
  Header header{};
  Words words(header);
  const LocalResult& result = report.result;
  const Evaluation validation = result.validation.value_or(Evaluation{});
  words.put(payload_bytes);
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
  words.take(payload_bytes);
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
