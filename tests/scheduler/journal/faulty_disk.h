// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

// Stands between the code under test and the kernel: write(), fdatasync() and fsync() of this
// program come through here. Whoever links faulty_disk.cpp has it.

namespace convoy::tests::disk {

/// Forgets what was seen, and breaks nothing any more.
void reset();

/// Copies to `to` what a power failure at this moment would leave of `folder`: of every file the
/// bytes that it had at its last sync, under the names that its folder had at its own last sync.
/// Seen since reset(); folders below `folder` count.
void survive_power_failure(const std::filesystem::path& folder, const std::filesystem::path& to);

/// How many syncs of files there were.
[[nodiscard]] std::int64_t syncs();

/// The n-th write() from now on (0: the next) writes half of its bytes; the one after fails with
/// `code`.
void fail_write(std::int64_t n, int code);
/// The n-th fdatasync() from now on fails with `code`.
void fail_sync(std::int64_t n, int code);
/// Runs before every fdatasync(), e.g. to wait; empty for nothing.
void before_sync(std::function<void()> hook);

}  // namespace convoy::tests::disk
