# Prints medians and ratios of what medians.awk has read.
# `ratio` is ours to the reference's rate (more is better), `CPU` and `p50` ours to the reference's (less is better).

function short(x) {
  if (x >= 1e6) return sprintf("%.2fM", x / 1e6)
  if (x >= 1e3) return sprintf("%.1fk", x / 1e3)
  return sprintf("%.0f", x)
}

function rates(name, library,    n, middle) {
  if ((name, library) in failed) return "FAILED"
  middle = median(name, library, "rate")
  if (middle < 0) return "-"
  n = count[name, library]
  return sprintf("%s (%s-%s)", short(middle), short(sorted[1]), short(sorted[n]))
}

function ratio(name, key,    ours, ref) {
  ours = median(name, "ours", key)
  ref = median(name, "ref", key)
  return ours < 0 || ref <= 0 ? "-" : sprintf("%.2f", ours / ref)
}

END {
  printf "%-43s %-25s %-25s %7s %6s %6s %10s %10s\n", "scenario", "reference /s", "ours /s", "ratio", "CPU", "p50", "CPU us ref", "CPU us ours"
  for (i = 1; i <= scenarios; i++) {
    name = order[i]
    printf "%-43s %-25s %-25s %7s %6s %6s %10.3f %10.3f\n", name, rates(name, "ref"), rates(name, "ours"), \
      ratio(name, "rate"), ratio(name, "cpu_us"), ratio(name, "p50_us"), median(name, "ref", "cpu_us"), median(name, "ours", "cpu_us")
  }
  for (i = 1; i <= scenarios; i++)
    if ((order[i], "ours", "least", 1) in value)
      printf "%-43s busiest and idlest thread, in even shares: %.2f and %.2f there, %.2f and %.2f here\n", order[i], \
        median(order[i], "ref", "most"), median(order[i], "ref", "least"), median(order[i], "ours", "most"), median(order[i], "ours", "least")
}
