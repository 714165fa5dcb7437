// SPDX-License-Identifier: Apache-2.0
// Event files are read back by a reader of our own that shares nothing with the writer: it takes
// the wire format apart byte by byte, with TensorBoard's field numbers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/temporary_folder.h"
#include "trainer/metrics/internal/tfrecord.h"
#include "trainer/metrics/metrics.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;

/// CRC-32C bit by bit, from its definition.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

template <typename T>
T take(std::string_view& bytes) {
  if (bytes.size() < sizeof(T)) throw std::runtime_error("record ends early");
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

std::uint32_t unmask(std::uint32_t masked) {
  const std::uint32_t rotated = masked - 0xa282ead8U;
  return (rotated >> 17) | (rotated << 15);
}

std::vector<std::string> read_records(std::string_view file) {
  std::vector<std::string> records;
  while (!file.empty()) {
    const auto header = file.substr(0, 8);
    const auto length = take<std::uint64_t>(file);
    if (unmask(take<std::uint32_t>(file)) != slow_crc32c(header))
      throw std::runtime_error("length");
    const auto data = file.substr(0, length);
    file.remove_prefix(length);
    if (unmask(take<std::uint32_t>(file)) != slow_crc32c(data)) throw std::runtime_error("data");
    records.emplace_back(data);
  }
  return records;
}

std::uint64_t varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<std::uint8_t>(bytes);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
}

/// Fields of one Protobuf message by number, each with its raw bytes (varints as 8 bytes).
using Fields = std::multimap<std::uint64_t, std::string>;

Fields parse(std::string_view message) {
  Fields fields;
  while (!message.empty()) {
    const auto key = varint(message);
    std::string value;
    if ((key & 7U) == 0) {
      const auto number = varint(message);
      value.assign(reinterpret_cast<const char*>(&number), sizeof(number));
    } else {
      const std::uint64_t size = (key & 7U) == 1 ? 8 : (key & 7U) == 5 ? 4 : varint(message);
      if (size > message.size()) throw std::runtime_error("field ends early");
      value = message.substr(0, size);
      message.remove_prefix(size);
    }
    fields.emplace(key >> 3, value);
  }
  return fields;
}

template <typename T>
T number(const std::string& bytes) {
  std::string_view view = bytes;
  return take<T>(view);
}

struct Point {
  std::int64_t step;
  std::map<std::string, float> values;
};

/// Event.step = 2, Event.summary = 5; Summary.value = 1; Value.tag = 1, Value.simple_value = 2.
std::vector<Point> read_points(const std::vector<std::string>& records) {
  std::vector<Point> points;
  for (const auto& record : records) {
    const auto event = parse(record);
    if (!event.contains(5)) continue;
    Point point{number<std::int64_t>(event.find(2)->second), {}};
    const auto summary = parse(event.find(5)->second);
    for (auto [i, end] = summary.equal_range(1); i != end; ++i) {
      const auto value = parse(i->second);
      const auto simple = value.find(2);  // absent when it is zero
      point.values[value.find(1)->second] =
          simple == value.end() ? 0.0F : number<float>(simple->second);
    }
    points.push_back(point);
  }
  return points;
}

class TensorBoard : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> records() const {
    std::ifstream file(fs::directory_iterator(folder_)->path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    return read_records(content);
  }

  tests::TemporaryFolder temporary_;
  const fs::path& folder_ = temporary_.path();
};

TEST_F(TensorBoard, BeginsWithTheVersionAndTheResumedStep) {
  const auto sink = make_tensorboard_sink(folder_, 120);
  EXPECT_NE(fs::directory_iterator(folder_)->path().filename().string().find("tfevents"),
            std::string::npos);
  const auto events = records();
  ASSERT_EQ(events.size(), 2U);
  const auto version = parse(events[0]);
  EXPECT_EQ(version.find(3)->second, "brain.Event:2");
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(number<double>(version.find(1)->second), now, 60.0);
  const auto start = parse(events[1]);
  EXPECT_EQ(number<std::int64_t>(start.find(2)->second), 121);
  EXPECT_EQ(number<std::uint64_t>(parse(start.find(7)->second).find(1)->second), 1U);  // START
}

TEST_F(TensorBoard, WritesPointsThatAnIndependentReaderFinds) {
  const auto sink = make_tensorboard_sink(folder_);
  sink->interval({.step = 50,
                  .epoch = 1,
                  .loss = 0.25,
                  .learning_rate = 0.05,
                  .samples_per_second = 1000,
                  .step_ms = 10,
                  .data_ms = 1,
                  .forward_ms = 2,
                  .backward_ms = 3,
                  .exposed_communication_ms = 0.5,
                  .optimizer_ms = 0.75,
                  .bytes_sent = 4096,
                  .skipped_steps = 2});
  sink->evaluation({.step = 60, .epoch = 1, .loss = 0.5, .accuracy = 0.875});
  const auto points = read_points(records());  // while the sink is open: each is flushed
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].step, 50);
  const std::map<std::string, float> expected{{"train/loss", 0.25F},
                                              {"train/learning_rate", 0.05F},
                                              {"train/epoch", 1.0F},
                                              {"train/skipped_steps", 2.0F},
                                              {"speed/bytes_sent", 4096.0F},
                                              {"speed/samples_per_second", 1000.0F},
                                              {"milliseconds/step", 10.0F},
                                              {"milliseconds/data", 1.0F},
                                              {"milliseconds/forward", 2.0F},
                                              {"milliseconds/backward", 3.0F},
                                              {"milliseconds/optimizer", 0.75F},
                                              {"milliseconds/exposed_communication", 0.5F}};
  EXPECT_EQ(points[0].values, expected);
  EXPECT_EQ(points[1].step, 60);
  EXPECT_EQ(points[1].values,
            (std::map<std::string, float>{{"eval/loss", 0.5F}, {"eval/accuracy", 0.875F}}));
}

TEST_F(TensorBoard, LeavesOutTheAccuracyOfRegression) {
  const auto sink = make_tensorboard_sink(folder_);
  sink->evaluation({.step = 1, .loss = 0.5, .accuracy = std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(read_points(records()).at(0).values.size(), 1U);
}

TEST_F(TensorBoard, EveryRunHasAFileOfItsOwn) {
  const auto first = make_tensorboard_sink(folder_);
  const auto second = make_tensorboard_sink(folder_);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
}

TEST_F(TensorBoard, SaysWhichFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "in the way";
  try {
    (void)make_tensorboard_sink(folder_ / "file" / "events");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("file/events: Not a directory"), std::string::npos)
        << error.what();
  }
}

TEST(Crc32c, GivesTheKnownValues) {
  // RFC 3720, B.4, and the usual check string.
  EXPECT_EQ(internal::crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(internal::crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(internal::crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(internal::crc32c(""), 0U);
}

}  // namespace
}  // namespace convoy::trainer
