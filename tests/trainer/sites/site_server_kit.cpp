// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/sites/site_server_kit.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <thread>
#include <utility>

#include "tests/trainer/sites/site_federation_kit.h"
#include "trainer/models/model.h"
#include "trainer/trainer.h"

namespace convoy::tests {

using std::chrono::steady_clock;

bool comes_true(const std::function<bool()>& check) {
  const auto end = steady_clock::now() + kServerPatience;
  while (!check()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

SiteMembers::SiteMembers() {
  credentials["hub"] = federation.member("hub", net::Role::kServer);
  credentials["anna"] = federation.member("anna", net::Role::kOperator);
  for (int i = 0; i < 4; ++i) {
    const std::string name = fmt::format("site{}", i);
    credentials[name] = federation.member(name, net::Role::kSite);
  }
}

SiteMembers& site_members() {
  static SiteMembers all;
  return all;
}

trainer::Job served_job() {
  trainer::Job job = sites_job();
  job.federation.policy.algorithm = scheduler::Algorithm::kFedAsync;
  job.federation.clients = 2;
  job.federation.speeds = "homogeneous";
  job.federation.updates = 1'000'000;
  job.federation.liveness_timeout = 0.0;
  return job;
}

namespace {

net::DialerOptions dialer_options(std::uint16_t port, const std::string& name) {
  const SiteMembers& members = site_members();
  return {.server = {"127.0.0.1", port},
          .own = members.credentials.at(name),
          .authorities = members.federation.files().certificate,
          .lists = members.federation.files().list};
}

net::ListenerOptions listener_options() {
  const SiteMembers& members = site_members();
  return {.host = "127.0.0.1",
          .own = members.credentials.at("hub"),
          .peers = members.federation.accepting({net::Role::kSite, net::Role::kOperator}),
          .limits = {},
          .max_connections_per_name = 64};
}

trainer::DataInfo info_of(const trainer::Job& job) {
  return {.input_shape = {job.data.features}, .classes = job.data.classes};
}

}  // namespace

RunningServer::RunningServer(trainer::Job job, const std::function<void()>& before)
    : job_(std::move(job)), request_{.run_dir = run_dir(), .stop = &stop_, .quiet = true} {
  trainer::make_run_dir(request_.run_dir);
  const auto model = trainer::make_model(job_.model, info_of(job_), job_.run.seed);
  shape_ = trainer::shape_of(*model);
  const auto port = std::make_shared<std::promise<std::uint16_t>>();
  trainer::SiteServerOptions options{.listener = listener_options(),
                                     .name = "hub",
                                     .job_text = "job",
                                     .schema = {},
                                     .torchscript = {},
                                     .software = "test",
                                     .on_listening = [port, before](std::uint16_t number) {
                                       port->set_value(number);
                                       if (before) before();
                                     }};
  server_ = std::make_unique<trainer::SiteServer>(job_, request_, std::move(options), info_of(job_),
                                                  nullptr);
  summary_ = std::async(std::launch::async, [this] { return server_->run(); });
  port_ = port->get_future().get();
}

RunningServer::~RunningServer() {
  try {
    if (summary_.valid()) (void)stop();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "the server has failed: " << error.what();
  }
}

net::OperatorClient& RunningServer::anna() {
  if (!anna_) {
    anna_ = std::make_unique<net::OperatorClient>(
        net::OperatorOptions{.dialer = dialer_options(port_, "anna"),
                             .name = "anna",
                             .software = "test",
                             .patience = kServerPatience});
  }
  return *anna_;
}

net::Status RunningServer::status() { return anna().status(); }

/// Requests are answered one by one, and the clock is looked at after each.
net::RunPhase RunningServer::settled_phase() {
  (void)status();
  return status().phase;
}

bool RunningServer::sees_sites(std::int64_t count) {
  return comes_true([&] { return status().total_sites == count; });
}

void RunningServer::order(const net::Command& command) { (void)anna().order(command); }

trainer::FederatedSummary RunningServer::stop() {
  anna_.reset();
  stop_ = true;
  return summary_.get();
}

/// Notes what comes; fetches models.
class SpokenSite::User final : public net::ConnectionUser {
 public:
  explicit User(SpokenSite& site) : site_(site) {}
  /// Before anything can come: the server speaks second.
  void begin(const std::shared_ptr<net::Connection>& connection) { connection_ = connection; }

  void on_message(const net::Message& message, std::uint64_t id, std::uint64_t) override {
    if (const auto* model = std::get_if<net::ModelBegin>(&message)) {
      const net::StreamOffset all{.stream = id, .offset = 0, .limit = model->bytes};
      if (const auto connection = connection_.lock()) (void)connection->send(all, id);
      return;
    }
    if (std::holds_alternative<net::StreamEnd>(message)) return;
    const std::lock_guard lock(site_.mutex_);
    site_.heard_.push_back(message);
    site_.changed_.notify_all();
  }
  void on_chunk(const net::Chunk&) override {}
  void on_closed(const std::string& why) override {
    const std::lock_guard lock(site_.mutex_);
    site_.why_ = why;
    site_.changed_.notify_all();
  }

 private:
  SpokenSite& site_;
  std::weak_ptr<net::Connection> connection_;
};

SpokenSite::SpokenSite(RunningServer& server, std::string name, const std::string& instance)
    : server_(server),
      name_(std::move(name)),
      dialer_(std::make_unique<net::Dialer>(dialer_options(server.port(), name_))) {
  const auto user = std::make_shared<User>(*this);
  connection_ = dialer_->dial(user);
  connection_->post([user, connection = connection_] { user->begin(connection); });
  (void)say(net::Hello{.name = name_, .instance = instance, .software = "test"});
  (void)expect<net::Welcome>();
}

SpokenSite::~SpokenSite() {
  connection_.reset();
  dialer_.reset();  // ends the thread that calls the user
}

std::uint64_t SpokenSite::say(const net::Message& message, std::uint64_t answers) {
  const auto id = std::make_shared<std::promise<std::uint64_t>>();
  connection_->post([id, message, answers, connection = connection_] {
    id->set_value(connection->send(message, answers));
  });
  return id->get_future().get();
}

void SpokenSite::send_chunk(std::uint64_t stream, std::int64_t offset,
                            std::span<const std::byte> bytes) {
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  connection_->post([stream, offset, copy = std::move(copy), connection = connection_] {
    connection->send_chunk({.stream = stream, .offset = offset, .bytes = copy});
  });
}

net::Message SpokenSite::take() {
  std::unique_lock lock(mutex_);
  (void)changed_.wait_for(lock, kServerPatience, [this] { return !heard_.empty() || why_; });
  if (heard_.empty()) {
    throw std::runtime_error(name_ + " was told nothing: " + why_.value_or("it waits still"));
  }
  net::Message message = std::move(heard_.front());
  heard_.pop_front();
  return message;
}

std::string SpokenSite::describe(const net::Message& message) {
  std::string text(net::to_text(net::type_of(message)));
  if (const auto* refusal = std::get_if<net::Refusal>(&message)) text += ": " + refusal->text;
  return text;
}

bool SpokenSite::is_hung_up_on() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kServerPatience, [this] { return why_.has_value(); });
}

void SpokenSite::cut() {
  connection_->post([connection = connection_] { connection->abort("cut"); });
  (void)is_hung_up_on();
}

void SpokenSite::say_join(std::int64_t samples) {
  (void)say(net::Join{.samples = samples, .schema_hash = 1});
}

net::Dispatch SpokenSite::join(std::int64_t samples) {
  say_join(samples);
  (void)expect<net::JobOffer>();
  return expect<net::Dispatch>();
}

net::Message SpokenSite::upload(const net::UploadBegin& update, std::span<const std::byte> bytes) {
  const std::uint64_t stream = say(update);
  net::Message answer = take();
  if (!std::holds_alternative<net::StreamOffset>(answer)) return answer;
  send_chunk(stream, 0, bytes);
  (void)say(net::StreamEnd{.stream = stream, .sha256 = update.sha256});
  return take();
}

void SpokenSite::contribute(const net::Dispatch& round) {
  const auto bytes = update_of(server_.shape(), 0.01F);
  const net::Message answer = upload(announcement(round, bytes), bytes);
  EXPECT_TRUE(std::holds_alternative<net::UploadAck>(answer)) << name_ << ": " << describe(answer);
}

std::vector<std::byte> update_of(const trainer::ModelShape& shape, float value) {
  trainer::TensorPack pack;
  for (const auto& like : shape.like.parameters) {
    pack.parameters.push_back(torch::full_like(like, value));
  }
  return trainer::to_stream(pack, shape);
}

}  // namespace convoy::tests
