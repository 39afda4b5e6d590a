#!/bin/sh
# Every type, field, offset, enumerator and macro of the tables in abi/, against include/uv.h: by the C compiler.
set -eu
cd "$(dirname "$0")/../.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cc=${CC:-cc}

case $($cc -dumpmachine) in
  x86_64*musl*) table=layout-x86_64-musl.tsv ;;
  x86_64*linux*) table=layout-x86_64.tsv ;;
  aarch64*linux-gnu*) table=layout-aarch64.tsv ;;
  *) echo "layout: SKIPPED, abi/ has no table for $($cc -dumpmachine)"; exit 0 ;;
esac
awk -f c_tests/abi/layout.awk abi/$table abi/constants.tsv > "$out/layout.c"
$cc -std=gnu11 -Iinclude -fsyntax-only "$out/layout.c"
echo "layout: $(grep -c '^FIELD(' "$out/layout.c") fields, $(grep -c '^FIELD_TYPE' "$out/layout.c") of them with their type," \
  "$(grep -c '^TYPE' "$out/layout.c") types, $(grep -c '^_Static_assert(UV\|^_Static_assert((UV' "$out/layout.c") values," \
  "$(grep -c '^#error' "$out/layout.c") macros agree with abi/$table and constants.tsv"
