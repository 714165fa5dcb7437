// SPDX-License-Identifier: Apache-2.0
#include "scheduler/net/operator_client.h"

#include <spdlog/fmt/fmt.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/hash.h"
#include "scheduler/net/subject.h"
#include "scheduler/net/versions.h"

namespace convoy::net {
namespace {

constexpr std::chrono::milliseconds kFarewell{1000};

std::string random_instance() {
  std::random_device source;
  return to_hex((std::uint64_t{source()} << 32U) | source());
}

}  // namespace

RefusedError::RefusedError(const Refusal& refusal)
    : std::runtime_error(fmt::format("the server refuses: {}",
                                     refusal.text.empty() ? std::string(to_text(refusal.code))
                                                          : printable(refusal.text, 300))),
      code_(refusal.code) {}

/// Takes what comes on the dialer's thread to who waits on another.
class OperatorClient::Inbox final : public ConnectionUser {
 public:
  void on_message(const Message& message, std::uint64_t, std::uint64_t answers) override {
    const std::lock_guard lock(mutex_);
    arrived_.emplace_back(answers, message);
    news_.notify_all();
  }
  void on_chunk(const Chunk&) override {}
  void on_closed(const std::string& why) override {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    closed_ = why.empty() ? "the server has closed the connection" : why;
    news_.notify_all();
  }

  /// The question has left, in the frame `id`.
  void sent(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    asked_ = id;
    news_.notify_all();
  }

  void begin_question() {
    const std::lock_guard lock(mutex_);
    asked_.reset();
    arrived_.clear();
  }

  /// @throws RefusedError; std::runtime_error.
  Message wait_for_answer(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    std::optional<Message> answer;
    const bool heard = news_.wait_for(lock, patience, [&] {
      answer = find_answer();
      return answer.has_value() || closed_.has_value();
    });
    if (answer) {
      if (const auto* refusal = std::get_if<Refusal>(&*answer)) throw RefusedError(*refusal);
      return *std::move(answer);
    }
    if (heard) {
      // In TLS 1.3 the server looks at our certificate when our handshake is over.
      require_config(closed_->find("refused our certificate") == std::string::npos,
                     "the connection has ended: " + *closed_);
      throw std::runtime_error("the connection has ended: " + *closed_);
    }
    throw std::runtime_error(fmt::format("the server has not answered within {} s",
                                         static_cast<double>(patience.count()) / 1000.0));
  }

  void wait_for_end(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    (void)news_.wait_for(lock, patience, [&] { return ended_; });
  }

 private:
  /// A refusal that answers nothing in particular is the last thing that a server says.
  std::optional<Message> find_answer() {
    if (!asked_) return std::nullopt;
    for (const auto& [answers, message] : arrived_) {
      const bool is_refusal = std::holds_alternative<Refusal>(message);
      if (answers == *asked_ || (is_refusal && answers == 0)) return message;
      if (const auto* goodbye = std::get_if<Goodbye>(&message)) closed_ = goodbye->text;
    }
    return std::nullopt;
  }

  std::mutex mutex_;
  std::condition_variable news_;
  std::optional<std::uint64_t> asked_;
  std::vector<std::pair<std::uint64_t, Message>> arrived_;  // since the question
  std::optional<std::string> closed_;                       // why there will be no answer any more
  bool ended_ = false;
};

OperatorClient::OperatorClient(OperatorOptions options)
    : options_(std::move(options)), inbox_(std::make_shared<Inbox>()) {
  dialer_ = std::make_unique<Dialer>(options_.dialer);
  try {
    connection_ = dialer_->dial(inbox_);
  } catch (const DialError& error) {
    require_config(!error.is_final(), error.what());
    throw;
  }
  welcome_ = ask_for<Welcome>(Hello{.versions = kSpokenVersions,
                                    .party = Party::kOperator,
                                    .name = options_.name,
                                    .instance = random_instance(),
                                    .capabilities = {},
                                    .software = options_.software});
  if (const auto refusal = check_version(welcome_.version, kSpokenVersions)) {
    throw std::runtime_error(refusal->text);
  }
}

OperatorClient::~OperatorClient() {
  connection_->post([connection = connection_] {
    (void)connection->send(Goodbye{});
    connection->close();
  });
  inbox_->wait_for_end(kFarewell);  // the dialer's end would cut the connection off
}

Message OperatorClient::ask(const Message& question) {
  inbox_->begin_question();
  connection_->post([connection = connection_, inbox = inbox_, question] {
    inbox->sent(connection->send(question));
  });
  return inbox_->wait_for_answer(options_.patience);
}

template <typename T>
T OperatorClient::ask_for(const Message& question) {
  Message answer = ask(question);
  if (auto* wanted = std::get_if<T>(&answer)) return std::move(*wanted);
  throw std::runtime_error(fmt::format("the server answers {} with {}", to_text(type_of(question)),
                                       to_text(type_of(answer))));
}

Accepted OperatorClient::order(const Command& command) { return ask_for<Accepted>(command); }

Status OperatorClient::status() {
  Status whole;
  for (bool more = true; more;) {
    const auto first = static_cast<std::int64_t>(whole.sites.size());
    Status page = ask_for<Status>(StatusRequest{.first = first});
    more = !page.sites.empty() &&
           first + static_cast<std::int64_t>(page.sites.size()) < page.total_sites;
    whole.sites.insert(whole.sites.end(), page.sites.begin(), page.sites.end());
    page.sites = std::move(whole.sites);
    whole = std::move(page);
  }
  whole.first = 0;
  return whole;
}

}  // namespace convoy::net
