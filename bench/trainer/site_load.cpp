// SPDX-License-Identifier: Apache-2.0
// Sites that train nothing: they join a `convoy serve`, take its models, and send random updates of
// the job's model, all from this process. Measures what the server needs:
//   round  from the moment when all of --sites begin to send until the last update is acknowledged;
//          with --paced it begins when a line comes in;
//   answer from the last byte of an update to the next Dispatch (FedAsync and FedCompass answer at
//   once).
// One JSON line for each. bench/sites.py starts the server and says what the figures stand beside.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "base/errors.h"
#include "base/sha256.h"
#include "launch/job/job_file.h"
#include "scheduler/net/dialer.h"
#include "trainer/models/model.h"
#include "trainer/sites/data_schema.h"
#include "trainer/sites/tensor_streams.h"

namespace {

using namespace convoy;
using Clock = std::chrono::steady_clock;

/// What every site sends, and where they wait for each other.
struct Load {
  std::vector<std::byte> stream;
  Sha256 sha256{};
  std::uint64_t schema_hash = 0;
  std::int64_t busy = 0;              ///< sites that send
  std::int64_t rounds = 0;            ///< of all together
  bool in_step = true;                ///< a round begins when all busy sites are ready
  bool is_paced = false;              ///< and when a line has come in
  std::atomic<bool> is_done = false;  ///< this program ends its connections

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::int64_t ready = 0;
  std::int64_t acknowledged = 0;
  std::int64_t finals = 0;
  std::int64_t over = 0;
  std::vector<double> answers;  ///< seconds
};

class Site final : public net::ConnectionUser {
 public:
  Site(Load& load, std::string name, bool is_busy)
      : load_(load), name_(std::move(name)), is_busy_(is_busy) {}

  void begin(std::shared_ptr<net::Connection> connection) {
    connection_ = std::move(connection);
    connection_->post(
        [this] { (void)connection_->send(net::Hello{.name = name_, .instance = "load"}); });
  }
  void send_update() {
    connection_->post([this] { announce(); });
  }

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t) override {
    if (std::holds_alternative<net::Welcome>(message)) {
      (void)connection_->send(net::Join{.samples = 100, .schema_hash = load_.schema_hash});
    } else if (const auto* round = std::get_if<net::Dispatch>(&message)) {
      take(*round);
    } else if (const auto* model = std::get_if<net::ModelBegin>(&message)) {
      model_ = *model;
      stream_ = id;
      (void)connection_->send(net::StreamOffset{.stream = id, .offset = 0, .limit = model->bytes},
                              id);
    } else if (std::holds_alternative<net::StreamEnd>(message)) {
      take_model();
    } else if (const auto* offset = std::get_if<net::StreamOffset>(&message)) {
      limit_ = offset->limit;
      if (!sending_) sent_ = offset->offset;
      sending_ = true;
      pump();
    } else if (std::holds_alternative<net::UploadAck>(message)) {
      count(load_.acknowledged);
    } else if (const auto* refusal = std::get_if<net::Refusal>(&message)) {
      std::fprintf(stderr, "%s: refused: %s\n", name_.c_str(), refusal->text.c_str());
    }
  }
  void on_chunk(const net::Chunk&) override {}
  void on_drained() override { pump(); }
  void on_tick() override {
    if (Clock::now() - beat_ < std::chrono::seconds(1)) return;
    beat_ = Clock::now();
    if (welcomed_) (void)connection_->send(net::Progress{});
  }
  void on_closed(const std::string& why) override {
    if (!why.empty() && !load_.is_done)
      std::fprintf(stderr, "%s: %s\n", name_.c_str(), why.c_str());
    count(load_.over);
    connection_.reset();
  }

 private:
  void count(std::int64_t& what) {
    {
      const std::lock_guard lock(load_.mutex);
      ++what;
    }
    load_.changed.notify_all();
  }

  void take(const net::Dispatch& round) {
    welcomed_ = true;
    if (done_ && !load_.in_step) {
      const std::chrono::duration<double> took = Clock::now() - *done_;
      const std::lock_guard lock(load_.mutex);
      load_.answers.push_back(took.count());
    }
    round_ = round;
  }

  void take_model() {
    if (model_.kind == net::StreamKind::kFinalModel) {
      (void)connection_->send(
          net::StreamOffset{.stream = stream_, .offset = model_.bytes, .limit = model_.bytes});
      return count(load_.finals);
    }
    if (is_busy_) count(load_.ready);
  }

  void announce() {
    const std::int64_t bytes = std::ssize(load_.stream);
    sending_ = false;
    upload_ = connection_->send(net::UploadBegin{.update_id = "r" + std::to_string(round_.round),
                                                 .sha256 = load_.sha256,
                                                 .bytes = bytes,
                                                 .round = round_.round,
                                                 .version = round_.version,
                                                 .steps = round_.steps,
                                                 .samples = 100,
                                                 .position = round_.position + round_.steps,
                                                 .training_seconds = 0.1,
                                                 .metrics = {{"loss", 1.0}, {"trained", 8}}});
  }

  void pump() {
    if (!sending_) return;
    const std::int64_t end = std::min(limit_, std::ssize(load_.stream));
    while (sent_ < end && connection_->queued_bytes() < net::kMaxChunkBytes) {
      const auto count = std::min<std::int64_t>(net::kMaxChunkBytes, end - sent_);
      connection_->send_chunk({.stream = upload_,
                               .offset = sent_,
                               .bytes = std::span(load_.stream)
                                            .subspan(static_cast<std::size_t>(sent_),
                                                     static_cast<std::size_t>(count))});
      sent_ += count;
    }
    if (sent_ < std::ssize(load_.stream)) return;
    sending_ = false;
    (void)connection_->send(net::StreamEnd{.stream = upload_, .sha256 = load_.sha256});
    done_ = Clock::now();
  }

  Load& load_;
  const std::string name_;
  const bool is_busy_;
  std::shared_ptr<net::Connection> connection_;
  bool welcomed_ = false;
  net::Dispatch round_;
  net::ModelBegin model_;
  std::uint64_t stream_ = 0;
  std::uint64_t upload_ = 0;
  bool sending_ = false;
  std::int64_t sent_ = 0;
  std::int64_t limit_ = 0;
  std::optional<Clock::time_point> done_;
  Clock::time_point beat_ = Clock::now();
};

void fill(Load& load, const trainer::Job& job) {
  const trainer::DataInfo info = trainer::info_without_data(job.data);
  const auto model = trainer::make_model(job.model, info, job.run.seed);
  const trainer::ModelShape shape = trainer::shape_of(*model);
  trainer::TensorPack pack{.parameters = {}, .payload = {}, .buffers = shape.like.buffers};
  for (const auto& like : shape.like.parameters) {
    pack.parameters.push_back(1e-4 * torch::randn_like(like));
  }
  load.stream = trainer::to_stream(pack, shape);
  load.sha256 = sha256(load.stream);
  load.schema_hash = trainer::hash_of(trainer::schema_of(job.data, info));
}

/// Waits until `count` has reached `wanted`, or a site has gone.
void wait_for(Load& load, const std::int64_t& count, std::int64_t wanted) {
  std::unique_lock lock(load.mutex);
  const bool came = load.changed.wait_for(lock, std::chrono::seconds(300),
                                          [&] { return count >= wanted || load.over > 0; });
  require(came && count >= wanted, "the server did not answer all sites");
}

/// A site's connection ends behind its final model.
void wait_for_finals(Load& load, std::int64_t sites) {
  std::unique_lock lock(load.mutex);
  const bool came = load.changed.wait_for(
      lock, std::chrono::seconds(300), [&] { return load.finals >= sites || load.over >= sites; });
  require(came && load.finals >= sites, "not all sites got the final model");
}

void run_in_step(Load& load, std::vector<std::shared_ptr<Site>>& sites) {
  for (std::int64_t round = 0; round < load.rounds; ++round) {
    wait_for(load, load.ready, (round + 1) * load.busy);
    std::string line;
    if (load.is_paced) std::getline(std::cin, line);
    const auto began = Clock::now();
    for (std::int64_t i = 0; i < load.busy; ++i) sites[static_cast<std::size_t>(i)]->send_update();
    wait_for(load, load.acknowledged, (round + 1) * load.busy);
    const std::chrono::duration<double> took = Clock::now() - began;
    const double bytes = static_cast<double>(load.stream.size()) * static_cast<double>(load.busy);
    const nlohmann::ordered_json found{{"case", "round"},
                                       {"sites", load.busy},
                                       {"update_bytes", load.stream.size()},
                                       {"seconds", took.count()},
                                       {"bytes_per_second", bytes / took.count()}};
    std::printf("%s\n", found.dump().c_str());
    std::fflush(stdout);
  }
}

void run_one_by_one(Load& load, std::vector<std::shared_ptr<Site>>& sites) {
  for (std::int64_t round = 0; round < load.rounds; ++round) {
    wait_for(load, load.ready, round + 1);
    sites[0]->send_update();
  }
  wait_for(load, load.acknowledged, load.rounds);
  const std::lock_guard lock(load.mutex);
  for (const double seconds : load.answers) {
    std::printf("%s\n",
                nlohmann::ordered_json{{"case", "answer"}, {"seconds", seconds}}.dump().c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Sites that train nothing, for measuring a server");
  std::string job_file;
  std::string server;
  std::filesystem::path certs;
  std::int64_t sites = 16;
  bool to_the_end = false;
  Load load;
  app.add_option("JOB", job_file)->required();
  app.add_option("--server", server)->required();
  app.add_option("--certs", certs, "site000.crt and so on, ca.crt, ca.crl")->required();
  app.add_option("--sites", sites, "that join");
  app.add_option("--busy", load.busy, "that send updates: all in step, or one alone");
  app.add_option("--rounds", load.rounds);
  app.add_flag("--paced", load.is_paced, "a round begins when a line comes in");
  app.add_flag("--to-the-end", to_the_end, "waits until all sites have the final model");
  CLI11_PARSE(app, argc, argv);
  load.in_step = load.busy > 1;
  fill(load, launch::load_job(job_file, {}));

  std::vector<std::unique_ptr<net::Dialer>> dialers;
  std::vector<std::shared_ptr<Site>> all;
  for (std::int64_t i = 0; i < sites; ++i) {
    char name[16];
    std::snprintf(name, sizeof(name), "site%03d", static_cast<int>(i));
    const std::string own(name);
    dialers.push_back(std::make_unique<net::Dialer>(
        net::DialerOptions{.server = net::parse_host_port(server, "--server"),
                           .own = {certs / (own + ".crt"), certs / (own + ".key")},
                           .authorities = certs / "ca.crt",
                           .lists = certs / "ca.crl"}));
    all.push_back(std::make_shared<Site>(load, own, i < load.busy));
    all.back()->begin(dialers.back()->dial(all.back()));
  }
  if (load.in_step) {
    run_in_step(load, all);
  } else {
    run_one_by_one(load, all);
  }
  load.is_done = true;
  if (to_the_end) wait_for_finals(load, sites);
  dialers.clear();
}
