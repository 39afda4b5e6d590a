/* The version number. */
#include "check.h"

TEST(number_and_text_agree) {
  char text[32];
  unsigned version = uv_version();
  snprintf(text, sizeof(text), "%u.%u.%u", version >> 16, version >> 8 & 0xff, version & 0xff);
  CHECK(strncmp(uv_version_string(), text, strlen(text)) == 0);
  CHECK_EQ(version >> 16, UV_VERSION_MAJOR);
}

TEST(library_and_header_agree) {
  char text[32];
  OURS_ONLY("the header is of another version");
  CHECK_EQ(uv_version(), UV_VERSION_HEX);
  snprintf(text, sizeof(text), "%d.%d.%d", UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH);
  CHECK_STR(uv_version_string(), text);
}
