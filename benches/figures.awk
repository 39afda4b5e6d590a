# Reads the lines that figures.sh collects; prints each promise, what was measured, and whether it holds. Ends with 1 if one does not.

{
  delete field
  for (i = 1; i <= NF; i++) {
    split($i, pair, "=")
    field[pair[1]] = pair[2]
  }
  name = field["scenario"]
  n = ++count[name]
  for (key in field) value[name, key, n] = field[key]
  if (name ~ /^(kanal|crossbeam|flume|std)_/) channels[name] = 1
}

function median(name, key,    n, i, j, x, sorted) {
  n = count[name]
  for (i = 1; i <= n; i++) {
    x = value[name, key, i] + 0
    for (j = i - 1; j >= 1 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = x
  }
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function promise(what, measured, sign, bound, unit,    holds) {
  holds = sign == ">=" ? measured >= bound : measured <= bound
  printf "%-78s %10.2f  %s %6g %-5s %s\n", what, measured, sign, bound, unit, holds ? "holds" : "MISSED"
  if (!holds) missed = 1
}

END {
  for (name in channels)
    if (best == "" || median(name, "rate") > median(best, "rate")) best = name
  sub("_oneway_1", "", best)
  ours = median("ports_oneway_1", "rate")
  promise("message to a port, one way, to the best Rust channel (" best ")", ours / median(best "_oneway_1", "rate"), ">=", 0.9, "")
  promise("the same, to mutex + list + uv_async_send on the reference", ours / median("ports_baseline_oneway_1", "rate"), ">=", 2, "")
  promise("wakes for each hundred messages of that", median("ports_oneway_1", "wakes_per_message") * 100, "<=", 1, "")
  promise("round trip from loop to loop", median("ports_pingpong", "us"), "<=", 5, "us")
  promise("the same among 10,000 idle ports, to alone", median("ports_pingpong_among_10000", "us") / median("ports_pingpong_among_1", "us"), "<=", 2, "")
  promise("1 MiB handed over, to 1 byte", median("ports_transfer_1048576", "us") / median("ports_transfer_1", "us"), "<=", 1.1, "")
  promise("thread, loop, timer and async on the reference, to a watchdog (CPU time)", \
    median("watchdog_baseline", "cpu_us") / median("watchdog_once_1", "cpu_us"), ">=", 100, "")
  promise("an event traced", median("trace_append_0", "cpu_us") * 1000, "<=", 60, "ns")
  promise("worker: from start to its first message", median("calls_worker_first_message", "p50_us"), "<=", 300, "us")
  exit missed
}
