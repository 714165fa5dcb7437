// SPDX-License-Identifier: Apache-2.0
#include "trainer/federated/messages.h"

#include <cstring>

#include "base/errors.h"

namespace convoy::trainer::messages {
namespace {

/// Writes values into the words of a header, one after the other.
class WordWriter {
 public:
  explicit WordWriter(Header& header) : header_(header) {}

  template <typename... T>
  void operator()(const T&... values) {
    ((header_[next_++] = static_cast<double>(values)), ...);
  }

 private:
  Header& header_;
  std::size_t next_ = 0;
};

/// Reads them back, in the same order.
class WordReader {
 public:
  explicit WordReader(const Header& header) : header_(header) {}

  template <typename... T>
  void operator()(T&... values) {
    ((values = static_cast<T>(header_[next_++])), ...);
  }

 private:
  const Header& header_;
  std::size_t next_ = 0;
};

/// What an order's header holds, in this order, for the writer and for the reader.
template <typename Words, typename AnOrder>
void each_word(Words&& words, AnOrder& order) {
  words(order.kind, order.round, order.steps, order.version, order.position, order.updates,
        order.take_back, order.payload_bytes, order.compressed_bytes);
}

/// The same of a report, whose sizes and validation are not plain members.
template <typename Words, typename AReport, typename Size, typename Flag, typename AnEvaluation,
          typename APrivacyReport>
void each_word(Words&& words, AReport& report, Size& payload_bytes, Size& compressed_bytes,
               Flag& validated, AnEvaluation& validation, Flag& is_private,
               APrivacyReport& privacy) {
  auto& result = report.result;
  words(payload_bytes, compressed_bytes, report.client, report.round, report.position,
        report.training_seconds, result.update.version, result.steps, result.samples, result.loss,
        result.finite, validated, validation.loss, validation.accuracy, validation.samples,
        is_private, privacy.epsilon, privacy.steps, privacy.leaves);
}

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
  each_word(WordWriter(header), order);
  return header;
}

Order to_order(const Header& header) {
  Order order;
  each_word(WordReader(header), order);
  return order;
}

Header to_header(const ClientReport& report, std::size_t payload_bytes) {
  Header header{};
  std::size_t compressed_bytes = report.payload.size();
  const bool validated = report.result.validation.has_value();
  const Evaluation validation = report.result.validation.value_or(Evaluation{});
  const bool is_private = report.result.privacy.has_value();
  const PrivacyReport privacy = report.result.privacy.value_or(PrivacyReport{});
  each_word(WordWriter(header), report, payload_bytes, compressed_bytes, validated, validation,
            is_private, privacy);
  return header;
}

ReportSizes sizes_of(const Header& header) {
  return {.payload = header[0], .compressed = header[1], .client = header[2]};
}

ClientReport to_report(const Header& header, std::size_t& payload_bytes) {
  ClientReport report;
  std::size_t compressed_bytes = 0;
  bool validated = false;
  Evaluation validation;
  bool is_private = false;
  PrivacyReport privacy;
  each_word(WordReader(header), report, payload_bytes, compressed_bytes, validated, validation,
            is_private, privacy);
  report.payload.resize(compressed_bytes);
  report.result.update.client = report.client;
  if (validated) report.result.validation = validation;
  if (is_private) report.result.privacy = privacy;
  return report;
}

}  // namespace convoy::trainer::messages
