#!/bin/sh
# The nets under the binary interface. run.sh [LIBDIR]; LIBDIR is out/lib if it is not given.
# REF_INCLUDE: where the reference's uv.h is.
set -u
here=$(dirname "$0")
libdir=${1:-$here/../../out/lib}
fail=0
"$here/../../tools/headers.sh" --check || fail=1
"$here/standards.sh" || fail=1
"$here/layout.sh" || fail=1
"$here/reference.sh" || fail=1
"$here/symbols.sh" "$libdir" || fail=1
[ $fail = 0 ] && echo "abi: all nets hold" || echo "abi: FAILED" >&2
exit $fail
