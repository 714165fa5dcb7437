// SPDX-License-Identifier: Apache-2.0
#include "tests/launch/child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace convoy::tests {
namespace {

namespace fs = std::filesystem;

/// Empty for a file of /proc whose process ends meanwhile; an istreambuf_iterator would throw.
std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

/// Our environment without what would make the child believe that it is a rank, and `more`.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> result(more);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::string name = text.substr(0, text.find('=') + 1);
    const bool replaced = std::any_of(more.begin(), more.end(), [&](const std::string& m) {
      return m.compare(0, name.size(), name) == 0;
    });
    if (!replaced) result.push_back(text);
  }
  return result;
}

}  // namespace

Child::Child(const TemporaryFolder& folder, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment) {
  static int count = 0;
  const std::string number = std::to_string(++count);
  output_ = folder.path() / ("output." + number);
  errors_ = folder.path() / ("errors." + number);
  std::vector<std::string> words{CONVOY_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto argv = pointers(words);
  auto variables = environment_with(environment);
  const auto envp = pointers(variables);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::dup2(::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  ::dup2(::open(errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  if (::chdir(folder.path().c_str()) == 0) ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

Child::~Child() {
  if (code_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Child::signal(int number) const { ::kill(pid_, number); }

std::optional<int> Child::wait(std::chrono::seconds timeout) {
  (void)eventually(
      [this] {
        int status = 0;
        rusage used{};
        if (code_ || ::wait4(pid_, &status, WNOHANG, &used) != pid_) return code_.has_value();
        peak_bytes_ = 1024 * used.ru_maxrss;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return true;
      },
      timeout);
  return code_;
}

std::string Child::output() const { return read(output_); }
std::string Child::errors() const { return read(errors_); }

std::vector<pid_t> find_processes(const std::string& mark) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && read(entry.path() / "cmdline").find(mark) != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<std::pair<int, pid_t>> find_ranks(const std::string& mark) {
  constexpr std::string_view kVariable = "OMPI_COMM_WORLD_RANK=";
  std::vector<std::pair<int, pid_t>> ranks;
  for (const pid_t pid : find_processes(mark)) {
    const std::string text = read("/proc/" + std::to_string(pid) + "/environ");
    const auto place = text.find(kVariable);
    if (place == std::string::npos) continue;
    ranks.emplace_back(std::atoi(text.c_str() + place + kVariable.size()), pid);
  }
  std::sort(ranks.begin(), ranks.end());
  return ranks;
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace convoy::tests
