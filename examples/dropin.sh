#!/bin/sh
# Compiles examples/dropin.c once, runs it on two libraries and compares the output.
#
#   examples/dropin.sh REFERENCE_DIRECTORY OUR_DIRECTORY    (each holds a libuv.so.1)
set -eu
cd "$(dirname "$0")/.."
[ $# = 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
ref=$1 ours=$2
build=${EXAMPLES_OUT:-out/examples}
mkdir -p "$build"

# The reference's header where it is installed: a program that was built before we existed.
include=${UV_INCLUDE:-include}
[ -e /usr/include/uv.h ] && include=/usr/include
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -I"$include" examples/dropin.c -o "$build/dropin" "$ref/libuv.so.1" -pthread

for library in ref ours; do
  eval "directory=\$$library"
  LD_LIBRARY_PATH=$directory timeout 60 "$build/dropin" >"$build/dropin.$library" || {
    echo "dropin: failed on $directory/libuv.so.1 after:" >&2
    tail -n 3 "$build/dropin.$library" >&2
    exit 1
  }
done
if ! diff -u "$build/dropin.ref" "$build/dropin.ours"; then
  echo "dropin: the libraries differ" >&2
  exit 1
fi
echo "dropin: $(wc -l <"$build/dropin.ref") lines, the same on $ref/libuv.so.1 and $ours/libuv.so.1 (header: $include/uv.h)"
