#!/bin/bash
# Builds the library and the C tests with a sanitizer and runs them: sanitize.sh address|thread [PROGRAM[::TEST]...]
# REPEAT=N runs each of them N times, one after the other.
#
# The library is linked statically and both sides use the sanitizer runtime that comes with rustc. The flag is unstable,
# hence RUSTC_BOOTSTRAP; the standard library is not instrumented, which hides nothing of ours.
set -eu
case ${1:-} in
  address) runtime=asan ;;
  thread) runtime=tsan ;;
  *) echo "usage: [REPEAT=N] $0 address|thread [PROGRAM[::TEST]...]" >&2; exit 2 ;;
esac
sanitizer=$1
shift
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
archive=$(ls "$(rustc --print sysroot)/lib/rustlib/$host/lib"/librustc-*_rt.$runtime.a 2> /dev/null | head -n 1)
if [ -z "$archive" ] || ! command -v clang > /dev/null; then
  echo "SKIPPED: the $sanitizer sanitizer needs clang and a rustc that brings its runtime" >&2
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

target=${CARGO_TARGET_DIR:-target}
out=$target/c_tests_$runtime
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$sanitizer -Zunstable-options -Cunsafe-allow-abi-mismatch=sanitizer" CARGO_PROFILE_RELEASE_LTO=off \
  cargo build --release --lib --target "$host" --target-dir "$target/$runtime"
mkdir -p "$out"

# Freed memory of a test's own globals does not matter; fork from a program with threads is what some tests are about.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
export TSAN_OPTIONS=die_after_fork=0:halt_on_error=1:atexit_sleep_ms=0
export UV_TEST_SECONDS=${UV_TEST_SECONDS:-120}

passed=0 failed=0 skipped=0
declare -A built

build() { # PROGRAM
  [ -z "${built[$1]:-}" ] || return 0
  clang -std=gnu11 -g -O1 -Iinclude -Ic_tests -fsanitize="$sanitizer" -c "c_tests/$1.c" -o "$out/$1.o"
  cc "$out/$1.o" "$target/$runtime/$host/release/libuv.a" -Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
    -rdynamic -pthread -ldl -lrt -lm -lstdc++ -o "$out/$1"
  rm "$out/$1.o"
  built[$1]=1
}

# A whole program counts its tests itself; a single one says by its exit status what became of it.
run() { # PROGRAM [TEST]
  local log status=0 p f s
  log=$("$out/$1" ${2:+"$2"} 2>&1) || status=$?
  grep -v -e '^ok ' -e '^$' <<< "$log" || true
  if [ $# -eq 1 ]; then
    read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<< "$log") || true
    f=${f:-1}
  else
    p=$((status == 0)) s=$((status == 77)) f=$((status != 0 && status != 77))
  fi
  passed=$((passed + ${p:-0})) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
}

[ $# -gt 0 ] || set -- $(basename -s .c c_tests/*.c)
for what in "$@"; do
  name=${what%%::*} test=${what#"${what%%::*}"}
  build "$name"
  echo "== $what"
  for ((i = 0; i < ${REPEAT:-1}; i++)); do run "$name" ${test:+"${test#::}"}; done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
