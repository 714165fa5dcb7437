// SPDX-License-Identifier: Apache-2.0
// What durability costs: the log beside plain write and fdatasync, the payload store beside a plain
// file, in turns. One JSON line for each case; medians of the repeats.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "scheduler/journal/payload_store.h"
#include "scheduler/journal/write_ahead_log.h"

namespace {

using namespace convoy::scheduler::journal;
namespace fs = std::filesystem;

struct Options {
  std::string folder = ".";
  std::size_t appends = 300;
  std::size_t record_bytes = 200;
  std::size_t payload_mb = 45;
  int threads = 16;
  int repeats = 5;
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Benchmark {
 public:
  explicit Benchmark(const Options& options)
      : options_(options),
        folder_(fs::path(options.folder) / ("convoy-durability-" + std::to_string(::getpid()))),
        record_(options.record_bytes, std::byte{7}),
        payload_(options.payload_mb * 1'000'000) {
    for (std::size_t i = 0; i < payload_.size(); ++i) {
      payload_[i] = static_cast<std::byte>(i * 2654435761U >> 13U);
    }
    digest_ = sha256(payload_);
    fs::create_directory(folder_);
  }
  ~Benchmark() { fs::remove_all(folder_); }
  Benchmark(const Benchmark&) = delete;
  Benchmark& operator=(const Benchmark&) = delete;

  void run() {
    for (int i = 0; i < options_.repeats; ++i) {
      const auto appends = static_cast<double>(options_.appends);
      rate("plain append, appends/s", appends / plain_appends());
      rate("log, appends/s", appends / log_appends(1));
      rate("log shared by threads, appends/s", appends / log_appends(options_.threads));
      const double megabytes = static_cast<double>(payload_.size()) / 1e6;
      rate("plain file, MB/s", megabytes / plain_file());
      rate("SHA-256, MB/s", megabytes / seconds_of([&] { (void)sha256(payload_); }));
      rate("payload store, MB/s", megabytes / upload());
    }
    for (auto& [what, rates] : rates_) {
      std::sort(rates.begin(), rates.end());
      const nlohmann::ordered_json line{{"what", what},
                                        {"median", rates[rates.size() / 2]},
                                        {"least", rates.front()},
                                        {"most", rates.back()},
                                        {"repeats", rates.size()}};
      std::puts(line.dump().c_str());
    }
  }

 private:
  void rate(const std::string& what, double value) { rates_[what].push_back(value); }

  static void write_all(int file, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file, bytes.data(), bytes.size());
      if (written <= 0) throw std::runtime_error("cannot write");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  double plain_appends() {
    const fs::path path = folder_ / "plain";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    const double seconds = seconds_of([&] {
      for (std::size_t i = 0; i < options_.appends; ++i) {
        write_all(file, record_);
        if (::fdatasync(file) != 0) throw std::runtime_error("cannot sync");
      }
    });
    ::close(file);
    return seconds;
  }

  double log_appends(int threads) {
    fs::remove_all(folder_ / "log");
    WriteAheadLog log(folder_ / "log", new_run_id(), 0, [](const LogRecord&) {});
    const std::size_t each = options_.appends / static_cast<std::size_t>(threads);
    const double seconds = seconds_of([&] {
      std::vector<std::jthread> workers;
      for (int thread = 0; thread < threads; ++thread) {
        workers.emplace_back([&] {
          for (std::size_t i = 0; i < each; ++i) log.sync(log.append(1, record_));
        });
      }
    });
    const std::size_t done = each * static_cast<std::size_t>(threads);
    convoy::require(log.durable() == done, "the log has lost records");
    return seconds * static_cast<double>(options_.appends) / static_cast<double>(done);
  }

  double plain_file() {
    const fs::path path = folder_ / "file";
    fs::remove(path);
    const double seconds = seconds_of([&] {
      const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
      write_all(file, payload_);
      if (::fdatasync(file) != 0) throw std::runtime_error("cannot sync");
      ::close(file);
    });
    return seconds;
  }

  double upload() {
    fs::remove_all(folder_ / "spool");
    PayloadStore store(folder_ / "spool");
    const double seconds = seconds_of([&] {
      constexpr std::size_t kChunk = std::size_t{1} << 20U;
      Upload upload = store.begin({"site", "update", payload_.size(), digest_});
      while (upload.offset() < payload_.size()) {
        const std::span rest = std::span<const std::byte>(payload_).subspan(upload.offset());
        upload.write(rest.first(std::min(kChunk, rest.size())));
      }
      upload.finish();
    });
    convoy::require(fs::file_size(store.path("site", "update")) == payload_.size(),
                    "the store has lost bytes");
    return seconds;
  }

  const Options& options_;
  fs::path folder_;
  std::vector<std::byte> record_;
  std::vector<std::byte> payload_;
  Sha256 digest_{};
  std::map<std::string, std::vector<double>> rates_;
};

int run_all(int argc, char** argv) {
  CLI::App app("What durability costs on this disk", "durability");
  Options options;
  app.add_option("--folder", options.folder, "On the disk to measure");
  app.add_option("--appends", options.appends, "Records of each run");
  app.add_option("--record-bytes", options.record_bytes, "Bytes of a record");
  app.add_option("--payload-mb", options.payload_mb, "Megabytes of an upload");
  app.add_option("--threads", options.threads, "That share one log");
  app.add_option("--repeats", options.repeats, "Runs of each case");
  CLI11_PARSE(app, argc, argv);
  Benchmark(options).run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_all(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "durability: %s\n", error.what());
    return 1;
  }
}
