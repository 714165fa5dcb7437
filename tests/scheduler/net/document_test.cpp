// SPDX-License-Identifier: Apache-2.0
// What docs/protocol.md prints as examples is what the program says.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "scheduler/net/chunk.h"
#include "scheduler/net/frame_writer.h"
#include "scheduler/net/tensor_manifest.h"
#include "tests/scheduler/net/net_kit.h"

namespace convoy::net {
namespace {

/// The blocks between ```hex NAME and ```, by name.
std::map<std::string, Bytes> examples() {
  std::ifstream file(std::string(CONVOY_SOURCE_DIR) + "/docs/protocol.md");
  std::map<std::string, std::string> texts;
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      name = line.starts_with("```hex ") ? line.substr(7) : "";
    } else if (!name.empty()) {
      texts[name] += line.substr(0, line.find('|')) + " ";
    }
  }
  std::map<std::string, Bytes> blocks;
  for (const auto& [key, text] : texts) blocks[key] = bytes_of_hex(text);
  return blocks;
}

/// The frame that the document should print for a message: request 1, answering nothing.
Bytes frame_of(const Message& message) {
  FrameWriter writer;
  Bytes out;
  writer.write(type_of(message), encode(message), out);
  return out;
}

TEST(Document, PrintsAFrameOfEveryMessage) {
  const auto blocks = examples();
  for (const Message& message : every_message()) {
    const std::string name(to_text(type_of(message)));
    ASSERT_TRUE(blocks.contains(name)) << name << '\n' << hex_of(frame_of(message));
    const auto read = read_frames(blocks.at(name), 16);
    ASSERT_EQ(read.frames.size(), 1U)
        << name << ": " << (read.error ? read.error->reason : "none") << '\n'
        << hex_of(frame_of(message));
    const Frame frame = read.frames[0].view();
    EXPECT_EQ(frame.id, 1U);
    const auto decoded = decode(frame, sender_of(message));
    ASSERT_TRUE(std::holds_alternative<Message>(decoded)) << std::get<Refusal>(decoded).text;
    EXPECT_EQ(std::get<Message>(decoded), message) << name;
    EXPECT_EQ(blocks.at(name), frame_of(message)) << name << '\n' << hex_of(frame_of(message));
  }
}

TEST(Document, PrintsAStreamAndItsOnlyChunk) {
  const TensorManifest manifest{{{"bias", ElementType::kFloat32, {2}}}};
  const Bytes data = bytes_of_hex("0000803f 000000c0");  // 1 and -2
  Bytes stream = encode(manifest);
  stream.insert(stream.end(), data.begin(), data.end());
  FrameWriter writer;
  Bytes out;
  write_chunk(writer, {.stream = 7, .offset = 0, .bytes = stream}, out);
  const auto blocks = examples();
  ASSERT_TRUE(blocks.contains("Chunk")) << hex_of(out);
  EXPECT_EQ(blocks.at("Chunk"), out) << hex_of(out);
  const auto read = read_frames(blocks.at("Chunk"), 16);
  ASSERT_EQ(read.frames.size(), 1U);
  const Frame frame = read.frames[0].view();
  const auto chunk = std::get<Chunk>(decode_chunk(frame));
  EXPECT_EQ(chunk.stream, 7U);
  const auto parsed = parse_manifest(chunk.bytes.first(encode(manifest).size()));
  EXPECT_EQ(std::get<TensorManifest>(parsed), manifest);
}

TEST(Document, NamesEveryTypeAndEveryReason) {
  std::ifstream file(std::string(CONVOY_SOURCE_DIR) + "/docs/protocol.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  for (int type = 0; type < 65536; ++type) {
    const auto known = static_cast<MessageType>(type);
    if (!is_known(known)) continue;
    const std::string row =
        "| " + std::to_string(type) + " | " + std::string(to_text(known)) + " |";
    EXPECT_NE(document.find(row), std::string::npos) << row;
  }
  for (int code = 1; code <= static_cast<int>(kLastRefusalCode); ++code) {
    const std::string row = "| " + std::to_string(code) + " | " +
                            std::string(to_text(static_cast<RefusalCode>(code))) + " |";
    EXPECT_NE(document.find(row), std::string::npos) << row;
  }
  for (int type = 1; type <= static_cast<int>(kLastElementType); ++type) {
    const auto element = static_cast<ElementType>(type);
    const std::string row = std::to_string(type) + " " + std::string(to_text(element));
    EXPECT_NE(document.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace convoy::net
