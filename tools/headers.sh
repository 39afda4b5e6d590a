#!/bin/sh
# Makes the generated headers from src/ffi/: include/uv/functions.h and, if there is an extension, include/uvx.h.
# With --check nothing is written; it fails if what is committed is stale.
set -eu
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/.*cbindgen \([0-9.]*\)$/\1/p' cbindgen.toml)
found=$(cbindgen --version | cut -d' ' -f2) || found=none
if [ "$found" != "$wanted" ]; then
  echo "headers: cbindgen $wanted is needed, found: $found" >&2
  exit 1
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# What Rust cannot say: words it reserves, ssize_t, and the only variadic function (docs/ABI.md).
as_c() {
  sed -E -e 's/\b(loop|type|async)_\b/\1/g' -e 's/\bptrdiff_t\b/ssize_t/g' \
    -e '/\buv_loop_configure\(/s/int [a-z]+\);/...);/' |
    awk -f tools/headers.awk
}

functions() {
  echo '/* The functions. Made by tools/headers.sh from src/ffi/uv_*.rs: edit those. Included by uv.h. */'
  echo
  echo '#ifndef UV_FUNCTIONS_H'
  echo '#define UV_FUNCTIONS_H'
  for file in src/ffi/uv_*.rs; do
    [ -e "$file" ] || continue
    printf '\n/* ---- %s ---- */\n\n' "$(sed -n '1s/^\/\/! *//p' "$file" | sed 's/\.$//')"
    cbindgen --quiet --config cbindgen.toml "$file" | as_c
  done
  printf '\n#endif /* UV_FUNCTIONS_H */\n'
}

extension() {
  grep -hv '^//!' src/abi/uvx_*.rs src/ffi/uvx_*.rs > "$out/uvx.rs"
  cbindgen --quiet --config cbindgen-uvx.toml "$out/uvx.rs" | as_c
}

mkdir -p "$out/uv"
functions | cat -s > "$out/uv/functions.h"
if ls src/ffi/uvx_*.rs >/dev/null 2>&1; then
  extension | cat -s > "$out/uvx.h"
fi

failed=0
bare=$(cat "$out/uv/functions.h" "$out/uvx.h" 2>/dev/null |
  awk '/^UV_EXTERN/ && before != " */" { sub(/\(.*/, ""); print $NF } { before = $0 }')
if [ -n "$bare" ]; then
  echo "headers: without a comment:" $bare >&2
  failed=1
fi
for made in uv/functions.h uvx.h; do
  [ -e "$out/$made" ] || continue
  cmp -s "$out/$made" "include/$made" && continue
  if [ "${1:-}" = --check ]; then
    echo "headers: include/$made is stale, run tools/headers.sh" >&2
    diff -u "include/$made" "$out/$made" | head -20 >&2 || true
    failed=1
  else
    cp "$out/$made" "include/$made"
    echo "headers: wrote include/$made"
  fi
done
exit $failed
