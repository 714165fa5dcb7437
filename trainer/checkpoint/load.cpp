// SPDX-License-Identifier: Apache-2.0
// Loading. Rank 0 proposes a checkpoint; every rank reads and checks what it needs of it; if all
// are content, rank 0 sends the replicated files to the others. Else rank 0 proposes the next older
// one, or refuses, when the user asked for this one by name.
#include <spdlog/fmt/fmt.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/errors.h"
#include "base/file.h"
#include "base/log.h"
#include "comm/values.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/internal/exchange.h"
#include "trainer/checkpoint/internal/folders.h"
#include "trainer/checkpoint/internal/manifest.h"
#include "trainer/checkpoint/internal/mean_tensors.h"
#include "trainer/checkpoint/state_dict.h"
#include "trainer/torch_error.h"

namespace convoy::trainer {
namespace {

namespace fs = std::filesystem;
using internal::Manifest;

/// What rank 0 tells the others to do next.
struct Proposal {
  std::string refusal;   ///< not empty: give up with this ConfigError
  std::string folder;    ///< name of the checkpoint folder to try; empty: there is none
  std::string manifest;  ///< its text
};

Proposal share(comm::Communicator& communicator, const Proposal& own) {
  const auto text =
      nlohmann::json{{"refusal", own.refusal}, {"folder", own.folder}, {"manifest", own.manifest}}
          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto json = nlohmann::json::parse(comm::broadcast_text(communicator, text, 0));
  return {json.at("refusal"), json.at("folder"), json.at("manifest")};
}

/// Rank 0's search.
class Search {
 public:
  /// An empty `path` means the newest whole one in `folder`.
  Search(fs::path folder, fs::path path, std::string identity)
      : folder_(std::move(folder)), identity_(std::move(identity)), by_name_(!path.empty()) {
    if (by_name_) {
      candidates_.push_back(std::move(path));
      return;
    }
    for (const auto& [step, candidate] : internal::step_folders(folder_)) {
      if (fs::exists(candidate / internal::kManifestName)) candidates_.push_back(candidate);
    }
  }

  /// `problem`: why the ranks could not load the last proposal; empty at first.
  Proposal next(const std::string& problem) {
    if (!problem.empty() && by_name_) return refuse(torn(problem));
    if (!problem.empty()) pass_by(problem);
    while (!candidates_.empty()) {
      current_ = candidates_.back();
      candidates_.pop_back();
      try {
        const auto manifest = internal::read_manifest(current_);
        if (manifest.identity != identity_) return refuse(foreign(manifest));
        return {.folder = current_.filename().string(), .manifest = internal::to_json(manifest)};
      } catch (const ConfigError& error) {
        if (by_name_) return refuse(unusable(error.what()));
        pass_by(error.what());
      }
    }
    if (last_problem_.empty()) return {};
    return {.refusal = "no checkpoint in " + folder_.string() + " is whole: " + last_problem_};
  }

 private:
  [[nodiscard]] std::string torn(const std::string& problem) const {
    return "checkpoint " + current_.string() + " is torn: " + problem;
  }
  [[nodiscard]] std::string unusable(const std::string& problem) const {
    return "checkpoint " + current_.string() + " cannot be used: " + problem;
  }
  [[nodiscard]] std::string foreign(const Manifest& manifest) const {
    return fmt::format("checkpoint {} belongs to another job: its identity is {}, this job's is {}",
                       current_.string(), manifest.identity, identity_);
  }
  void pass_by(const std::string& problem) {
    last_problem_ = torn(problem);
    logger("trainer")->warn("{}; trying an older one", last_problem_);
  }
  [[nodiscard]] Proposal refuse(const std::string& reason) const {
    const auto offer = internal::newest_whole(folder_, identity_, current_);
    return {.refusal = reason + (offer ? "; newest whole checkpoint: " + offer->string()
                                       : "; there is no other whole one in " + folder_.string())};
  }

  fs::path folder_;
  std::string identity_;
  bool by_name_;
  std::vector<fs::path> candidates_;  ///< oldest first
  fs::path current_;
  std::string last_problem_;
};

/// What one rank has read of a proposal.
struct Pieces {
  std::string problem;
  std::vector<std::byte> model;      ///< rank 0 only, until it is sent
  std::vector<std::byte> optimizer;  ///< likewise
  std::vector<NamedTensor> rank_tensors;
};

std::vector<std::byte> read_piece(const fs::path& path, const Manifest& manifest,
                                  const std::string& stem) {
  const auto name = internal::file_name(stem, manifest.revision);
  const auto* entry = manifest.find(name);
  require_config(entry != nullptr, std::string(internal::kManifestName) + " lacks " + name);
  return internal::read_checked(path, *entry);
}

Pieces read_pieces(const fs::path& path, const Manifest& manifest, int rank, int ranks) {
  Pieces pieces;
  try {
    require_config(manifest.counters.size() == static_cast<std::size_t>(manifest.ranks),
                   std::string(internal::kManifestName) + " lacks a rank's counters");
    if (rank == 0) {
      pieces.model = read_piece(path, manifest, "model");
      pieces.optimizer = read_piece(path, manifest, "optimizer");
    }
    if (manifest.ranks == ranks) {
      const auto stem = fmt::format("rank-{}", rank);
      pieces.rank_tensors = decode_state_dict(read_piece(path, manifest, stem), stem);
    }
  } catch (const std::exception& error) {
    pieces.problem = one_line(error);
  }
  return pieces;
}

std::map<std::string, double> own_counters(const Manifest& manifest, int rank, int ranks) {
  if (manifest.ranks == ranks) return manifest.counters.at(static_cast<std::size_t>(rank));
  std::map<std::string, double> sums;
  for (const auto& counters : manifest.counters) {
    for (const auto& [name, value] : counters) sums[name] += rank == 0 ? value : 0.0;
  }
  return sums;
}

TrainingState assemble(comm::Communicator& communicator, const fs::path& path,
                       const Manifest& manifest, Pieces pieces) {
  TrainingState state{
      .step = manifest.step, .epoch = manifest.epoch, .position = manifest.position};
  internal::broadcast_bytes(communicator, pieces.model);
  state.parameters = decode_state_dict(pieces.model, (path / "model.pt").string());
  pieces.model = {};
  internal::broadcast_bytes(communicator, pieces.optimizer);
  state.optimizer = decode_state_dict(pieces.optimizer, (path / "optimizer.pt").string());
  const auto size = static_cast<std::int64_t>(state.parameters.size());
  require_config(manifest.parameters >= 0 && manifest.parameters <= size,
                 path.string() + ": its manifest counts more parameters than it has");
  const auto first_buffer = state.parameters.begin() + manifest.parameters;
  state.buffers.assign(first_buffer, state.parameters.end());
  state.parameters.erase(first_buffer, state.parameters.end());
  state.rank_tensors = manifest.ranks == communicator.size()
                           ? std::move(pieces.rank_tensors)
                           : internal::mean_rank_tensors(communicator, path, manifest);
  state.counters = own_counters(manifest, communicator.rank(), communicator.size());
  return state;
}

std::string first_of(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) {
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace

std::optional<TrainingState> CheckpointStore::load(const std::filesystem::path& path) {
  const int rank = communicator_.rank();
  const fs::path named = path.has_filename() ? path : path.parent_path();  // "step-20/"
  const fs::path folder = named.empty()             ? folder_
                          : named.has_parent_path() ? named.parent_path()
                                                    : fs::path(".");
  std::optional<Search> search;
  if (rank == 0) search.emplace(folder, named, identity_);
  std::string problem;
  for (;;) {
    const auto proposal = share(communicator_, rank == 0 ? search->next(problem) : Proposal{});
    if (!proposal.refusal.empty()) throw ConfigError(proposal.refusal);
    if (proposal.folder.empty()) return std::nullopt;
    const auto manifest = internal::parse_manifest(proposal.manifest);
    const auto candidate = folder / proposal.folder;
    auto pieces = read_pieces(candidate, manifest, rank, communicator_.size());
    problem = first_of(internal::gather_texts(communicator_, pieces.problem));
    if (problem.empty()) return assemble(communicator_, candidate, manifest, std::move(pieces));
  }
}

}  // namespace convoy::trainer
