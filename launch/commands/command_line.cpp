// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <tuple>

#include "base/edit_distance.h"
#include "base/errors.h"
#include "launch/commands/command.h"
#include "launch/process/startup_check.h"

namespace convoy::launch {
namespace {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  for (const auto make :
       {make_launch_command, make_train_command, make_federate_command, make_serve_command,
        make_join_command, make_status_command, make_operate_command, make_evaluate_command,
        make_plan_command, make_simulate_command, make_privacy_command, make_bench_command,
        make_certs_command, make_audit_command, make_info_command}) {
    commands.push_back(make());
  }
  return commands;
}

/// Cuts off what stands after the first "--".
std::vector<std::string> take_words_after_dashes(std::vector<std::string>& words) {
  const auto dashes = std::find(words.begin(), words.end(), "--");
  if (dashes == words.end()) return {};
  std::vector<std::string> after(dashes + 1, words.end());
  words.erase(dashes, words.end());
  return after;
}

void parse(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  app.parse(words);
}

/// "convoy train" of the words, for a hint.
std::string called_as(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "convoy" : "convoy " + chosen.front()->get_name();
}

/// CLI11 would only say that a subcommand is missing.
void refuse_unknown_command(const std::vector<std::string>& words,
                            const std::vector<std::unique_ptr<Command>>& commands) {
  if (words.empty() || words.front().starts_with('-')) return;
  std::string known;
  for (const auto& command : commands) {
    if (command->name() == words.front()) return;
    known += (known.empty() ? "" : ", ") + command->name();
  }
  throw ConfigError("unknown subcommand \"" + words.front() + "\"; this version has " + known);
}

/// The subcommand of a subcommand that was named last.
const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

/// The long names of the command's options, and the names of its subcommands.
std::vector<std::string> names_in(const CLI::App& app, bool options) {
  std::vector<std::string> names;
  for (const auto* option : options ? app.get_options() : std::vector<const CLI::Option*>{}) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<const CLI::App*> none;
  for (const auto* sub :
       options ? none : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

/// The name that was perhaps meant; empty: none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& names) {
  constexpr std::size_t kNear = 3;
  std::string best;
  std::size_t least = kNear;
  for (const auto& name : names) {
    const std::size_t distance = edit_distance(word, name);
    if (distance < least) std::tie(least, best) = std::tuple(distance, name);
  }
  return best;
}

/// CLI11 only says what is missing because of a word that it does not know, or lists everything
/// that it has not understood. @return empty where all words are known.
std::string unknown_word(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  if (chosen.empty()) return "";
  const auto words = app.remaining(true);
  if (words.empty()) return "";
  const std::string word = words.front().substr(0, words.front().find('='));
  const CLI::App& command = innermost(app);
  const bool is_option = word.starts_with('-');
  std::vector<std::string> known = names_in(command, is_option);
  if (is_option && &command != chosen.front()) {
    for (const auto& name : names_in(*chosen.front(), true)) known.push_back(name);
  }
  if (!is_option && known.empty()) return "";
  const std::string best = nearest(word, known);
  std::string text = "convoy " + chosen.front()->get_name() + " knows no " + word;
  if (!best.empty()) text += "; did you mean " + best + "?";
  if (is_option) return text;
  text += best.empty() ? "; it has " : " It has ";
  for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "" : ", ") + known[i];
  return text;
}

}  // namespace

void Command::set_words_after_dashes(std::vector<std::string> words) {
  require_config(words.empty(), "convoy " + name() + " takes nothing after --");
}

std::unique_ptr<Command> parse_command_line(std::vector<std::string> words, std::string& help) {
  auto commands = all_commands();
  CLI::App app("Distributed training of LibTorch models over slow networks and unequal machines.",
               "convoy");
  app.require_subcommand(1);
  app.set_version_flag("--version", "convoy " + convoy_version());
  for (const auto& command : commands) {
    command->add_options(*app.add_subcommand(command->name(), command->summary()));
  }
  auto after = take_words_after_dashes(words);
  refuse_unknown_command(words, commands);
  try {
    parse(app, std::move(words));
  } catch (const CLI::CallForHelp&) {
    help = app.help();
    return nullptr;
  } catch (const CLI::CallForVersion& version) {
    help = std::string(version.what()) + "\n";
    return nullptr;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_word(app);
    throw ConfigError((unknown.empty() ? error.what() : unknown) + " (see " + called_as(app) +
                      " --help)");
  }
  const std::string chosen = app.get_subcommands().front()->get_name();
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const auto& command) { return command->name() == chosen; });
  (*found)->set_words_after_dashes(std::move(after));
  return std::move(*found);
}

}  // namespace convoy::launch
