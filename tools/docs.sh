#!/bin/sh
# Compiles and runs every program in docs/uvx/: what stands between ```c and ```. The closing line is counted by tools/test.sh.
set -eu
cd "$(dirname "$0")/.."

library=${UV_LIB_DIR:-out/lib}
[ -e "$library/libuv.so.1" ] || { echo "docs: no $library/libuv.so.1, run 'make lib' first" >&2; exit 1; }
library=$(cd "$library" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

passed=0 failed=0
for page in docs/uvx/*.md; do
  name=$build/$(basename "$page" .md)
  awk -v name="$name" '/^```c$/ { file = name "." ++n ".c"; next } /^```$/ { if (file) close(file); file = "" } file { print > file }' "$page"
done
for program in "$build"/*.c; do
  [ -e "$program" ] || { echo "docs: no programs found" >&2; exit 1; }
  name=$(basename "$program" .c)
  if ${CC:-cc} -std=c99 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter ${CFLAGS:-} -Iinclude \
    "$program" -o "${program%.c}" "$library/libuv.so.1" -pthread &&
    (cd "$build" && LD_LIBRARY_PATH=$library timeout 60 "./$name" > "$name.out" 2>&1); then
    passed=$((passed + 1))
    echo "ok      docs/uvx/${name%.*}.md, program ${name##*.}"
  else
    failed=$((failed + 1))
    echo "FAILED  docs/uvx/${name%.*}.md, program ${name##*.}"
    cat "$build/$name.out" 2> /dev/null || true
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
