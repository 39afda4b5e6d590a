#!/bin/bash
# Writes docs/SYMBOLS.md: every function of the reference, and which C tests call it.
set -eu
cd "$(dirname "$0")/.."
have=$(nm -D --defined-only out/lib/libuv.so.1 | awk '{print $3}')
{
  echo "# Functions"
  echo
  echo "Made by \`tools/compat.sh\` from \`abi/symbols.tsv\`, the built library and \`c_tests/\`. A dash: not there yet."
  awk -F'\t' 'NR > 1 {print $2}' abi/symbols.tsv | sort -u | while read -r area; do
    echo
    echo "## $area"
    echo
    echo "| function | C tests |"
    echo "|---|---|"
    awk -F'\t' -v area="$area" 'NR > 1 && $2 == area {print $1}' abi/symbols.tsv | sort | while read -r symbol; do
      if grep -qx "$symbol" <<< "$have"; then
        tests=$(grep -lw "$symbol" c_tests/*.[ch] | sed 's|c_tests/||; s|\.[ch]$||' | sort -u | paste -sd' ')
        echo "| \`$symbol\` | ${tests:-none} |"
      else
        echo "| \`$symbol\` | - |"
      fi
    done
  done
} > docs/SYMBOLS.md
