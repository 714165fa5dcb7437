// SPDX-License-Identifier: Apache-2.0
#include "launch/process/process.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <thread>

#include "base/errors.h"
#include "base/log.h"
#include "comm/values.h"
#include "launch/process/hardware.h"

namespace convoy::launch {
namespace {

struct Failure {
  int code = kFailedRun;
  std::string text = "unknown exception";
};

Failure describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ConfigError& bad_input) {
    return {kBadInput, one_line(bad_input)};
  } catch (const std::exception& other) {
    return {kFailedRun, one_line(other)};
  } catch (...) {
    return {};
  }
}

/// Without "rank 2: ", with which trainer::together marks the error of another rank.
std::string_view without_rank(std::string_view text) {
  constexpr std::string_view kRank = "rank ";
  if (!text.starts_with(kRank)) return text;
  const auto end = text.find_first_not_of("0123456789", kRank.size());
  if (end == std::string_view::npos || end == kRank.size()) return text;
  return text.substr(end).starts_with(": ") ? text.substr(end + 2) : text;
}

}  // namespace

Process::Process() : place_(rank_environment()) { set_log_rank(place_.rank, place_.ranks); }

comm::mpi::Environment& Process::start_mpi() {
  if (!mpi_) {
    mpi_.emplace();
    place_ = {mpi_->rank(), mpi_->size()};
    set_log_rank(place_.rank, place_.ranks);
  }
  return *mpi_;
}

void Process::say_error(const std::string& line) const {
  if (speaks()) std::fprintf(stderr, "convoy: %s\n", line.c_str());
}

int Process::fail(const std::exception_ptr& error) const {
  const Failure failure = describe(error);
  if (!mpi_ && !speaks()) say_late(failure.text);
  say_error(failure.text);
  return failure.code;
}

void Process::say_late(const std::string& text) const {
  std::signal(SIGTERM, SIG_DFL);                         // without the line that signals.h writes
  std::this_thread::sleep_for(std::chrono::seconds(2));  // mpirun takes 0.9
  say_with_rank(text);
}

void Process::say_with_rank(const std::string& text) const {
  std::fprintf(stderr, "convoy: rank %d of %d: %s\n", place_.rank, place_.ranks, text.c_str());
}

void Process::abort_all(const std::exception_ptr& error) {
  const Failure failure = describe(error);
  say_with_rank(failure.text);
  mpi_->abort(failure.code);
}

void Process::abort_all_failed(const std::exception_ptr& error, comm::Communicator& all) {
  const Failure failure = describe(error);
  // Before the others know, and may abort.
  if (speaks()) say_with_rank(failure.text);
  try {
    const std::string said = comm::broadcast_text(all, failure.text, 0);
    if (!speaks() && without_rank(said) != without_rank(failure.text)) {
      say_with_rank(failure.text);
    }
    all.barrier().wait();  // all have said theirs
  } catch (const CommError&) {
    // A rank that has gone since: the end comes anyhow.
  }
  mpi_->abort(failure.code);
}

}  // namespace convoy::launch
