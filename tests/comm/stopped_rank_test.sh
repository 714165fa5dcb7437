#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: stopped_rank_test.sh PROGRAM MPIEXEC [OPTIONS...]
# A rank that is stopped (SIGSTOP) becomes a CommError on the others, and nothing is left running.
set -u
program=$1
shift

output=$(timeout 60 "$@" -n 3 "$program" 2>&1)
code=$?
failed=0
fail() {
  echo "FAILED: $1"
  failed=1
}

[ "$code" -eq 42 ] || fail "exit code $code instead of 42"
for rank in 0 2; do
  grep -Eq "^rank $rank: all_reduce rank $rank/3, 100003 float32 \(sequence 2\): .*no data from rank 1 within 1\.5 s \(received 0 of [0-9]+ bytes\)" \
    <<< "$output" || fail "rank $rank does not name the stopped rank"
  grep -q "^rank $rank: poisoned 1" <<< "$output" || fail "rank $rank is not poisoned"
done
# A zombie is gone: it is only not yet collected by the machine's init.
alive() { [ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2> /dev/null; }
for pid in $(sed -n 's/^rank [0-9]* pid \([0-9]*\)$/\1/p' <<< "$output"); do
  alive "$pid" && sleep 2
  alive "$pid" && fail "process $pid is still there"
done
[ "$failed" -eq 0 ] || echo "$output"
exit "$failed"
