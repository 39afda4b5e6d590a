#!/bin/bash
# Runs every test there is and closes with the line "N passed, N failed, N skipped". Start it with `make test`.
#
# A stage counts by what it prints: the summary of nextest, the result line of cargo test, or a line of the same form as
# the closing one. A stage that prints none of them counts as one test. nextest takes a C test that skips for a passed
# one; those are counted by the file in which they leave their reasons.
set -u
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
mkdir -p "$target"
log=$target/test.log
export UVX_INSPECT=$PWD/out/bin/uvx-inspect UV_LIB_DIR=$PWD/out/lib UV_C_TESTS_DIR=$target/c_tests UV_SKIPPED_FILE=$target/skipped.log
: > "$UV_SKIPPED_FILE"
passed=0 failed=0 skipped=0 broken=()

# Prints "passed failed skipped" of a stage's log.
tally() {
  sed 's/\x1b\[[0-9;]*m//g' "$log" | awk '
    /^ *Summary \[/ { nextest($0) }
    /^test result: / { for (i = 1; i < NF; i++) { if ($(i+1) ~ /^passed/) p += $i; if ($(i+1) ~ /^failed/) f += $i
                       if ($(i+1) ~ /^ignored/) s += $i } found = 1 }
    /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5; found = 1 }
    function nextest(line,   n, part, i, word) {
      sub(/.*: /, "", line); gsub(/\([^)]*\)/, "", line); n = split(line, part, ",")
      for (i = 1; i <= n; i++) { split(part[i], word, " ")
        if (word[2] == "passed") p += word[1]; else if (word[2] != "skipped") f += word[1] }
      found = 1 }
    END { if (found) print p+0, f+0, s+0 }'
}

stage() { # NAME COMMAND...
  local name=$1 status p f s
  shift
  echo
  echo "== $name"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  read -r p f s <<< "$(tally)"
  if [ -z "$p" ]; then p=$((status == 0)) f=$((status != 0)) s=0; fi
  [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
  [ "$f" -eq 0 ] || broken+=("$name")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

loom_tests() { RUSTFLAGS="--cfg loom" cargo nextest run --release --lib --test 'loom_*' --target-dir "$target/loom" --no-tests=warn loom; }

stage "formatting and lints" make -s lint
stage "C tests: build" make -s -k c_tests
stage "Rust and C tests" cargo nextest run --features testing
stage "documentation tests" cargo test --doc --features testing
stage "loom" loom_tests
[ ! -x c_tests/abi/run.sh ] || stage "headers and ABI" c_tests/abi/run.sh
[ ! -x examples/demo.sh ] || stage "examples" examples/demo.sh
stage "programs in the documents" tools/docs.sh

left_out=$(wc -l < "$UV_SKIPPED_FILE")
passed=$((passed - left_out)) skipped=$((skipped + left_out))
echo
if [ "$left_out" -gt 0 ]; then
  echo "skipped C tests:"
  sed 's/^/  /' "$UV_SKIPPED_FILE"
fi
[ ${#broken[@]} -eq 0 ] || printf 'FAILED: %s\n' "${broken[@]}"
echo "$passed passed, $failed failed, $skipped skipped" | tee "$target/test.result"
[ "$failed" -eq 0 ]
