#!/bin/sh
# What the extension promises, measured in one run beside what it is compared with, and said whether it holds.
#
#   benches/figures.sh REF=/path/to/libuv.so.1 [OURS=out/lib] [N=5] [MS=300]
#
# Each figure is the median of N rounds, in each of which everything is measured once, so that what the machine does
# meanwhile befalls all of it. The channels of the Rust world are compiled by cargo. Ends with 1 if a promise is missed.
set -eu
cd "$(dirname "$0")/.."

REF=${REF:-} OURS=${OURS:-out/lib} N=${N:-5} MS=${MS:-300}
for argument; do
  case $argument in
    REF=* | OURS=* | N=* | MS=*) eval "${argument%%=*}=\${argument#*=}" ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
[ -e "$REF" ] || { echo "benches/figures.sh: REF=/path/to/libuv.so.1 is missing" >&2; exit 2; }
benches/run.sh REF="$REF" OURS="$OURS" ONLY='^compile$' >/dev/null
ref=$REF
[ -d "$ref" ] || ref=$(dirname "$REF")
build=${BENCH_OUT:-out/bench} results=${BENCH_OUT:-out/bench}/figures.txt
channels=${CARGO_TARGET_DIR:-target}
cargo build --release --quiet --manifest-path benches/channels/Cargo.toml --target-dir "$channels"
export BENCH_MS="$MS"

# run DIRECTORY COMMAND..: on the libuv of that directory
run() {
  directory=$1 program=$2
  shift 2
  LD_LIBRARY_PATH=$directory timeout 60 "$build/$program" "$@" >>"$results"
}

echo "machine: $(nproc) CPUs, $(uname -sr), load $(cut -d' ' -f1-3 /proc/loadavg), N=$N, MS=$MS"
: >"$results"
round=0
while [ "$round" -lt "$N" ]; do
  run "$OURS" ports oneway 1
  run "$ref" ports_baseline oneway 1
  "$channels/release/channel-benches" oneway_1 >>"$results"
  run "$OURS" ports pingpong
  run "$OURS" ports idle 1
  run "$OURS" ports idle 10000
  run "$OURS" ports transfer 1
  run "$OURS" ports transfer 1048576
  run "$OURS" watchdog once 1
  run "$ref" watchdog_baseline
  run "$OURS" trace append
  run "$OURS" calls start
  round=$((round + 1))
done
awk -f benches/figures.awk "$results"
