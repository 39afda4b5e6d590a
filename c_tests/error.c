/* Names and messages of error codes. */
#include "allocs.h"

#include <limits.h>

static const struct {
  int code;
  const char *name, *message;
} known[] = {
#define ROW(name, message) {UV_##name, #name, message},
    UV_ERRNO_MAP(ROW)
#undef ROW
};

TEST(known_codes) {
  char buffer[128];
  NEEDS(1, 52); /* older ones know fewer */
  CHECK_EQ(sizeof(known) / sizeof(known[0]), 85);
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    CHECK_STR(uv_err_name(known[i].code), known[i].name);
    CHECK_STR(uv_strerror(known[i].code), known[i].message);
    memset(buffer, '#', sizeof(buffer));
    CHECK_EQ(uv_err_name_r(known[i].code, buffer, sizeof(buffer)), buffer);
    CHECK_STR(buffer, known[i].name);
    memset(buffer, '#', sizeof(buffer));
    CHECK_EQ(uv_strerror_r(known[i].code, buffer, sizeof(buffer)), buffer);
    CHECK_STR(buffer, known[i].message);
  }
  CHECK_STR(uv_err_name(UV_EOF), "EOF");
  CHECK_STR(uv_strerror(UV_EINVAL), "invalid argument");
  CHECK_EQ(uv_err_name(UV_EINVAL), uv_err_name(UV_EINVAL)); /* static */
}

TEST(unknown_codes_are_shown) {
  NOT_UNDER_ASAN("texts of unknown codes are never freed, by their documentation");
  static const struct {
    int code;
    const char* text;
  } unknown[] = {
      {0, "Unknown system error 0"},
      {1, "Unknown system error 1"},
      {1337, "Unknown system error 1337"},
      {-1337, "Unknown system error -1337"},
      {INT_MAX, "Unknown system error 2147483647"},
      {-214748364, "Unknown system error -214748364"},
  };
  char buffer[64];
  for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
    CHECK_STR(uv_err_name(unknown[i].code), unknown[i].text);
    CHECK_STR(uv_strerror(unknown[i].code), unknown[i].text);
    CHECK_STR(uv_err_name_r(unknown[i].code, buffer, sizeof(buffer)), unknown[i].text);
    CHECK_STR(uv_strerror_r(unknown[i].code, buffer, sizeof(buffer)), unknown[i].text);
  }
  CHECK_STR(uv_strerror_r(INT_MIN, buffer, sizeof(buffer)), "Unknown system error -2147483648");
}

TEST(longest_unknown_code_is_whole) {
  NOT_UNDER_ASAN("texts of unknown codes are never freed, by their documentation");
  OURS_ONLY("the reference loses its last digit");
  CHECK_STR(uv_strerror(INT_MIN), "Unknown system error -2147483648");
  CHECK_STR(uv_err_name(INT_MIN), "Unknown system error -2147483648");
}

static void check_cut(char* (*function)(int, char*, size_t), int code, const char* whole) {
  char buffer[64], expected[64];
  for (size_t size = 1; size < sizeof(buffer); size++) {
    snprintf(expected, size, "%s", whole);
    memset(buffer, '#', sizeof(buffer));
    CHECK_EQ(function(code, buffer, size), buffer);
    CHECK_STR(buffer, expected);
    CHECK_EQ(buffer[size], '#');
  }
  memset(buffer, '#', sizeof(buffer));
  CHECK_EQ(function(code, buffer, 0), buffer);
  CHECK_EQ(buffer[0], '#');
}

TEST(texts_are_cut_to_the_buffer) {
  check_cut(uv_err_name_r, UV_EINVAL, "EINVAL");
  check_cut(uv_err_name_r, 1337, "Unknown system error 1337");
  check_cut(uv_strerror_r, UV_EINVAL, "invalid argument");
  check_cut(uv_strerror_r, -1337, "Unknown system error -1337");
}

TEST(unknown_codes_allocate_and_known_ones_do_not) {
  NOT_UNDER_ASAN("texts of unknown codes are never freed, by their documentation");
  long live;
  allocs_install();
  live = allocs_live();
  uv_strerror(UV_EPERM);
  uv_err_name(UV_EPERM);
  CHECK_EQ(allocs_live(), live);
  uv_strerror(1337);
  CHECK_EQ(allocs_live(), live + 1);
  uv_err_name(1337);
  CHECK_EQ(allocs_live(), live + 2);
}

TEST(unknown_codes_without_memory) {
  allocs_install();
  allocs_fail_at(1);
  CHECK_STR(uv_strerror(1337), "Unknown system error");
  allocs_fail_at(1);
  CHECK_STR(uv_err_name(1337), "Unknown system error");
}

TEST(system_errors_are_negated) {
  CHECK_EQ(uv_translate_sys_error(EPERM), UV_EPERM);
  CHECK_EQ(uv_translate_sys_error(ETIMEDOUT), UV_ETIMEDOUT);
  CHECK_EQ(uv_translate_sys_error(0), 0);
  CHECK_EQ(uv_translate_sys_error(UV_EPERM), UV_EPERM);
  CHECK_EQ(uv_translate_sys_error(UV_EOF), UV_EOF);
  CHECK_EQ(uv_translate_sys_error(INT_MAX), -INT_MAX);
  CHECK_EQ(uv_translate_sys_error(INT_MIN), INT_MIN);
}
