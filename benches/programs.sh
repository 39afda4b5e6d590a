# Sourced by run.sh and figures.sh in the project's folder: reads their arguments, compiles the programs, and runs one of them.
#
# They say before which OPTIONS there are and where in the folder of the programs the results go; afterwards `ref` and `ours` are the
# folders of the two libraries.

usage() {
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

REF=${REF:-} OURS=${OURS:-out/lib}
for argument; do
  case $argument in
    /* | ./*) REF=$argument ;;
    *=*)
      case " $OPTIONS " in
        *" ${argument%%=*} "*) eval "${argument%%=*}=\${argument#*=}" ;;
        *) usage ;;
      esac ;;
    *) usage ;;
  esac
done
library_directory() {
  if [ -d "$1" ]; then (cd "$1" && pwd); else (cd "$(dirname "$1")" && pwd); fi
}
[ -n "$REF" ] || { echo "$0: REF=/path/to/libuv.so.1 is missing" >&2; exit 2; }
ref=$(library_directory "$REF")
ours=$(library_directory "$OURS")
for directory in "$ref" "$ours"; do
  [ -e "$directory/libuv.so.1" ] || { echo "$0: no libuv.so.1 in $directory" >&2; exit 2; }
done

build=${BENCH_OUT:-out/bench}
mkdir -p "$build"
# ports.c, calls.c, pools.c, locks.c, trace.c and watchdog.c need the extension and run on ours alone; *_baseline.c are the counterparts for both.
for source in benches/*.c; do
  program=$(basename "$source" .c)
  library=$ref
  case $program in ports | calls | pools | locks | trace | watchdog) library=$ours ;; esac
  ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Wno-unused-function ${UV_INCLUDE:+-I"$UV_INCLUDE"} -Iinclude \
    "$source" -o "$build/$program" "$library/libuv.so.1" -pthread
done

results=$build/$results
: >"$results"
BENCH_MS=$MS
BENCH_ITERATIONS=$(LD_LIBRARY_PATH=$ref "$build/pool" calibrate)
export BENCH_MS BENCH_ITERATIONS

# run_once LABEL DIRECTORY PINNED COMMAND..: appends the result lines, marked with the library
run_once() {
  label=$1 directory=$2 pinned=$3
  shift 3
  program=$1
  shift
  prefix= suffix=
  if [ "$pinned" = pinned ]; then prefix="taskset -c 0" suffix=_pinned; fi
  if ! LD_LIBRARY_PATH=$directory timeout 120 $prefix "$build/$program" "$@" >"$build/last.txt"; then
    echo "FAILED on $label: $program $*" >&2
    echo "library=$label failed=1 scenario=$program"_"$(echo "$*" | tr ' ' _)$suffix" >>"$results"
  fi
  sed "s/^/library=$label /; s/\(scenario=[^ ]*\)/\1$suffix/" "$build/last.txt" >>"$results"
}
