# Prints each promise, what was measured, and whether it holds; of what medians.awk has read. Ends with 1 if one does not.

function promise(what, measured, sign, bound, unit,    holds) {
  holds = sign == ">=" ? measured >= bound : measured <= bound
  printf "%-78s %10.2f  %s %6g %-5s %s\n", what, measured, sign, bound, unit, holds ? "holds" : "MISSED"
  if (!holds) missed = 1
}

END {
  for (run in failed) exit 1 # which has been said
  for (i = 1; i <= scenarios; i++)
    if (count[order[i], "rust"] > 0 && (best == "" || median(order[i], "rust", "rate") > median(best, "rust", "rate"))) best = order[i]
  channels = median(best, "rust", "rate")
  sub("_oneway_1", "", best)
  port = median("ports_oneway_1", "ours", "rate")
  promise("message to a port, one way, to the best Rust channel (" best ")", port / channels, ">=", 0.9, "")
  promise("the same, to mutex + list + uv_async_send on the reference", port / median("ports_baseline_oneway_1", "ref", "rate"), ">=", 2, "")
  promise("wakes for each hundred messages of that", median("ports_oneway_1", "ours", "wakes_per_message") * 100, "<=", 1, "")
  promise("round trip from loop to loop", median("ports_pingpong", "ours", "us"), "<=", 5, "us")
  promise("the same among 10,000 idle ports, to alone", median("ports_pingpong_among_10000", "ours", "us") / median("ports_pingpong_among_1", "ours", "us"), "<=", 2, "")
  promise("1 MiB handed over, to 1 byte", median("ports_transfer_1048576", "ours", "us") / median("ports_transfer_1", "ours", "us"), "<=", 1.1, "")
  promise("thread, loop, timer and async on the reference, to a watchdog (CPU time)", \
    median("watchdog_baseline", "ref", "cpu_us") / median("watchdog_once_1", "ours", "cpu_us"), ">=", 100, "")
  promise("an event traced", median("trace_append_0", "ours", "cpu_us") * 1000, "<=", 60, "ns")
  promise("worker: from start to its first message", median("calls_worker_first_message", "ours", "p50_us"), "<=", 300, "us")
  exit missed
}
