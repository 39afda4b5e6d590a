#!/bin/sh
# Builds the examples and runs them on our library: what `make demo` does. Needs Rust, a C compiler and make, nothing else.
set -eu
cd "$(dirname "$0")/.."

library=${OURS:-out/lib}
build=${EXAMPLES_OUT:-out/examples}
[ -e "$library/libuv.so.1" ] || { echo "demo: no $library/libuv.so.1, run 'make lib' first" >&2; exit 1; }
library=$(cd "$library" && pwd)
mkdir -p "$build"

# run NAME [ARGUMENT..]: compiles examples/NAME.c against our headers and library, and runs it
run() {
  name=$1
  shift
  ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Iinclude "examples/$name.c" -o "$build/$name" "$library/libuv.so.1" -pthread
  echo
  echo "--- $name: $(sed -n '1s|^/\* *||p' "examples/$name.c")"
  LD_LIBRARY_PATH=$library "$build/$name" "$@"
}

[ ! -e examples/wordfreq.c ] || run wordfreq
run wordfreq_pool

echo
echo "--- dropin: one program, compiled once, on two libraries"
reference=${REF:-$(ldconfig -p 2>/dev/null | sed -n 's/.*libuv\.so\.1 .*=> //p' | head -n 1)}
if [ -n "$reference" ] && [ "$(readlink -f "$reference")" != "$(readlink -f "$library/libuv.so.1")" ]; then
  [ -d "$reference" ] || reference=$(dirname "$reference")
  examples/dropin.sh "$reference" "$library"
else
  echo "NOTHING COMPARED: no reference libuv.so.1 is installed (Debian: libuv1; or give REF=/path/to/libuv.so.1)." >&2
  run dropin >"$build/dropin.txt"
  echo "dropin: $(wc -l <"$build/dropin.txt") lines on ours alone, see $build/dropin.txt"
fi
