// SPDX-License-Identifier: Apache-2.0
#include "launch/process/mpirun.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "base/errors.h"

namespace convoy::launch {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::filesystem::path find_on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path == nullptr ? "" : path, ':')) {
    const auto candidate = std::filesystem::path(folder) / program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw ConfigError(program + " is not on the PATH: apt-get install openmpi-bin");
}

std::string version_text(const std::filesystem::path& mpirun) {
  const std::string command = fmt::format("'{}' --version 2>&1", mpirun.string());
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  require_config(pipe != nullptr, "cannot run " + command);
  std::array<char, 256> line{};
  const char* got = std::fgets(line.data(), line.size(), pipe.get());
  return got == nullptr ? "" : got;
}

}  // namespace

int open_mpi_major(const std::string& version_text) {
  constexpr std::string_view kMark = "(Open MPI) ";
  const auto mark = version_text.find(kMark);
  return mark == std::string::npos ? 0 : std::atoi(version_text.c_str() + mark + kMark.size());
}

Mpirun find_mpirun() {
  const auto path = find_on_path("mpirun");
  const std::string version = version_text(path);
  const int major = open_mpi_major(version);
  require_config(major >= 4, path.string() + " is not of Open MPI 4 or 5 (\"" +
                                 version.substr(0, version.find('\n')) +
                                 "\"): start the ranks with it directly, without convoy launch");
  return {path, major};
}

std::string with_slots(const std::string& hosts, int ranks) {
  const auto names = split(hosts, ',');
  const auto count = static_cast<int>(names.size());
  std::string result;
  for (const auto& name : names) {
    const auto colon = name.find(':');
    const std::string slots = colon == std::string::npos
                                  ? std::to_string((ranks + count - 1) / count)
                                  : name.substr(colon + 1);
    require_config(colon != 0 && !name.empty() && !slots.empty() && std::atoi(slots.c_str()) >= 1 &&
                       slots.find_first_not_of("0123456789") == std::string::npos,
                   "--hosts " + hosts + ": must look like a,b or a:2,b:4");
    result += fmt::format("{}{}:{}", result.empty() ? "" : ",", name.substr(0, colon), slots);
  }
  return result;
}

std::vector<std::string> mpirun_arguments(const Mpirun& mpirun, const MpirunRequest& request) {
  std::vector<std::string> words{mpirun.path.string(), "--allow-run-as-root", "--bind-to", "none"};
  const auto add = [&words](std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
  };
  if (mpirun.major_version >= 5) {
    add({"--map-by", ":OVERSUBSCRIBE"});
  } else {
    add({"--oversubscribe"});
  }
  add({"--mca", "mpi_yield_when_idle", "1", "-n", std::to_string(request.ranks)});
  if (!request.hosts.empty()) add({"--host", with_slots(request.hosts, request.ranks)});
  for (const auto& name : request.environment) add({"-x", name});
  words.insert(words.end(), request.program.begin(), request.program.end());
  return words;
}

}  // namespace convoy::launch
