#!/bin/sh
# The headers under every standard of C and C++ that the compilers at hand know, without a warning.
set -eu
cd "$(dirname "$0")/../.."
flags="-Wall -Wextra -pedantic -Werror -Iinclude -fsyntax-only"
[ -e include/uvx.h ] && flags="$flags -DHAVE_UVX"
done=0

# try COMPILER LANGUAGE STANDARD [FLAG]
try() {
  command -v "$1" >/dev/null || { echo "standards: SKIPPED, no $1"; return 0; }
  if ! "$1" -x "$2" -std="$3" -E /dev/null >/dev/null 2>&1; then
    echo "standards: SKIPPED, $1 does not know $3"
    return 0
  fi
  "$1" -x "$2" -std="$3" $flags ${4:-} c_tests/abi/standards.c || { echo "standards: $1 -std=$3 ${4:-} fails" >&2; exit 1; }
  done=$((done + 1))
}

for cc in gcc clang; do
  for std in gnu99 gnu11 gnu17 gnu2x; do try $cc c $std; done
  # Strict modes hide the pthread types and addrinfo, of which the handles are made.
  for std in c99 c11 c17 c2x; do try $cc c $std -D_GNU_SOURCE; done
done
for cxx in g++ clang++; do
  for std in c++11 c++14 c++17 c++20 c++2b; do try $cxx c++ $std; done
done
try gcc c gnu11 -DUV_EXTERN=extern
echo "standards: clean in $done modes of C and C++"
