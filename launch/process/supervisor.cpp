// SPDX-License-Identifier: Apache-2.0
#include "launch/process/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <stdexcept>

#include "base/log.h"
#include "launch/process/stop_policy.h"

namespace convoy::launch {
namespace {

using Clock = StopPolicy::Clock;

/// Ranks on other hosts cannot remove the ready file; by then they have started, or never will.
constexpr std::chrono::seconds kSurelyReady{15};
constexpr timespec kPollInterval{.tv_sec = 0, .tv_nsec = 50'000'000};
constexpr int kCannotExecute = 127;

sigset_t watched_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&set, signal);
  return set;
}

/// Between fork and exec; async-signal-safe calls only.
[[noreturn]] void become_child(char* const* argv, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCannotExecute);  // it died before prctl
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::signal(SIGTERM, SIG_DFL);
  // A background group that prints on a terminal with `stty tostop` would be stopped.
  ::signal(SIGTTOU, SIG_IGN);
  // mpirun puts its own handler there; until then a SIGUSR1 must not kill it.
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(argv[0], argv);
  ::_exit(kCannotExecute);
}

pid_t start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork: " + std::string(std::strerror(errno)));
  if (child == 0) become_child(argv.data(), parent);
  return child;
}

/// The exit code once the child has ended.
bool has_ended(pid_t child, int& code) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) != child) return false;
  code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

class Supervisor {
 public:
  Supervisor(pid_t child, const SuperviseOptions& options)
      : child_(child), options_(options), policy_(options.grace), started_(Clock::now()) {}

  int run() {
    const sigset_t watched = watched_signals();
    int code = 0;
    while (!has_ended(child_, code)) {
      const int signal = ::sigtimedwait(&watched, nullptr, &kPollInterval);
      if (signal > 0 && signal != SIGCHLD) on_signal(signal);
      if (const auto due = policy_.on_time(Clock::now())) pass_on(*due);
    }
    return terminated_ ? 128 + first_signal_ : code;
  }

 private:
  [[nodiscard]] bool ready() const {
    std::error_code ignored;
    return Clock::now() - started_ > kSurelyReady ||
           !std::filesystem::exists(options_.ready_file, ignored);
  }

  void on_signal(int signal) {
    if (first_signal_ == 0) first_signal_ = signal;
    pass_on(policy_.on_signal(Clock::now(), options_.can_checkpoint && ready()));
  }

  void pass_on(int signal) {
    if (signal == SIGUSR1) {
      logger("launch")->info("stopping with a checkpoint; once more to stop at once");
    } else {
      terminated_ = true;
    }
    ::kill(child_, signal);
  }

  pid_t child_;
  const SuperviseOptions& options_;
  StopPolicy policy_;
  Clock::time_point started_;
  int first_signal_ = 0;
  bool terminated_ = false;
};

}  // namespace

int supervise(const std::vector<std::string>& arguments, const SuperviseOptions& options) {
  // Blocked before the child exists, so that none is lost; Supervisor takes them one by one.
  const sigset_t watched = watched_signals();
  // Where our parent ignores it, the kernel would keep the child's end from us.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  const int code = Supervisor(start(arguments), options).run();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return code;
}

}  // namespace convoy::launch
