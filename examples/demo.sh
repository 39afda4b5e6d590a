#!/bin/sh
# Builds the examples and runs them on our library: what `make demo` does. Needs Rust, a C compiler and make, nothing else.
# Ends at the first that fails; else the closing line is counted by tools/test.sh.
set -eu
cd "$(dirname "$0")/.."

library=${OURS:-out/lib}
build=${EXAMPLES_OUT:-out/examples}
[ -e "$library/libuv.so.1" ] || { echo "demo: no $library/libuv.so.1, run 'make lib' first" >&2; exit 1; }
library=$(cd "$library" && pwd)
mkdir -p "$build"
passed=0 skipped=0

# skip WHAT WHY
skip() {
  echo "SKIPPED: $1, for want of $2" >&2
  skipped=$((skipped + 1))
}

# run NAME [ARGUMENT..]: compiles examples/NAME.c against our headers and library, and runs it
run() {
  name=$1
  shift
  ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Iinclude "examples/$name.c" -o "$build/$name" "$library/libuv.so.1" -pthread
  echo
  echo "--- $name: $(sed -n '1s|^/\* *||p' "examples/$name.c")"
  LD_LIBRARY_PATH=$library "$build/$name" "$@"
  passed=$((passed + 1))
}

run wordfreq
run wordfreq_pool
run trace "$build/trace.json"
run chat
run rpc
run watchdog

# script NAME INTERPRETER: the ports from another language, where that is installed
script() {
  echo
  if command -v "$2" >/dev/null; then
    echo "--- $1"
    LD_LIBRARY_PATH=$library "$2" "examples/$1"
    passed=$((passed + 1))
  else
    skip "examples/$1" "$2"
  fi
}
script ports.py python3
script ports.lua luajit
echo
if command -v "${CXX:-c++}" >/dev/null; then
  echo "--- ports.cpp"
  "${CXX:-c++}" -std=c++17 -O2 -Wall -Wextra -Iinclude examples/ports.cpp -o "$build/ports_cpp" "$library/libuv.so.1" -pthread
  LD_LIBRARY_PATH=$library "$build/ports_cpp"
  passed=$((passed + 1))
else
  skip examples/ports.cpp "a C++ compiler"
fi

echo
echo "--- dropin: one program, compiled once, on two libraries"
reference=${REF:-$(ldconfig -p 2>/dev/null | sed -n 's/.*libuv\.so\.1 .*=> //p' | head -n 1)}
if [ -n "$reference" ] && [ "$(readlink -f "$reference")" != "$(readlink -f "$library/libuv.so.1")" ]; then
  [ -d "$reference" ] || reference=$(dirname "$reference")
  examples/dropin.sh "$reference" "$library"
  passed=$((passed + 1))
else
  skip "the comparison" "a reference libuv.so.1 (Debian: libuv1; or give REF=/path/to/libuv.so.1)"
  run dropin >"$build/dropin.txt"
  echo "dropin: $(wc -l <"$build/dropin.txt") lines on ours alone, see $build/dropin.txt"
fi
echo
echo "$passed passed, 0 failed, $skipped skipped"
