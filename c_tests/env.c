/* The environment. */
#include "allocs.h"

extern char** environ;

static char buffer[64];
static size_t size;

TEST(get_needs_arguments) {
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", "x"), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_os_getenv(NULL, buffer, &size), UV_EINVAL);
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, NULL), UV_EINVAL);
  CHECK_EQ(size, sizeof(buffer));
  size = 0;
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, &size), UV_EINVAL);
  CHECK_EQ(size, 0);
}

TEST(get_says_how_much_it_needs) {
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", "12345678"), 0);
  for (size_t room = 1; room <= 8; room++) {
    memset(buffer, '#', sizeof(buffer));
    size = room;
    CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, &size), UV_ENOBUFS);
    CHECK_EQ(size, 9);
    CHECK_EQ(buffer[0], '#');
  }
  size = 9;
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, &size), 0);
  CHECK_EQ(size, 8);
  CHECK_STR(buffer, "12345678");
  CHECK_EQ(buffer[9], '#');
}

TEST(set_replaces_and_unset_removes) {
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", "one"), 0);
  CHECK_STR(getenv("UV_TEST_VALUE"), "one");
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", ""), 0);
  size = sizeof(buffer);
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, &size), 0);
  CHECK_EQ(size, 0);
  CHECK_STR(buffer, "");
  CHECK_EQ(uv_os_unsetenv("UV_TEST_VALUE"), 0);
  CHECK_EQ(getenv("UV_TEST_VALUE"), NULL);
  size = 5;
  CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", buffer, &size), UV_ENOENT);
  CHECK_EQ(size, 5);
  CHECK_EQ(uv_os_unsetenv("UV_TEST_VALUE"), 0);
}

TEST(bad_names) {
  CHECK_EQ(uv_os_setenv(NULL, "x"), UV_EINVAL);
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", NULL), UV_EINVAL);
  CHECK_EQ(uv_os_setenv(NULL, NULL), UV_EINVAL);
  CHECK_EQ(uv_os_setenv("", "x"), UV_EINVAL);
  CHECK_EQ(uv_os_setenv("a=b", "x"), UV_EINVAL);
  CHECK_EQ(uv_os_unsetenv(NULL), UV_EINVAL);
  CHECK_EQ(uv_os_unsetenv(""), UV_EINVAL);
  CHECK_EQ(uv_os_unsetenv("a=b"), UV_EINVAL);
  size = sizeof(buffer);
  CHECK_EQ(uv_os_getenv("", buffer, &size), UV_ENOENT);
  CHECK_EQ(uv_os_getenv("a=b", buffer, &size), UV_ENOENT);
}

TEST(values_may_be_long) {
  for (size_t length = 32768; length <= 4 * 32768; length += 32768) {
    char* value = malloc(length + 1);
    memset(value, 'x', length);
    value[length] = '\0';
    CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", value), 0);
    memset(value, 0, length);
    size = length + 1;
    CHECK_EQ(uv_os_getenv("UV_TEST_VALUE", value, &size), 0);
    CHECK_EQ(size, length);
    CHECK_EQ(strspn(value, "x"), length);
    free(value);
  }
}

TEST(list_splits_at_the_first_equals_sign) {
  static char *odd[] = {"A=1", "no equals sign", "B=", "C=x=y", "=D=z", "", NULL};
  static const char* expected[][2] = {{"A", "1"}, {"B", ""}, {"C", "x=y"}, {"", "D=z"}};
  char** saved = environ;
  uv_env_item_t* items = NULL;
  int count = -1;
  environ = odd;
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  environ = saved;
  CHECK_EQ(count, 4);
  for (int i = 0; i < count; i++) {
    CHECK_STR(items[i].name, expected[i][0]);
    CHECK_STR(items[i].value, expected[i][1]);
  }
  uv_os_free_environ(items, count);
}

TEST(list_is_a_copy) {
  uv_env_item_t* items;
  int count, found = 0;
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", "one"), 0);
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  CHECK_EQ(uv_os_setenv("UV_TEST_VALUE", "two"), 0);
  for (int i = 0; i < count; i++) {
    if (strcmp(items[i].name, "UV_TEST_VALUE") != 0) continue;
    found++;
    CHECK_STR(items[i].value, "one");
    items[i].value[0] = 'O'; /* and the caller's to change */
  }
  CHECK_EQ(found, 1);
  CHECK_STR(getenv("UV_TEST_VALUE"), "two");
  uv_os_free_environ(items, count);
}

TEST(list_can_be_empty) {
  static char* nothing[] = {NULL};
  uv_env_item_t* items = NULL;
  int count = -1;
  environ = nothing;
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  CHECK_EQ(count, 0);
  CHECK(items != NULL);
  uv_os_free_environ(items, count);
  uv_os_free_environ(NULL, 0);
}

TEST(list_after_clearenv) {
  uv_env_item_t* items;
  int count = -1;
  OURS_ONLY("the reference crashes");
  clearenv();
  CHECK_EQ(uv_os_environ(&items, &count), 0);
  CHECK_EQ(count, 0);
  uv_os_free_environ(items, count);
}

static int list_failing_at(long n) {
  uv_env_item_t* items = (void*) &items;
  int count = -1, result;
  allocs_fail_at(n);
  result = uv_os_environ(&items, &count);
  allocs_fail_at(0);
  if (result != 0) {
    CHECK_EQ(items, NULL);
    CHECK_EQ(count, 0);
  }
  uv_os_free_environ(items, count);
  return result;
}

TEST(list_without_memory) {
  static char* few[] = {"A=1", "B=2", "C=3", NULL};
  NEEDS(1, 52); /* older ones leak */
  allocs_install();
  environ = few;
  CHECK(allocs_exhaust(list_failing_at) > 0);
}
