/* Shared libraries at run time. */
#include "allocs.h"

static uv_lib_t lib;

TEST(a_library_that_is_not_there) {
  CHECK_EQ(uv_dlopen("/no/such/library.so", &lib), -1);
  CHECK(strstr(uv_dlerror(&lib), "/no/such/library.so") != NULL);
  CHECK(uv_dlerror(&lib) == uv_dlerror(&lib));
  uv_dlclose(&lib);
  CHECK_STR(uv_dlerror(&lib), "no error");
  uv_dlclose(&lib);
}

TEST(symbols_of_the_program_itself) {
  unsigned (*version)(void) = NULL;
  CHECK_EQ(uv_dlopen(NULL, &lib), 0);
  CHECK_STR(uv_dlerror(&lib), "no error");
  CHECK_EQ(uv_dlsym(&lib, "uv_version", (void**) &version), 0);
  CHECK_EQ(version(), uv_version());
  CHECK_STR(uv_dlerror(&lib), "no error");
  uv_dlclose(&lib);
}

TEST(a_symbol_that_is_not_there) {
  void* address = &lib;
  CHECK_EQ(uv_dlopen(NULL, &lib), 0);
  CHECK_EQ(uv_dlsym(&lib, "there_is_no_such_symbol", &address), -1);
  CHECK(address == NULL);
  CHECK(strstr(uv_dlerror(&lib), "there_is_no_such_symbol") != NULL);
  CHECK_EQ(uv_dlsym(&lib, "nor_this_one", &address), -1);
  CHECK(strstr(uv_dlerror(&lib), "nor_this_one") != NULL);
  CHECK_EQ(uv_dlsym(&lib, "uv_version", &address), 0);
  CHECK(address != NULL);
  uv_dlclose(&lib);
}

TEST(an_older_error_is_not_reported) {
  CHECK(dlopen("/no/such/library.so", RTLD_LAZY) == NULL);
  CHECK_EQ(uv_dlopen(NULL, &lib), 0);
  CHECK_STR(uv_dlerror(&lib), "no error");
  CHECK(dlsym(RTLD_DEFAULT, "there_is_no_such_symbol") == NULL);
  CHECK_EQ(uv_dlopen("/no/such/library.so", &lib), -1);
  CHECK(strstr(uv_dlerror(&lib), "/no/such/library.so") != NULL);
  uv_dlclose(&lib);
}

/* Only the text of an error needs memory. */
static int open_failing_at(long n) {
  allocs_fail_at(n);
  int result = uv_dlopen("/no/such/library.so", &lib);
  long refused = allocs.refused;
  allocs_fail_at(0);
  CHECK_EQ(result, -1);
  CHECK_EQ(lib.handle, NULL);
  if (refused != 0) CHECK_STR(uv_dlerror(&lib), "no error");
  uv_dlclose(&lib);
  return refused != 0 ? UV_ENOMEM : 0;
}

static int find_failing_at(long n) {
  void* address = &lib;
  CHECK_EQ(uv_dlopen(NULL, &lib), 0);
  allocs_fail_at(n);
  int result = uv_dlsym(&lib, "there_is_no_such_symbol", &address);
  long refused = allocs.refused;
  allocs_fail_at(0);
  CHECK_EQ(result, -1);
  CHECK_EQ(address, NULL);
  if (refused != 0) CHECK_STR(uv_dlerror(&lib), "no error");
  CHECK_EQ(uv_dlsym(&lib, "uv_version", &address), 0);
  uv_dlclose(&lib);
  return refused != 0 ? UV_ENOMEM : 0;
}

TEST(without_memory) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(open_failing_at), 1);
  CHECK_EQ(allocs_exhaust(find_failing_at), 1);
}
