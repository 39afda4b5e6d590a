/* UTF-16 and WTF-8. */
#include "allocs.h"
#include "check.h"

static const struct {
  const char* wtf8;
  uint16_t utf16[8];
  int units;
} pairs[] = {
    {"", {0}, 0},
    {"a", {'a', 0}, 1},
    {"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", {0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0}, 5},
    {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", {0xd800, 0xdc00, 0xdbff, 0xdfff, 0}, 4},
    {"\xed\xa0\x80", {0xd800, 0}, 1},
    {"\xed\xb0\x80\xed\xa0\x80", {0xdc00, 0xd800, 0}, 2},
    {"x\xed\xaf\xbfy", {'x', 0xdbff, 'y', 0}, 3},
};
enum { PAIRS = sizeof(pairs) / sizeof(pairs[0]) };

TEST(both_ways) {
  NEEDS(1, 49);
  for (int i = 0; i < PAIRS; i++) {
    uint16_t back[8];
    size_t bytes = strlen(pairs[i].wtf8);
    memset(back, 0xff, sizeof(back));
    CHECK_EQ(uv_utf16_length_as_wtf8(pairs[i].utf16, -1), bytes);
    CHECK_EQ(uv_utf16_length_as_wtf8(pairs[i].utf16, pairs[i].units), bytes);
    CHECK_EQ(uv_wtf8_length_as_utf16(pairs[i].wtf8), pairs[i].units + 1);
    uv_wtf8_to_utf16(pairs[i].wtf8, back, (size_t) pairs[i].units + 1);
    CHECK_EQ(memcmp(back, pairs[i].utf16, 2 * (size_t) pairs[i].units + 2), 0);
    CHECK_EQ(back[pairs[i].units + 1], 0xffff);
    for (int ends = 0; ends < 2; ends++) {
      char* text = NULL;
      size_t size = 1234;
      CHECK_EQ(uv_utf16_to_wtf8(pairs[i].utf16, ends ? -1 : pairs[i].units, &text, &size), 0);
      CHECK_EQ(size, bytes);
      CHECK_STR(text, pairs[i].wtf8);
      free(text);
    }
  }
}

TEST(a_length_counts_zeros_too) {
  uint16_t text[] = {'a', 0, 'b'};
  char buffer[8], *at = buffer;
  size_t size = 7;
  NEEDS(1, 49);
  CHECK_EQ(uv_utf16_length_as_wtf8(text, 3), 3);
  CHECK_EQ(uv_utf16_length_as_wtf8(text, -1), 1);
  CHECK_EQ(uv_utf16_to_wtf8(text, 3, &at, &size), 0);
  CHECK_EQ(size, 3);
  CHECK_EQ(memcmp(buffer, "a\0b", 4), 0);
  CHECK_EQ(uv_utf16_length_as_wtf8(text, 0), 0);
}

TEST(only_the_length) {
  size_t size = 0;
  NEEDS(1, 49);
  CHECK_EQ(uv_utf16_to_wtf8(pairs[2].utf16, -1, NULL, &size), 0);
  CHECK_EQ(size, 11);
}

TEST(a_buffer_of_the_caller) {
  NEEDS(1, 49);
  for (size_t room = 0; room < 16; room++) {
    char buffer[20], *at = buffer;
    size_t size = room;
    int result;
    memset(buffer, '#', sizeof(buffer));
    result = uv_utf16_to_wtf8(pairs[2].utf16, -1, &at, &size);
    CHECK(at == buffer);
    CHECK_EQ(result, room < 11 ? UV_ENOBUFS : 0);
    CHECK_EQ(size, 11);
    CHECK_EQ(memcmp(buffer, pairs[2].wtf8, room < 11 ? room : 11), 0);
    CHECK_EQ(buffer[room < 11 ? room : 11], 0);
    CHECK_EQ(buffer[room + 1], '#');
  }
}

TEST(what_is_no_wtf8) {
  static const char* wrong[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe2\x82", "\xf4\x90\x80\x80", "\xf5", "\xff", "ok\xbf"};
  NEEDS(1, 49);
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    CHECK_EQ(uv_wtf8_length_as_utf16(wrong[i]), UV_EINVAL);
}

TEST(characters_with_more_bytes_than_they_need) {
  static const char* wrong[] = {"\xe0\x80\x80", "\xe0\x9f\xbf", "a\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf"};
  OURS_ONLY("the reference takes them, and a text with a NUL inside comes out");
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    CHECK_EQ(uv_wtf8_length_as_utf16(wrong[i]), UV_EINVAL);
}

TEST(a_buffer_too_small_is_not_overrun) {
  uint16_t units[3] = {1, 1, 0xffff};
  OURS_ONLY("the reference trusts its caller");
  uv_wtf8_to_utf16("abc", units, 2);
  CHECK_EQ(units[0], 'a');
  CHECK_EQ(units[1], 'b');
  CHECK_EQ(units[2], 0xffff);
}

static int convert_failing_at(long n) {
  char* text = NULL;
  size_t size = 0;
  int result;
  allocs_fail_at(n);
  result = uv_utf16_to_wtf8(pairs[2].utf16, -1, &text, &size);
  allocs_fail_at(0);
  CHECK((result == 0) == (text != NULL));
  if (text != NULL) allocs_free(text);
  return result;
}

TEST(without_memory) {
  NEEDS(1, 49);
  allocs_install();
  CHECK(allocs_exhaust(convert_failing_at) > 0);
}
