#!/bin/sh
# What the extension promises, measured in one run beside what it is compared with, and said whether it holds.
#
#   benches/figures.sh REF=/path/to/libuv.so.1 [OURS=out/lib] [N=5] [MS=300]
#
# Each figure is the median of N rounds, in each of which everything is measured once, so that what the machine does
# meanwhile befalls all of it. The channels of the Rust world are compiled by cargo. Ends with 1 if a promise is missed.
set -eu
cd "$(dirname "$0")/.."

N=${N:-5} MS=${MS:-300}
OPTIONS="REF OURS N MS" results=figures.txt
. benches/programs.sh

channels=${CARGO_TARGET_DIR:-target}
cargo build --release --quiet --manifest-path benches/channels/Cargo.toml --target-dir "$channels"

echo "machine: $(nproc) CPUs, $(uname -sr), load $(cut -d' ' -f1-3 /proc/loadavg), N=$N, MS=$MS"
round=0
while [ "$round" -lt "$N" ]; do
  run_once ours "$ours" "" ports oneway 1
  run_once ref "$ref" "" ports_baseline oneway 1
  "$channels/release/channel-benches" oneway_1 | sed 's/^/library=rust /' >>"$results"
  run_once ours "$ours" "" ports pingpong
  run_once ours "$ours" "" ports idle 1
  run_once ours "$ours" "" ports idle 10000
  run_once ours "$ours" "" ports transfer 1
  run_once ours "$ours" "" ports transfer 1048576
  run_once ours "$ours" "" watchdog once 1
  run_once ref "$ref" "" watchdog_baseline
  run_once ours "$ours" "" trace append
  run_once ours "$ours" "" calls start
  round=$((round + 1))
done
awk -f benches/medians.awk -f benches/figures.awk "$results"
