# Lays out what cbindgen wrote: comments and prototypes in lines of at most 100 characters, `char* x` for `char *x`.

BEGIN { width = 100 }

# Prints the paragraph that was gathered.
function flush_text(  words, n, i, line) {
  n = split(text, words, " ")
  line = " *"
  for (i = 1; i <= n; i++) {
    if (length(line) + 1 + length(words[i]) > width) { print line; line = " *" }
    line = line " " words[i]
  }
  if (n) print line
  text = ""
}

/^ \* -/ { flush_text() } # an item of a list begins
/^ \*     / { flush_text(); print; next } # an example
/^ \* / { text = text " " substr($0, 4); next }
/^ \*/ { flush_text() }

/^UV_EXTERN$/ { getline rest; $0 = $0 " " rest }

/^UV_EXTERN / {
  while (match($0, / \*+[a-z]/))
    $0 = substr($0, 1, RSTART - 1) substr($0, RSTART + 1, RLENGTH - 2) " " substr($0, RSTART + RLENGTH - 1)
  # Arrays of the reference's prototypes, which Rust cannot say.
  sub(/uv_file\* fds/, "uv_file fds[2]")
  sub(/uv_os_sock_t\* socket_vector/, "uv_os_sock_t socket_vector[2]")
  sub(/double\* avg/, "double avg[3]")
  if (length($0) > width) {
    indent = sprintf("%" index($0, "(") "s", "")
    gsub(/, /, ",\n" indent)
  }
}

{ print }
