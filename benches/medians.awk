# Reads the lines `library=ref|ours|.. scenario=NAME rate=.. cpu_us=.. [p50_us=..]` that programs.sh collects, for table.awk and figures.awk.

{
  delete field
  for (i = 1; i <= NF; i++) {
    split($i, pair, "=")
    field[pair[1]] = pair[2]
  }
  name = field["scenario"]
  if (!(name in known)) { known[name] = 1; order[++scenarios] = name }
  if ("failed" in field) { failed[name, field["library"]] = 1; next }
  n = ++count[name, field["library"]]
  for (key in field) value[name, field["library"], key, n] = field[key]
}

# Sorts the values of one key into sorted[1..n].
function collect(name, library, key,    n, i, j, x) {
  n = count[name, library]
  for (i = 1; i <= n; i++) {
    x = value[name, library, key, i] + 0
    for (j = i - 1; j >= 1 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = x
  }
  return n
}

function median(name, library, key,    n) {
  n = collect(name, library, key)
  if (n == 0 || !((name, library, key, 1) in value)) return -1
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}
