#!/bin/bash
# Runs every fuzz target for FUZZ_SECONDS (60): fuzz.sh [TARGET...]. Inputs that fail a target are kept in fuzz/artifacts/. What is new to it is
# kept in the target folder for the next time; the committed corpus stays as it is.
set -u
cd "$(dirname "$0")/.."
toolchain=${FUZZ_TOOLCHAIN:-nightly}
seconds=${FUZZ_SECONDS:-60}
if ! cargo "+$toolchain" fuzz --version > /dev/null 2>&1; then
  echo "SKIPPED: fuzzing needs the toolchain $toolchain and cargo-fuzz (cargo install cargo-fuzz)" >&2
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
target=${CARGO_TARGET_DIR:-target}/fuzz
case $target in /*) ;; *) target=$PWD/$target ;; esac
unset CARGO_TARGET_DIR

passed=0 failed=0
[ $# -gt 0 ] || set -- $(basename -s .rs fuzz/fuzz_targets/*.rs)
for name in "$@"; do
  learned=$target/corpus/$name
  log=$target/$name.log
  mkdir -p "$learned"
  if cargo "+$toolchain" fuzz run --target-dir "$target" "$name" "$learned" "fuzz/corpus/$name" -- \
    -max_total_time="$seconds" -timeout=10 > "$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $name: $(sed -n 's/^Done \([0-9]* runs in [0-9]* second(s)\)/\1/p' "$log")"
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    tail -n 40 "$log"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
