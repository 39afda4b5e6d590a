#!/bin/sh
# The unit tests of the ground layers under Miri, with both aliasing models.
set -eu
toolchain=${MIRI_TOOLCHAIN:-nightly}
if ! cargo "+$toolchain" miri --version > /dev/null 2>&1; then
  echo "SKIPPED: the toolchain $toolchain has no miri (rustup component add miri rust-src)" >&2
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
for model in "" -Zmiri-tree-borrows; do
  echo "== miri ${model:-stacked borrows}"
  MIRIFLAGS="-Zmiri-disable-isolation $model" cargo "+$toolchain" miri test --lib --features testing -- ds:: ptr:: mem::
done
