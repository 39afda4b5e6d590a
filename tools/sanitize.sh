#!/bin/bash
# Builds the library and the C tests with a sanitizer and runs them: sanitize.sh address|thread [PROGRAM...]
#
# The library is linked statically and both sides use the sanitizer runtime that comes with rustc. The flag is unstable,
# hence RUSTC_BOOTSTRAP; the standard library is not instrumented, which hides nothing of ours.
set -eu
case ${1:-} in
  address) runtime=asan ;;
  thread) runtime=tsan ;;
  *) echo "usage: $0 address|thread [PROGRAM...]" >&2; exit 2 ;;
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
[ $# -gt 0 ] || set -- $(basename -s .c c_tests/*.c)
for name in "$@"; do
  clang -std=gnu11 -g -O1 -Iinclude -Ic_tests -fsanitize="$sanitizer" -c "c_tests/$name.c" -o "$out/$name.o"
  cc "$out/$name.o" "$target/$runtime/$host/release/libuv.a" -Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
    -rdynamic -pthread -ldl -lrt -lm -lstdc++ -o "$out/$name"
  rm "$out/$name.o"
  echo "== $name"
  log=$("$out/$name" 2>&1) || true
  grep -v '^ok ' <<< "$log" || true
  read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<< "$log" || true) || true
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
