#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build_against_installed.sh BUILD EXAMPLE: installs BUILD into a temporary prefix, builds EXAMPLE
# against it with find_package(convoy) and runs its program, named as its folder, on two ranks.
set -euo pipefail
build=$1
example=$2
program=$(basename "$example")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
# Built from a copy, so that nothing of the source tree can be found beside it.
cp -r "$example" "$work/example"
cmake -S "$work/example" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/build"
output=$(mpirun --allow-run-as-root --oversubscribe --bind-to none -n 2 "$work/build/$program")
echo "$output"
loss=$(sed -n 's/^2 ranks, loss \(.*\)$/\1/p' <<<"$output")
awk -v loss="$loss" 'BEGIN { exit !(loss != "" && loss < 0.2) }' ||
  { echo "expected \"2 ranks, loss\" below 0.2"; exit 1; }
