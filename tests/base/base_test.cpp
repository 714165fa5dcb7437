// SPDX-License-Identifier: Apache-2.0
// Errors, hashes and files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "tests/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

using tests::TemporaryFolder;

auto entries_of(const TemporaryFolder& folder) {
  return std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
}

template <typename Error, typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(Errors, RequireNamesTheCallersPlace) {
  EXPECT_NO_THROW(require(true, "never"));
  const auto text = message_of<ContractError>([] { require(false, "sizes differ"); });
  EXPECT_NE(text.find("sizes differ"), std::string::npos) << text;
  EXPECT_NE(text.find("base_test.cpp:"), std::string::npos) << text;
}

TEST(Errors, ConfigurationErrorsAreOnlyTheMessage) {
  EXPECT_NO_THROW(require_config(true, "never"));
  EXPECT_EQ(message_of<ConfigError>([] { require_config(false, "batch_size must be positive"); }),
            "batch_size must be positive");
}

TEST(Hash, IsXxh3AndDependsOnContentAndSeed) {
  const std::string text = "convoy";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(to_hex(hash64({})), "2d06800538d394c2");  // the published value for no input
  EXPECT_EQ(hash64(bytes), hash64(bytes));
  EXPECT_NE(hash64(bytes), hash64(bytes.first(5)));
  EXPECT_NE(hash64(bytes), hash64(bytes, 1));
  EXPECT_EQ(to_hex(0xabc), "0000000000000abc");
}

TEST(Hash, IsTheSameInParts) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 5000; ++i) bytes.push_back(static_cast<std::byte>(i * i));
  for (const std::size_t part : {1U, 63U, 64U, 257U, 5000U}) {
    Hash64Stream hash;
    for (std::size_t at = 0; at < bytes.size(); at += part) {
      hash.add(std::span(bytes).subspan(at, std::min(part, bytes.size() - at)));
    }
    EXPECT_EQ(hash.value(), hash64(bytes)) << part;
  }
  EXPECT_EQ(Hash64Stream().value(), hash64({}));
}

TEST(File, IsReplacedByPartsOnlyWhenAllAreThere) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "file";
  write_file_atomic(path, "old");
  const auto put = [](AtomicFile& file, const std::string& text) {
    file.write(std::as_bytes(std::span(text)));
  };
  {
    AtomicFile given_up(path);
    put(given_up, "new");
  }
  EXPECT_EQ(read_text_file(path), "old");
  {
    AtomicFile file(path);
    put(file, "a new ");
    put(file, "one");
    EXPECT_EQ(read_text_file(path), "old");
    file.commit();
  }
  EXPECT_EQ(read_text_file(path), "a new one");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1)
      << "nothing beside it";
  EXPECT_THROW(AtomicFile(folder.path() / "none" / "file"), std::runtime_error);
}

TEST(File, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "text", std::string("first"));
  write_file_atomic(folder / "text", std::string("second\n\0third", 13));
  EXPECT_EQ(read_text_file(folder / "text"), std::string("second\n\0third", 13));
  const std::vector<std::byte> many(3'000'001, std::byte{7});
  write_file_atomic(folder / "bytes", many);
  EXPECT_EQ(read_file(folder / "bytes"), many);
  write_file_atomic(folder / "empty", std::string());
  EXPECT_TRUE(read_file(folder / "empty").empty());
  EXPECT_EQ(entries_of(folder), 3);  // no temporary is left
}

TEST(File, FailuresNameThePathAndTheReasonAndLeaveNothing) {
  const TemporaryFolder folder;
  const auto missing =
      message_of<ConfigError>([&] { static_cast<void>(read_file(folder / "none")); });
  EXPECT_NE(missing.find("none: No such file"), std::string::npos) << missing;
  const auto nowhere = message_of<std::runtime_error>(
      [&] { write_file_atomic(folder / "none/file", std::string("x")); });
  EXPECT_NE(nowhere.find("none/file"), std::string::npos) << nowhere;
  // A folder in the way: the temporary is written and must go again.
  fs::create_directory(folder / "folder");
  EXPECT_THROW(write_file_atomic(folder / "folder", std::string("x")), std::runtime_error);
  EXPECT_EQ(entries_of(folder), 1);
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

TEST(File, PrivateOnesBelongToTheirOwnerAlone) {
  const TemporaryFolder folder;
  const std::string path = folder / "key";
  create_private_file(path, bytes_of("secret"));
  EXPECT_EQ(mode_of(path), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(read_private_file(path).size(), 6U);
  fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(message_of<ConfigError>([&] { (void)read_private_file(path); }),
            path + " has mode 0640: others than its owner can get at it; chmod 600 " + path);
  // Written anew, also over the temporary that a crash has left with another mode.
  const std::string left = path + ".tmp." + std::to_string(::getpid());
  write_file_atomic(left, std::string("half"));
  write_private_file_atomic(path, bytes_of("second"));
  EXPECT_EQ(mode_of(path), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(read_text_file(path), "second");
  EXPECT_EQ(entries_of(folder), 1);
}

TEST(File, CreatingNeverReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder.file("key", "old");
  EXPECT_EQ(message_of<ConfigError>([&] { create_private_file(path, bytes_of("new")); }),
            path + " exists already and is kept");
  EXPECT_EQ(read_text_file(path), "old");
  EXPECT_EQ(entries_of(folder), 1);
}

TEST(File, SaysBeforehandThatItCannotBeWritten) {
  const TemporaryFolder folder;
  const auto before = entries_of(folder);
  EXPECT_NO_THROW(require_writable(folder.path() / "new"));
  EXPECT_EQ(entries_of(folder), before);
  const auto refusal = [](const fs::path& path) {
    return message_of<ConfigError>([&] { require_writable(path); });
  };
  const std::string here = folder.path().string();
  EXPECT_EQ(refusal(here), "cannot write " + here + ": it is a folder");
  EXPECT_EQ(refusal(here + "/no/where"),
            "cannot write " + here + "/no/where: No such file or directory");
}

}  // namespace
}  // namespace convoy
