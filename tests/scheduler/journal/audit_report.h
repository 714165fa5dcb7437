// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "scheduler/journal/audit_log.h"

namespace convoy::tests {

/// What check_audit() has shown, with all records that can be read.
struct AuditReport : scheduler::journal::AuditCheck {
  std::vector<scheduler::journal::AuditRecord> records;
};

inline AuditReport read_audit(const std::filesystem::path& file,
                              const std::optional<Sha256>& head = std::nullopt) {
  std::vector<scheduler::journal::AuditRecord> records;
  AuditReport report{scheduler::journal::check_audit(
                         file, head, [&records](const auto& record) { records.push_back(record); }),
                     {}};
  report.records = std::move(records);
  return report;
}

}  // namespace convoy::tests
