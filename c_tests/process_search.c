/* Where uv_spawn looks for the program. */
#include "process.h"

#include <sys/stat.h>

static char folder[] = "/tmp/uv-process-XXXXXX";

static void make_script(const char* name, const char* text, int mode) {
  char path[256];
  int fd;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, text, strlen(text)), (ssize_t) strlen(text));
  CHECK_EQ(fchmod(fd, mode), 0);
  close(fd);
}

static void remove_scripts(void) {
  char command[256];
  snprintf(command, sizeof(command), "rm -r %s", folder);
  CHECK_EQ(system(command), 0);
}

TEST(the_file_is_looked_up_in_the_path_that_the_child_gets) {
  NEEDS(1, 52);
  char path[512], sub[256];
  char* env[] = {path, NULL};
  CHECK(mkdtemp(folder) != NULL);
  make_script("uv-script", "#!/bin/sh\nexit 5\n", 0755);
  snprintf(sub, sizeof(sub), "%s/sub", folder);
  CHECK_EQ(mkdir(sub, 0755), 0);
  make_script("sub/uv-script", "#!/bin/sh\nexit 6\n", 0644);
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("");
  args[0] = "uv-script";
  args[1] = NULL;
  options.file = "uv-script";
  expect_failure(UV_ENOENT);
  options.env = env;
  snprintf(path, sizeof(path), "PATH=/no/such/folder:/dev/null:%s:%s", sub, folder);
  run();
  CHECK_EQ(last_status, 5); /* the other could not be executed */
  snprintf(path, sizeof(path), "PATH=%s:/no/such/folder", sub);
  expect_failure(UV_EACCES);
  snprintf(path, sizeof(path), "PATH=/no/such/folder:");
  expect_failure(UV_ENOENT);
  options.cwd = folder; /* an empty entry is the child's own folder */
  run();
  CHECK_EQ(last_status, 5);
  snprintf(path, sizeof(path), "PATH=");
  run();
  CHECK_EQ(last_status, 5);
  options.file = "./uv-script";
  snprintf(path, sizeof(path), "PATH=/no/such/folder");
  run();
  CHECK_EQ(last_status, 5);
  remove_scripts();
  check_close_loop(&loop);
}

TEST(without_a_path_the_usual_folders_are_searched) {
  char* env[] = {"A=1", NULL};
  CHECK_EQ(uv_loop_init(&loop), 0);
  prepare("exit 4");
  options.file = "sh";
  options.env = env;
  run();
  CHECK_EQ(last_status, 4);
  check_close_loop(&loop);
}
