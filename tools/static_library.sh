#!/bin/sh
# Makes a static library in which only the C interface is visible: static_library.sh RUST.a OUT.a
#
# A Rust static library brings hundreds of global names of Rust's own, which clash as soon as a program links a second
# one. Here all its members become one object, unused sections fall away, and every other name becomes local.
set -eu
from=$1 to=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The names that stay: what the library is asked for by name.
nm -g --defined-only "$from" 2>/dev/null | awk 'NF == 3 && $3 ~ /^uvx?_[a-z]/ {print $3}' | sort -u > "$work/names"
[ -s "$work/names" ] || { echo "$from defines no uv_ function" >&2; exit 1; }
sed 's/^/-u /' "$work/names" > "$work/roots"

ld -r --gc-sections "@$work/roots" --whole-archive "$from" -o "$work/uv.o"
objcopy --keep-global-symbols="$work/names" "$work/uv.o"
# Embedded bitcode would make the tools of an older LLVM give up on the archive.
objcopy --strip-debug --strip-unneeded --remove-section=.llvmbc --remove-section=.llvmcmd "$work/uv.o"
rm -f "$to"
ar rcsD "$to" "$work/uv.o"
