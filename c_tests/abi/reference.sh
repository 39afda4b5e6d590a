#!/bin/sh
# Our prototypes and lists against the reference's own header. REF_INCLUDE: the folder with its uv.h.
set -eu
cd "$(dirname "$0")/../.."
ref=${REF_INCLUDE:-/usr/include}
if [ ! -e "$ref/uv.h" ]; then
  echo "reference: SKIPPED, no reference header in $ref (set REF_INCLUDE)"
  exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
version=$(sed -n 's/^#define UV_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' "$ref/uv/version.h" | paste -sd.)

ours="-DOUR_FUNCTIONS=\"$PWD/include/uv/functions.h\""
${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -I"$ref" "$ours" -fsyntax-only c_tests/abi/reference.c
${CXX:-c++} -std=gnu++17 -Wall -Wextra -Werror -I"$ref" "$ours" -fsyntax-only -x c++ c_tests/abi/reference.c

names() { grep -o '\buv_[a-z0-9_]*(' | tr -d '(' | sort -u; }
grep -A1 '^UV_EXTERN' include/uv/functions.h | names > "$out/ours"
cat "$ref/uv.h" | names > "$out/theirs"
echo "reference: $(comm -12 "$out/ours" "$out/theirs" | wc -l) prototypes agree with the header of $version, in C and in C++;" \
  "it does not know: $(comm -23 "$out/ours" "$out/theirs" | paste -sd' ')"

# An older header may lack lines, but those that it has must be ours, in the same order.
lists() {
  ${CC:-cc} -std=gnu11 -I"$1" c_tests/abi/maps.c -o "$out/maps"
  "$out/maps"
}
lists "$ref" > "$out/maps.theirs"
lists include > "$out/maps.ours"
if diff "$out/maps.theirs" "$out/maps.ours" | grep '^<'; then
  echo "reference: these lines of UV_*_MAP are not ours" >&2
  exit 1
fi
echo "reference: its $(wc -l < "$out/maps.theirs") lines of UV_ERRNO_MAP, UV_HANDLE_TYPE_MAP and UV_REQ_TYPE_MAP are ours"
