#!/bin/sh
# Compares a reference libuv.so.1 with ours: each program is compiled once and run on both, in turns, N times.
#
#   benches/run.sh REF=/path/to/libuv.so.1 [OURS=out/lib] [N=5] [ONLY=regex] [MS=500] [HEAVY=1]
#
# REF and OURS are a libuv.so.1 or the directory of one; all of these may also come from the environment, as from make.
# ONLY picks scenarios ("async", "pool one", "pinned"), MS is the length of a run, HEAVY adds the ten million timers
# (1.5 GB of memory, at most two repetitions).
set -eu
cd "$(dirname "$0")/.."

N=${N:-5} ONLY=${ONLY:-.} MS=${MS:-500} HEAVY=${HEAVY:-}
OPTIONS="REF OURS N ONLY MS HEAVY" results=results.txt
. benches/programs.sh

# compare REPETITIONS PINNED COMMAND..: the libraries take turns, and turns at going first
compare() {
  repetitions=$1 pinned=$2
  shift 2
  echo "$* $pinned" | grep -Eq "$ONLY" || return 0
  [ -t 2 ] && printf '\r%-60s' "$* $pinned" >&2
  i=0
  while [ "$i" -lt "$repetitions" ]; do
    if [ $((i % 2)) = 0 ]; then
      run_once ref "$ref" "$pinned" "$@"
      run_once ours "$ours" "$pinned" "$@"
    else
      run_once ours "$ours" "$pinned" "$@"
      run_once ref "$ref" "$pinned" "$@"
    fi
    i=$((i + 1))
  done
}

# alone COMMAND..: on ours only
alone() {
  echo "$*" | grep -Eq "$ONLY" || return 0
  [ -t 2 ] && printf '\r%-60s' "$*" >&2
  i=0
  while [ "$i" -lt "$N" ]; do
    run_once ours "$ours" "" "$@"
    i=$((i + 1))
  done
}

echo "reference: $(readlink -f "$ref/libuv.so.1")"
echo "ours:      $(readlink -f "$ours/libuv.so.1")"
echo "machine:   $(nproc) CPUs, $(uname -sr), load $(cut -d' ' -f1-3 /proc/loadavg), N=$N, MS=$MS"
echo

for scenario in "async pingpong" "async pingpong 10000" "async hammer 1" "async hammer 2" "async hammer 4" "async hammer 8" \
  "async crowd" "async crowd_self" "async million" "async sporadic 100" "async sporadic 1000" \
  "pool one 0" "pool one 10" "pool one 30" "pool one 100" "pool one 0 20" "pool one 0 60" "pool one 0 200" \
  "pool many 0 4" "pool many 1 4" "pool many 5 4" "pool many 50 4" "pool many 0 8" "pool many 0 16" \
  "ports_baseline oneway 1" "ports_baseline oneway 2" "ports_baseline pingpong" "watchdog_baseline" \
  "timers many 1000000 1000" "timers many 1000000 1000 random" \
  "timers rearm 1000" "timers rearm 1000 same" "timers rearm 100000" "turns" \
  "files chain 1" "files chain 1 watched" "files chain 8" "files chain 16" "files chain 64" "files read 1" "files read 1 64" "files read 64" \
  "files stat 1" "files stat 8" "files stat 64" "files cold 1" "files cold 16" \
  "streams pingpong tcp" "streams pingpong pipe" "streams pump tcp 1" "streams pump tcp 100" "streams pump pipe 1" \
  "streams pump pipe 100" "streams pound tcp 1000" "streams pound pipe 1000" "streams batch tcp" "streams batch pipe" \
  "datagrams pingpong 1" "datagrams pingpong 100" "datagrams pummel 1 1" "datagrams pummel 10 10" "datagrams pummel 100 100" \
  "datagrams pummel 10 1" "datagrams pummel_many 10 1" "accept 2" "accept 4" "accept 8" "spawn 0" "spawn 0 pipes" "spawn 1024"; do
  compare "$N" "" $scenario
done
for scenario in "oneway 1" "oneway 2" "oneway 1 poll" "batch" "paced" "pingpong" "pingpong wait" "post" \
  "transfer 1" "transfer 1048576" "broadcast 2" "broadcast 9" "broadcast 9 65536" "idle 1" "idle 10000" "attach 1" "attach 2"; do
  alone ports $scenario
done
for scenario in "oneway 1" "oneway 2" "copy 1" "copy 2" "pingpong" "sync" "start"; do
  alone calls $scenario
done
for scenario in "once 1" "once 2" "short" "nested 10" "nested 1000" "late"; do
  alone watchdog $scenario
done
for scenario in "off" "append" "append 1" "append 2" "tts" "clock" "steady 1"; do
  alone trace $scenario
done
for scenario in "latency queue" "latency from" "latency pool" "latency runner" "many queue" "many from" "many pool" "many runner" \
  "many queue 5" "many pool 5" "posters pool" "posters runner" "delayed"; do
  alone pools $scenario
done
for scenario in "wait" "wait 1000" "turn" "threads" "loops"; do
  alone locks $scenario
done
if command -v taskset >/dev/null; then
  for scenario in "async pingpong" "async hammer 1" "async sporadic 1000" "pool one 0" "pool one 10" "pool one 100" \
    "pool one 0 60" "files chain 1" "files chain 64" "files stat 64" "pool many 0 4" "pool many 5 4" "ports_baseline pingpong" \
    "streams pingpong tcp" "streams pingpong pipe" "streams pump tcp 1" "streams pump pipe 1" "streams pound tcp 1000" \
    "streams batch tcp" "datagrams pingpong 1" "accept 2" "spawn 0"; do
    compare "$N" pinned $scenario
  done
else
  echo "taskset is not installed: nothing is measured on one CPU" >&2
fi
if [ -n "$HEAVY" ]; then
  [ "$N" -gt 2 ] && N=2
  compare "$N" "" timers many 10000000 2000
  compare "$N" "" timers many 10000000 10000
fi
[ -t 2 ] && printf '\r%-60s\r' "" >&2
awk -f benches/medians.awk -f benches/table.awk "$results"
