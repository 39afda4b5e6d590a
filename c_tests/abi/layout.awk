# Turns the tables of abi/ into C: an assertion for each row. What C cannot assert is printed by layout.sh.
# Input: layout-*.tsv, then constants.tsv.

BEGIN {
  FS = "\t"
  print "#include <uv.h>"
  print "#define UV__ERR(x) (-(x)) /* uv.h takes it back, and the UV__E* macros need it */"
  print "#define FIELD(type, path, size, offset) \\"
  print "  _Static_assert(sizeof(((type*) 0)->path) == size && offsetof(type, path) == offset, #type \".\" #path)"
  print "#define FIELD_TYPE(type, path, field) \\"
  print "  _Static_assert(__builtin_types_compatible_p(__typeof__(((type*) 0)->path), __typeof__(field)), #type \".\" #path)"
  print "#define TYPE(type, size, align) \\"
  print "  _Static_assert(sizeof(type) == size && _Alignof(type) == align, #type)"
}

FNR == 1 { next }

# kind, type, field, size, offset or align, note
NF == 6 && $1 == "field" {
  printf "FIELD(%s, %s, %s, %s);\n", $2, $3, $4, $5
  if ($6 !~ /{/) printf "FIELD_TYPE(%s, %s, %s);\n", $2, $3, $6
  next
}
NF == 6 {
  printf "TYPE(%s, %s, %s);\n", $2, $4, $5
  if ($1 == "alias") printf "_Static_assert(__builtin_types_compatible_p(%s, %s), \"%s\");\n", $2, $6, $2
  if ($1 == "enum" && $6 != "") printf "_Static_assert(((%s) -1 < 0) == %d, \"sign of %s\");\n", $2, $6 == "signed", $2
  next
}

# kind, group, name, value
function defined(name) { printf "#ifndef %s\n#error \"%s is not defined\"\n#endif\n", name, name }

$1 == "enumerator" { printf "_Static_assert(%s == %s, \"%s\");\n", $3, $4, $3; next }
{ sub(/\(XX\)/, "", $3); defined($3) }
$3 ~ /_FIELDS$|_MAP$|^UV_EXTERN$|^UV_PLATFORM_SEM_T$|^UV_ONCE_INIT$/ { next } # defined; what they hold is checked elsewhere
$3 ~ /^UV_VERSION_(PATCH|IS_RELEASE|SUFFIX)$/ { next }                      # the table is of 1.52.2-dev
$3 == "UV_FS_UTIME_NOW" { print "_Static_assert(__builtin_isinf(UV_FS_UTIME_NOW), \"UV_FS_UTIME_NOW\");"; next }
$3 == "UV_FS_UTIME_OMIT" { print "_Static_assert(__builtin_isnan(UV_FS_UTIME_OMIT), \"UV_FS_UTIME_OMIT\");"; next }
$4 != "" { printf "_Static_assert((%s) == (%s), \"%s\");\n", $3, $4, $3 }

END {
  print "_Static_assert(UV_VERSION_HEX == 0x013401 && UV_VERSION_IS_RELEASE == 1, \"version\");"
  print "_Static_assert(sizeof(UV_VERSION_SUFFIX) == 1, \"version suffix\");"
  print "_Static_assert(sizeof(uv_buf_t) == 16 && offsetof(uv_buf_t, len) == 8, \"as struct iovec\");"
}
