// SPDX-License-Identifier: Apache-2.0
// crash_server FOLDER keep|forget: takes the updates of crash_scenario() from where the log ends,
// as a server would, and prints what leaves it, one line for each effect. crash_test.cpp kills it.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/payload_store.h"
#include "tests/scheduler/journal/toy_server.h"

namespace {

using namespace convoy;
using namespace convoy::scheduler;
using namespace convoy::scheduler::journal;
using namespace convoy::tests;
using Json = nlohmann::json;

/// One write(), so that a kill leaves all of a line or none.
void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) ::_exit(3);
}

UpdateName name_of(const Input& input) { return {input.update.client, input.update.round}; }

class Server {
 public:
  Server(const std::filesystem::path& folder, bool keeps)
      : checkpoint_(folder / "checkpoint"),
        keeps_(keeps),
        inputs_(inputs_of(crash_scenario())),
        store_(folder / "spool", {.sync_bytes = 2048, .keep_updates = keeps}),
        toy_(crash_scenario().policy,
             [this](UpdateName name) { return store_.read(site_of(name.first), id_of(name)); }),
        journal_(folder / "log", run_id_in(folder / "run-id"), load(),
                 [this](Sequence, const Entry& entry) { replay(entry); }) {}

  void run() {
    journal_.start();
    acknowledge_again();
    say("alive");
    while (toy_.handled() < inputs_.size()) {
      const std::size_t begin = toy_.handled();
      const std::size_t end = std::min(inputs_.size(), begin + 1 + begin % 4);
      receive(begin, end);
      take(begin, end);
      if (end / 40 != begin / 40) save();
    }
    journal_.stop();
    say("counts " + std::to_string(toy_.policy().counts().received) + " " +
        std::to_string(toy_.policy().counts().aggregated) + " " +
        std::to_string(toy_.policy().pending()));
    say("model " + toy_.model());
  }

 private:
  std::string load() {
    if (!std::filesystem::exists(checkpoint_)) return "";
    const Json json = Json::parse(read_text_file(checkpoint_));
    toy_.load(json.at("toy"));
    return json.at("journal");
  }

  void replay(const Entry& entry) {
    const std::size_t number = toy_.handled();
    if (const auto* input = std::get_if<InputEntry>(&entry))
      decide(number, toy_.handle(input->input));
    if (const auto* update = std::get_if<UpdateEntry>(&entry)) {
      decide(number, toy_.handle(update->input));
    }
  }

  static void decide(std::size_t number, const std::string& decisions) {
    say("decide " + std::to_string(number) + " " + decisions);
  }

  /// Clients that have not heard it ask again.
  void acknowledge_again() {
    for (std::size_t i = toy_.handled() - std::min<std::size_t>(9, toy_.handled());
         i < toy_.handled(); ++i) {
      if (inputs_[i].kind != Input::Kind::kArrive) continue;
      const UpdateName name = name_of(inputs_[i]);
      const auto sequence = journal_.find(site_of(name.first), id_of(name));
      if (!sequence) throw std::runtime_error("forgotten: " + id_of(name));
      journal_.sync(*sequence);
      say("ack " + id_of(name));
    }
  }

  /// All uploads of these inputs, at the same time.
  void receive(std::size_t begin, std::size_t end) {
    std::vector<std::jthread> uploads;
    for (std::size_t i = begin; i < end; ++i) {
      if (inputs_[i].kind != Input::Kind::kArrive) continue;
      uploads.emplace_back([this, name = name_of(inputs_[i])] {
        const auto payload = payload_of(name);
        Upload upload =
            store_.begin({site_of(name.first), id_of(name), payload.size(), sha256(payload)});
        while (upload.offset() < payload.size()) {
          upload.write(std::span(payload)
                           .subspan(upload.offset())
                           .first(std::min<std::size_t>(700, payload.size() - upload.offset())));
        }
        upload.finish();
      });
    }
  }

  /// One sync for all of them.
  void take(std::size_t begin, std::size_t end) {
    std::vector<std::string> decisions;
    Sequence last = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Input& input = inputs_[i];
      if (input.kind == Input::Kind::kArrive) {
        const UpdateName name = name_of(input);
        const auto payload = payload_of(name);
        last = journal_.record(UpdateEntry{.input = input,
                                           .site = site_of(name.first),
                                           .id = id_of(name),
                                           .sha256 = sha256(payload),
                                           .bytes = payload.size()});
      } else {
        last = journal_.record(InputEntry{.input = input});
      }
      decisions.push_back(toy_.handle(input));
    }
    journal_.sync(last);
    for (std::size_t i = begin; i < end; ++i) {
      if (inputs_[i].kind == Input::Kind::kArrive) say("ack " + id_of(name_of(inputs_[i])));
      decide(i, decisions[i - begin]);
    }
  }

  void save() {
    const std::string saved = journal_.save();
    write_file_atomic(checkpoint_, Json{{"journal", saved}, {"toy", toy_.save()}}.dump());
    if (!keeps_) journal_.checkpoint_is_durable(saved);
    for (const UpdateName& name : toy_.take_summed()) {
      store_.release(site_of(name.first), id_of(name));
    }
  }

  std::filesystem::path checkpoint_;
  bool keeps_;
  std::vector<Input> inputs_;
  PayloadStore store_;
  ToyServer toy_;
  Journal journal_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    Server(argv[1], std::string(argv[2]) == "keep").run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crash_server: %s\n", error.what());
    return 1;
  }
}
