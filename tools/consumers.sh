#!/bin/bash
# Runs real programs on the library in a folder (default out/lib): consumers.sh [DIR]
#
# CONSUMERS_DIR is the folder with their scripts: each NAME.sh takes the folder of a libuv.so.1, ends with a line
# "NAME: ok" or "NAME: FAIL why", and says with its exit status whether the program works on that library. setup.sh
# there prepares the programs once; lib.sh is shared by them.
set -u
library=$(realpath "${1:-out/lib}")

if [ -z "${CONSUMERS_DIR:-}" ] || [ ! -d "${CONSUMERS_DIR:-}" ]; then
  echo "SKIPPED: the real programs. CONSUMERS_DIR is ${CONSUMERS_DIR:-not set}; it names the folder with their scripts." >&2
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
if [ ! -e "$library/libuv.so.1" ]; then
  echo "there is no libuv.so.1 in $library" >&2
  exit 1
fi

passed=0 failed=0
for script in "$CONSUMERS_DIR"/*.sh; do
  name=$(basename "$script" .sh)
  case $name in setup | lib) continue ;; esac
  output=$(bash "$script" "$library" 2>&1)
  if [ $? -eq 0 ]; then
    passed=$((passed + 1))
    tail -n 1 <<< "$output"
  else
    failed=$((failed + 1))
    sed "s/^/  $name| /" <<< "$output" | tail -n 20
    grep -q "^$name: FAIL" <<< "$output" || echo "$name: FAIL"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
