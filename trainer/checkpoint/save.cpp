// SPDX-License-Identifier: Apache-2.0
// Saving, in rounds that all ranks take part in:
//   1. rank 0 says which revision of the step's folder this is;
//   2. everybody writes its files and tells how that went;
//   3. rank 0 writes the manifest, unless somebody failed, and sends it to all;
//   4. everybody cleans up: its own files after a failure, else what is no longer kept.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "base/errors.h"
#include "base/file.h"
#include "base/hash.h"
#include "comm/values.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/internal/exchange.h"
#include "trainer/checkpoint/internal/folders.h"
#include "trainer/checkpoint/internal/manifest.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/torch_error.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using internal::FileEntry;
using internal::Manifest;

/// How writing went on one rank. Either an error or files.
struct Report {
  std::string error;
  std::vector<FileEntry> files;
  std::map<std::string, double> counters;
};

std::string to_text(const Report& report) {
  // A manifest is a good envelope: it carries files and counters already.
  const Manifest envelope{
      .identity = report.error, .files = report.files, .counters = {report.counters}};
  return internal::to_json(envelope);
}

Report report_from(const std::string& text) {
  const Manifest envelope = internal::parse_manifest(text);
  return {envelope.identity, envelope.files, envelope.counters.at(0)};
}

int next_revision(const fs::path& path) {
  try {
    return internal::read_manifest(path).revision + 1;
  } catch (const ConfigError&) {
    return 0;  // no checkpoint yet, or none that can be harmed
  }
}

FileEntry write(const fs::path& path, const std::string& name,
                const std::vector<NamedTensor>& tensors) {
  const SavedFile saved = save_state_dict(path / name, tensors);
  return {.name = name, .bytes = saved.bytes, .hash = to_hex(saved.hash)};
}

std::vector<NamedTensor> parameters_and_buffers(const TrainingState& state) {
  auto tensors = state.parameters;
  tensors.insert(tensors.end(), state.buffers.begin(), state.buffers.end());
  return tensors;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw std::runtime_error("cannot create " + path.string() + ": " + error.message());
  // The names of new folders must outlast the older checkpoints that are removed later.
  sync_folder(path.parent_path());
  if (path.parent_path().has_parent_path()) sync_folder(path.parent_path().parent_path());
}

std::string rank_stem(int rank) { return fmt::format("rank-{}", rank); }

/// Names that this rank writes.
std::vector<std::string> own_names(int rank, int revision) {
  std::vector<std::string> names{internal::file_name(rank_stem(rank), revision)};
  if (rank != 0) return names;
  names.push_back(internal::file_name("model", revision));
  names.push_back(internal::file_name("optimizer", revision));
  return names;
}

Report write_own_files(const fs::path& path, int rank, int revision, const TrainingState& state) {
  const auto names = own_names(rank, revision);
  Report report{.counters = state.counters};
  try {
    make_folder(path);
    report.files.push_back(write(path, names[0], state.rank_tensors));
    if (rank == 0) {
      report.files.push_back(write(path, names[1], parameters_and_buffers(state)));
      report.files.push_back(write(path, names[2], state.optimizer));
    }
  } catch (const std::exception& error) {
    report.error = one_line(error);
  }
  return report;
}

Manifest make_manifest(const TrainingState& state, const std::vector<Report>& reports,
                       const std::string& identity, int revision) {
  Manifest manifest{.step = state.step,
                    .epoch = state.epoch,
                    .position = state.position,
                    .ranks = static_cast<int>(reports.size()),
                    .identity = identity,
                    .revision = revision,
                    .parameters = static_cast<std::int64_t>(state.parameters.size())};
  for (const auto& report : reports) {
    manifest.files.insert(manifest.files.end(), report.files.begin(), report.files.end());
    manifest.counters.push_back(report.counters);
  }
  return manifest;
}

/// Rank 0's part of round 3. Returns what went wrong, if anything.
std::string write_manifest(const fs::path& path, Manifest& manifest) {
  try {
    for (auto& file : manifest.files) file.at_rank_0 = !internal::size_problem(path, file);
    write_file_atomic(path / internal::kManifestName, internal::to_json(manifest));
    return "";
  } catch (const std::exception& error) {
    return one_line(error);
  }
}

std::string first_failure(const std::vector<Report>& reports) {
  for (std::size_t rank = 0; rank < reports.size(); ++rank) {
    if (!reports[rank].error.empty()) {
      return fmt::format("rank {}: {}", rank, reports[rank].error);
    }
  }
  return "";
}

std::vector<Report> exchange(comm::Communicator& communicator, const Report& own) {
  std::vector<Report> reports;
  for (const auto& text : internal::gather_texts(communicator, to_text(own))) {
    reports.push_back(report_from(text));
  }
  return reports;
}

/// After a failure: the folder is as before, or gone if it was not there.
void withdraw(comm::Communicator& communicator, const fs::path& path, int revision) {
  std::error_code ignored;
  for (const auto& name : own_names(communicator.rank(), revision)) {
    fs::remove(path / name, ignored);
  }
  communicator.barrier().wait();
  fs::remove(path, ignored);  // refuses while anything is in it
}

/// Steps whose checkpoints stay: this one and the newest before it.
std::set<std::int64_t> kept_steps(const fs::path& folder, std::int64_t step, std::int64_t keep) {
  std::set<std::int64_t> steps;
  for (const auto& checkpoint : list_checkpoints(folder)) {
    if (checkpoint.step < step) steps.insert(checkpoint.step);
  }
  const auto older = static_cast<std::size_t>(std::max<std::int64_t>(keep, 1) - 1);
  while (steps.size() > older) steps.erase(steps.begin());
  steps.insert(step);
  return steps;
}

}  // namespace

void CheckpointStore::save(const TrainingState& state) {
  const int rank = communicator_.rank();
  const auto path = folder_ / internal::folder_name(state.step);

  const std::string proposed = rank == 0 ? std::to_string(next_revision(path)) : "";
  const int revision = std::stoi(comm::broadcast_text(communicator_, proposed, 0));

  const auto reports = exchange(communicator_, write_own_files(path, rank, revision, state));
  std::string failure = first_failure(reports);
  auto manifest = make_manifest(state, reports, identity_, revision);
  if (failure.empty()) {
    const std::string problem = rank == 0 ? write_manifest(path, manifest) : "";
    failure = comm::broadcast_text(communicator_, problem.empty() ? "" : "rank 0: " + problem, 0);
  }
  if (!failure.empty()) {
    withdraw(communicator_, path, revision);
    throw std::runtime_error(
        fmt::format("cannot save the checkpoint of step {}: {}", state.step, failure));
  }

  const nlohmann::json own_kept =
      rank == 0 ? kept_steps(folder_, state.step, config_.keep) : std::set<std::int64_t>{};
  const auto kept = nlohmann::json::parse(comm::broadcast_text(communicator_, own_kept.dump(), 0));
  internal::remove_leftovers(folder_, kept.get<std::set<std::int64_t>>(), path, manifest);
  // Nobody may begin the next checkpoint while another still removes files.
  communicator_.barrier().wait();
}

}  // namespace convoy::trainer
