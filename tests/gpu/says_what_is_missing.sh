#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: says_what_is_missing.sh RUN CONVOY
# Where no GPU can be seen, tests/gpu/run ends at once with 77 and the line of `convoy info`.
set -u
export CUDA_VISIBLE_DEVICES="" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
said=$("$1" --no-build --build /nowhere 2>&1)
code=$?
failed=0
fail() {
  echo "FAILED: $1"
  failed=1
}
[ "$code" -eq 77 ] || fail "exit code $code instead of 77: $said"
info=$("$2" info) || fail "convoy info does not run"
line=$(grep -E '^for GPUs, (driver: none|device: )' <<<"$info" | head -n 1)
[ "$said" = "tests/gpu/run: ${line#for GPUs, }" ] || fail "\"$said\", and convoy info: \"$line\""
exit "$failed"
