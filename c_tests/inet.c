/* Internet addresses as text and as bytes; the C library's own functions are the measure. */
#include "check.h"

#include <arpa/inet.h>
#include <net/if.h>

static const char* texts_4[] = {
    "0.0.0.0", "127.0.0.1", "255.255.255.255", "1.2.3.4", "10.20.30.40", "", ".", "1", "1.2", "1.2.3", "1.2.3.", "1.2.3.4.",
    "1.2.3.4.5", ".1.2.3.4", "1..2.3", "256.0.0.1", "1.2.3.256", "01.2.3.4", "1.2.3.00", "0.0.0.00", "1.2.3.4 ", " 1.2.3.4",
    "1.2.3.4%lo", "2555.0.0.0", "255.255.255*000", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4x", "\xff.1.2.3", "::1",
};

static const char* texts_6[] = {
    "::", "::1", "1::", "fe80::1", "fe80::", "fe80::2acf:daff:fedd:342a", "fe80:0:0:0:2acf:daff:fedd:342a",
    "fe80:0:0:0:2acf:daff:1.2.3.4", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8", "1::8", "1:2::7:8", "ABCD:EF01::", "0001::", "::1.2.3.4", "::ffff:1.2.3.4", "1::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4", "64:ff9b::1.2.3.4", "", ":", ":::", ":::1", "1:::2", "1::2::3", "abcde::1", "00001::", "g::", "1:",
    ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:",
    "fe80:0:0:0:2acf:daff:fedd:342a:5678", "fe80:0:0:0:2acf:daff:abcd:1.2.3.4", "fe80:0:0:2acf:daff:1.2.3.4.5",
    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255", "::1.2.3", "::1.2.3.256", "::01.2.3.4", "1.2.3.4::", "1.2.3.4",
    "::1.2.3.4:5", "::1 ", " ::1", "::1\n", "[::1]", "::\xff", "0:0:0:0:0:0:0:0",
};

static const unsigned char bytes_6[][16] = {
    {0}, {[15] = 1}, {[15] = 2}, {[14] = 1}, {[13] = 1}, {[12] = 1}, {[11] = 1}, {[10] = 0xff, 0xff, 1, 2, 3, 4},
    {[10] = 0xff, 0xff}, {[10] = 0xff, 0xfe, 1, 2, 3, 4}, {[8] = 0xff, 0xff, 0, 0, 1, 2, 3, 4}, {[0] = 1}, {[1] = 1},
    {0xfe, 0x80, [15] = 1}, {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},
    {0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1},
    {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, {0, 0x64, 0xff, 0x9b, [12] = 1, 2, 3, 4},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void check_parse(int family, const char* text, size_t length) {
  unsigned char ours[16], theirs[16];
  int valid;
  memset(ours, 0xa5, sizeof(ours));
  memset(theirs, 0xa5, sizeof(theirs));
  valid = inet_pton(family, text, theirs);
  if (uv_inet_pton(family, text, ours) != (valid ? 0 : UV_EINVAL))
    CHECK_FAIL("\"%s\" is%s an address, or is it?", text, valid ? "" : " not");
  if (memcmp(ours, theirs, length) != 0) CHECK_FAIL("\"%s\" has other bytes", text);
}

TEST(parse_like_the_c_library) {
  for (size_t i = 0; i < COUNT(texts_4); i++) check_parse(AF_INET, texts_4[i], 4);
  for (size_t i = 0; i < COUNT(texts_6); i++) check_parse(AF_INET6, texts_6[i], 16);
}

/* All sizes of the buffer, and addresses that are not aligned. */
static void check_print(int family, const void* bytes, size_t length) {
  char ours[64], theirs[64], unaligned[32];
  memcpy(unaligned + 1, bytes, length);
  CHECK(inet_ntop(family, bytes, theirs, sizeof(theirs)) != NULL);
  for (size_t size = 0; size < sizeof(ours); size++) {
    int expected = size > strlen(theirs) ? 0 : UV_ENOSPC;
    memset(ours, '#', sizeof(ours));
    CHECK_EQ(uv_inet_ntop(family, unaligned + 1, ours, size), expected);
    if (expected == 0) {
      CHECK_STR(ours, theirs);
      CHECK_EQ(ours[strlen(theirs) + 1], '#');
    }
  }
}

TEST(print_like_the_c_library) {
  static const unsigned char bytes_4[][4] = {{0, 0, 0, 0}, {127, 0, 0, 1}, {255, 255, 255, 255}, {1, 20, 99, 100}};
  for (size_t i = 0; i < COUNT(bytes_4); i++) check_print(AF_INET, bytes_4[i], 4);
  for (size_t i = 0; i < COUNT(bytes_6); i++) check_print(AF_INET6, bytes_6[i], 16);
}

TEST(what_does_not_fit_is_not_begun) {
  char text[8] = "#######";
  CHECK_EQ(uv_inet_ntop(AF_INET, "\x7f\0\0\x01", text, sizeof(text)), UV_ENOSPC);
  CHECK_STR(text, "#######");
  CHECK_EQ(uv_inet_ntop(AF_INET6, bytes_6[COUNT(bytes_6) - 1], text, sizeof(text)), UV_ENOSPC);
  CHECK_STR(text, "#######");
}

TEST(other_families) {
  char text[64];
  unsigned char bytes[16];
  CHECK_EQ(uv_inet_ntop(AF_UNIX, bytes_6[0], text, sizeof(text)), UV_EAFNOSUPPORT);
  CHECK_EQ(uv_inet_pton(AF_UNIX, "127.0.0.1", bytes), UV_EAFNOSUPPORT);
  CHECK_EQ(uv_inet_pton(42, "::1", bytes), UV_EAFNOSUPPORT);
}

TEST(parse_needs_arguments) {
  unsigned char bytes[16];
  CHECK_EQ(uv_inet_pton(AF_INET, NULL, bytes), UV_EINVAL);
  CHECK_EQ(uv_inet_pton(AF_INET, "1.2.3.4", NULL), UV_EINVAL);
  CHECK_EQ(uv_inet_pton(AF_INET6, NULL, bytes), UV_EINVAL);
  CHECK_EQ(uv_inet_pton(42, NULL, bytes), UV_EINVAL);
}

TEST(zone_is_ignored_by_parse) {
  static const char* zones[] = {"%", "%en1", "%%%%", "%en1:1.2.3.4", "%::"};
  for (size_t i = 0; i < COUNT(texts_6); i++) {
    for (size_t j = 0; j < COUNT(zones); j++) {
      unsigned char bytes[16], expected[16];
      char text[128];
      int valid = inet_pton(AF_INET6, texts_6[i], expected);
      snprintf(text, sizeof(text), "%s%s", texts_6[i], zones[j]);
      CHECK_EQ(uv_inet_pton(AF_INET6, text, bytes), valid ? 0 : UV_EINVAL);
      if (valid) CHECK(memcmp(bytes, expected, 16) == 0);
    }
  }
}

TEST(ip4_addr_fills_in_all) {
  struct sockaddr_in address, expected;
  char text[INET_ADDRSTRLEN];
  memset(&address, 0xa5, sizeof(address));
  memset(&expected, 0, sizeof(expected));
  expected.sin_family = AF_INET;
  expected.sin_port = htons(8080);
  expected.sin_addr.s_addr = htonl(0x01020304);
  CHECK_EQ(uv_ip4_addr("1.2.3.4", 8080, &address), 0);
  CHECK(memcmp(&address, &expected, sizeof(address)) == 0);
  CHECK_EQ(uv_ip4_name(&address, text, sizeof(text)), 0);
  CHECK_STR(text, "1.2.3.4");
  CHECK_EQ(uv_ip4_name(&address, text, 7), UV_ENOSPC);
  NEEDS(1, 43);
  CHECK_EQ(uv_ip_name((struct sockaddr*) &address, text, 8), 0);
  CHECK_STR(text, "1.2.3.4");
}

TEST(ip4_addr_leaves_no_garbage) {
  struct sockaddr_in address, expected;
  memset(&expected, 0, sizeof(expected));
  expected.sin_family = AF_INET;
  expected.sin_port = htons(1);
  memset(&address, 0xa5, sizeof(address));
  CHECK_EQ(uv_ip4_addr("1.2.3", 65537, &address), UV_EINVAL); /* a port has 16 bits */
  CHECK(memcmp(&address, &expected, sizeof(address)) == 0);
  memset(&address, 0xa5, sizeof(address));
  CHECK_EQ(uv_ip4_addr(NULL, 65537, &address), UV_EINVAL);
  CHECK(memcmp(&address, &expected, sizeof(address)) == 0);
}

TEST(ip6_addr_fills_in_all) {
  struct sockaddr_in6 address, expected;
  char text[INET6_ADDRSTRLEN];
  memset(&address, 0xa5, sizeof(address));
  memset(&expected, 0, sizeof(expected));
  expected.sin6_family = AF_INET6;
  expected.sin6_port = htons(8080);
  expected.sin6_addr.s6_addr[15] = 1;
  CHECK_EQ(uv_ip6_addr("::1", 8080, &address), 0);
  CHECK(memcmp(&address, &expected, sizeof(address)) == 0);
  CHECK_EQ(uv_ip6_name(&address, text, sizeof(text)), 0);
  CHECK_STR(text, "::1");
  CHECK_EQ(uv_ip6_name(&address, text, 3), UV_ENOSPC);
  NEEDS(1, 43);
  CHECK_EQ(uv_ip_name((struct sockaddr*) &address, text, 4), 0);
  CHECK_STR(text, "::1");
}

TEST(ip6_addr_takes_the_scope_from_the_zone) {
  struct sockaddr_in6 address;
  char text[INET6_ADDRSTRLEN];
  unsigned lo = if_nametoindex("lo");
  CHECK_EQ(uv_ip6_addr("fe80::1", 1, &address), 0);
  CHECK_EQ(address.sin6_scope_id, 0);
  CHECK_EQ(uv_ip6_addr("fe80::1%no such one", 1, &address), 0);
  CHECK_EQ(address.sin6_scope_id, 0);
  CHECK_EQ(uv_ip6_addr("fe80::1%", 1, &address), 0);
  CHECK_EQ(address.sin6_scope_id, 0);
  CHECK_EQ(uv_ip6_addr("fe80::g%lo", 1, &address), UV_EINVAL);
  if (lo == 0) SKIP("no interface lo");
  CHECK_EQ(uv_ip6_addr("fe80::1%lo", 1, &address), 0);
  CHECK_EQ(address.sin6_scope_id, lo);
  CHECK_EQ(uv_ip6_name(&address, text, sizeof(text)), 0);
  CHECK_STR(text, "fe80::1");
  NEEDS(1, 52); /* older ones cut the longest address */
  CHECK_EQ(uv_ip6_addr("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%lo", 1, &address), 0);
  CHECK_EQ(address.sin6_scope_id, lo);
}

TEST(ip6_addr_does_not_cut_before_the_zone) {
  struct sockaddr_in6 address;
  OURS_ONLY("the reference takes the first 45 characters for the address");
  CHECK_EQ(uv_ip6_addr("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555%lo", 1, &address), UV_EINVAL);
  CHECK_EQ(uv_ip6_addr(NULL, 1, &address), UV_EINVAL);
}

TEST(ip_name_knows_two_families) {
  struct sockaddr address;
  char text[64];
  NEEDS(1, 43);
  memset(&address, 0, sizeof(address));
  address.sa_family = AF_UNIX;
  CHECK_EQ(uv_ip_name(&address, text, sizeof(text)), UV_EAFNOSUPPORT);
}
