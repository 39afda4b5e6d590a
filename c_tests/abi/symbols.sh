#!/bin/sh
# symbols.sh LIBDIR: the symbols that the shared library in LIBDIR exports, against abi/symbols.tsv and against the headers.
set -eu
lib=$1/libuv.so.1
[ -e "$lib" ] || lib=$1/libuv.so
if [ ! -e "$lib" ]; then
  echo "symbols: SKIPPED, no libuv.so.1 or libuv.so in $1"
  exit 0
fi
lib=$(realpath "$lib")
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fail=0

nm -D --defined-only "$lib" | awk '{ print $2, $3 }' > "$out/all"
cut -d' ' -f2 "$out/all" | sort > "$out/exported"
tail -n +2 abi/symbols.tsv | cut -f1 | sort > "$out/reference"
cat include/uv/functions.h include/uvx.h 2>/dev/null | grep -A1 '^UV_EXTERN' | grep -o '\buvx*_[a-z0-9_]*(' | tr -d '(' |
  sort -u > "$out/declared"

# report WHAT LIST: fails if the list holds anything.
report() {
  [ -s "$2" ] || return 0
  echo "symbols: $1: $(paste -sd' ' "$2")" >&2
  fail=1
}
grep -v '^T ' "$out/all" > "$out/data" || true
report "not functions" "$out/data"
grep -v '^uvx_' "$out/exported" | comm -23 - "$out/reference" > "$out/foreign"
report "neither of the reference nor uvx_*" "$out/foreign"
comm -23 "$out/exported" "$out/declared" > "$out/undeclared"
report "exported, and in no header" "$out/undeclared"
comm -13 "$out/exported" "$out/declared" > "$out/unexported"
report "declared, and not exported" "$out/unexported"

soname=$(readelf -d "$lib" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[ "$soname" = libuv.so.1 ] || { echo "symbols: the soname is '$soname', not libuv.so.1" >&2; fail=1; }

comm -13 "$out/exported" "$out/reference" > "$out/missing"
report "of the reference, and not exported" "$out/missing"
echo "symbols: $(comm -12 "$out/exported" "$out/reference" | wc -l) of the reference's $(wc -l < "$out/reference")," \
  "$(grep -c '^uvx_' "$out/exported" || true) of the extension"
exit $fail
