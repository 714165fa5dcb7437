// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/job.h"

namespace convoy::launch {

/// The host of every rank. Collective.
[[nodiscard]] std::vector<std::string> host_names(comm::Communicator& communicator);

/// The ranks of each host, in the order of `world`; nullptr where all are on one host, or each on
/// one of its own. Collective.
[[nodiscard]] std::unique_ptr<comm::Communicator> split_by_host(comm::Communicator& world);

/// True where the ranks are on several hosts, or communication.transport says "tcp", and MPI has no
/// fast fabric that it would use instead. "mpi" is never.
/// @param fast_fabric  of any rank.
[[nodiscard]] bool choose_tcp(const std::string& transport, const std::vector<std::string>& hosts,
                              bool fast_fabric);

/// True when this host has InfiniBand, RoCE, Omni-Path or Slingshot, which MPI then uses.
[[nodiscard]] bool has_fast_fabric();

/// The communicator for the job's data: over TCP where choose_tcp() says so, else null, and then
/// the MPI `world` itself serves. Collective. @throws CommError as comm::tcp::make().
[[nodiscard]] std::unique_ptr<comm::Communicator> make_bulk_communicator(
    comm::Communicator& world, const trainer::CommunicationConfig& config);

}  // namespace convoy::launch
