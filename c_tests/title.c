/* The process title: uv_setup_args, uv_get_process_title, uv_set_process_title. */
#include "allocs.h"
#include "check.h"

#include <pthread.h>
#include <sys/prctl.h>

/* Arguments as the system places them: one after the other. */
static char block[] = "program\0first\0second";
static char* arguments[] = {block, block + 8, block + 14, NULL};
static char** copies;
static char buffer[256];

static void set_up(void) {
  copies = uv_setup_args(3, arguments);
  CHECK(copies != NULL && copies != arguments);
}

TEST(nothing_without_setup) {
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), UV_ENOBUFS);
  CHECK_EQ(uv_set_process_title("title"), UV_ENOBUFS);
  CHECK_EQ(uv_get_process_title(NULL, 10), UV_EINVAL);
  CHECK_EQ(uv_get_process_title(buffer, 0), UV_EINVAL);
  CHECK(uv_setup_args(0, arguments) == arguments);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), UV_ENOBUFS);
}

TEST(arguments_are_copied) {
  set_up();
  CHECK_STR(copies[0], "program");
  CHECK_STR(copies[1], "first");
  CHECK_STR(copies[2], "second");
  CHECK(copies[3] == NULL);
  CHECK_EQ(uv_set_process_title("a much longer title"), 0);
  CHECK_STR(copies[0], "program");
  CHECK_STR(copies[1], "first");
  CHECK_STR(copies[2], "second");
}

TEST(the_first_title_is_the_program) {
  set_up();
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_STR(buffer, "program");
}

TEST(titles_are_set_and_read) {
  set_up();
  CHECK_EQ(uv_set_process_title("%s new title"), 0);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_STR(buffer, "%s new title");
  CHECK_STR(block, "%s new title");
  CHECK_EQ(uv_set_process_title("short"), 0);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_STR(buffer, "short");
  for (size_t i = 5; i < sizeof(block); i++) CHECK_EQ(block[i], 0);
  CHECK_EQ(uv_set_process_title(""), 0);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_STR(buffer, "");
}

TEST(a_long_title_is_cut) {
  set_up();
  CHECK_EQ(uv_set_process_title("0123456789012345678901234567890123456789"), 0);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_EQ(strlen(buffer), sizeof(block) - 1);
  CHECK_EQ(block[sizeof(block) - 1], 0);
}

TEST(a_title_that_does_not_fit) {
  set_up();
  CHECK_EQ(uv_set_process_title("12345"), 0);
  CHECK_EQ(uv_get_process_title(buffer, 5), UV_ENOBUFS);
  CHECK_EQ(uv_get_process_title(buffer, 1), UV_ENOBUFS);
  CHECK_EQ(uv_get_process_title(buffer, 6), 0);
  CHECK_STR(buffer, "12345");
}

TEST(the_thread_gets_the_name_too) {
  char name[16];
  set_up();
  CHECK_EQ(uv_set_process_title("0123456789abcdef"), 0);
  CHECK_EQ(prctl(PR_GET_NAME, name), 0);
  CHECK_STR(name, "0123456789abcde");
}

static int real_argc;
static char** real_argv;

__attribute__((constructor)) static void keep_arguments(int argc, char** argv) {
  real_argc = argc;
  real_argv = argv;
}

TEST(the_system_shows_the_title) {
  FILE* file;
  copies = uv_setup_args(real_argc, real_argv);
  CHECK(copies != real_argv);
  CHECK_EQ(uv_set_process_title("t"), 0);
  file = fopen("/proc/self/cmdline", "r");
  CHECK(file != NULL);
  CHECK(fgets(buffer, sizeof(buffer), file) != NULL);
  fclose(file);
  CHECK_STR(buffer, "t");
}

TEST(arguments_elsewhere_are_left_alone) {
  char other[] = "other";
  char* scattered[] = {block, other, NULL};
  OURS_ONLY("the reference writes over what lies between");
  copies = uv_setup_args(2, scattered);
  CHECK_EQ(uv_set_process_title("0123456789012345678901234567890123456789"), 0);
  CHECK_EQ(uv_get_process_title(buffer, sizeof(buffer)), 0);
  CHECK_STR(buffer, "0123456");
  CHECK_STR(block + 8, "first");
  CHECK_STR(other, "other");
}

TEST(a_second_setup_changes_nothing) {
  OURS_ONLY("the reference takes the copies for the title");
  set_up();
  CHECK(uv_setup_args(3, copies) == copies);
  CHECK_EQ(uv_set_process_title("title"), 0);
  CHECK_STR(block, "title");
  CHECK_STR(copies[0], "program");
}

static void* change_titles(void* title) {
  char found[32];
  for (int i = 0; i < 2000; i++) {
    CHECK_EQ(uv_set_process_title(title), 0);
    CHECK_EQ(uv_get_process_title(found, sizeof(found)), 0);
    CHECK(strcmp(found, "aaaaaaaa") == 0 || strcmp(found, "bbbbbbbbbbbbbb") == 0);
  }
  return NULL;
}

TEST(no_title) {
  OURS_ONLY("the reference crashes");
  set_up();
  CHECK_EQ(uv_set_process_title(NULL), UV_EINVAL);
}

TEST(threads_see_whole_titles) {
  pthread_t threads[2];
  char* titles[2] = {"aaaaaaaa", "bbbbbbbbbbbbbb"};
  set_up();
  CHECK_EQ(uv_set_process_title(titles[0]), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&threads[i], NULL, change_titles, titles[i]), 0);
  for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

TEST(without_memory_the_arguments_stay) {
  allocs_install();
  allocs_fail_at(1);
  CHECK(uv_setup_args(3, arguments) == arguments);
  CHECK_EQ(allocs.refused, 1);
  CHECK_EQ(uv_set_process_title("title"), UV_ENOBUFS);
  CHECK_STR(block, "program");
}
