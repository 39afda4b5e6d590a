/* What the debug port says of named locks: 1.5.27 of docs/uvx/BEHAVIOUR.md. */
#include "debug_port.h"

#include "allocs.h"
#include "counters.h"

typedef uvx_lock_t lock_t;

static const char* ask_for_locks(void) {
  const char* locks = json_get(ask(), "locks");
  CHECK(locks != NULL);
  return locks;
}

static void check_counts(const char* locks, int names, int held, int waiting) {
  CHECK(json_get(locks, "waiting") != NULL);
  CHECK_EQ(json_number(json_get(locks, "names")), names);
  CHECK_EQ(json_number(json_get(locks, "held")), held);
  CHECK_EQ(json_number(json_get(locks, "waiting")), waiting);
}

static void check_text(const char* of, const char* key, const char* wanted) {
  char text[256];
  CHECK_STR(json_string(json_get(of, key), text, sizeof text), wanted);
}

static void check_lock(const char* lock, const char* mode, const char* state, long long of_loop, long long tid) {
  CHECK(lock != NULL);
  check_text(lock, "mode", mode);
  check_text(lock, "state", state);
  CHECK(json_get(lock, "loop") != NULL);
  CHECK_EQ(json_number(json_get(lock, "loop")), of_loop);
  CHECK_EQ(json_number(json_get(lock, "tid")), tid);
}

static int ended;

static void on_lock(lock_t* lock, int status) {
  (void) lock;
  CHECK(status == 0 || status == UV_ECANCELED);
  ended++;
}

static void request(lock_t* lock, const char* name, unsigned flags) {
  CHECK_EQ(uvx_lock_request(&loop, lock, name, flags, on_lock, NULL), 0);
}

static void release(lock_t* lock) {
  CHECK_EQ(uvx_lock_release(lock), 0);
}

static int tid_of_thread, waits;

static void* wait_on_a_thread(void* name) {
  lock_t lock;
  tid_of_thread = gettid();
  add(&waits, 1);
  CHECK_EQ(uvx_lock_wait(&lock, name, UVX_LOCK_SHARED, UVX_FOREVER), 0);
  release(&lock);
  return NULL;
}

TEST(who_holds_and_who_waits_is_shown) {
  lock_t holder, waiter, sharers[2];
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  check_counts(ask_for_locks(), 0, 0, 0);
  CHECK(json_item(json_get(ask_for_locks(), "first"), 0) == NULL);
  long long id = json_number(json_get(ask_for_loop(), "id"));
  request(&holder, "cache", 0);
  check_counts(ask_for_locks(), 1, 1, 0); /* granted, and the loop has not run */
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  pthread_t thread = port_thread(wait_on_a_thread, "cache");
  wait_until(&waits, 1);
  while (json_number(json_get(ask_for_locks(), "waiting")) == 0) sched_yield();
  request(&waiter, "cache", 0);
  const char *locks = ask_for_locks(), *first = json_get(locks, "first");
  check_counts(locks, 1, 1, 2);
  check_lock(json_item(first, 0), "exclusive", "held", id, gettid());
  check_lock(json_item(first, 1), "shared", "waiting", 0, tid_of_thread);
  check_lock(json_item(first, 2), "exclusive", "waiting", id, gettid());
  for (int i = 0; i < 3; i++) check_text(json_item(first, i), "name", "cache");
  CHECK(json_item(first, 3) == NULL);
  release(&holder);
  port_join(thread);
  for (int i = 0; i < 2; i++) request(&sharers[i], "a \"second\" one", UVX_LOCK_SHARED);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(ended, 4);
  check_counts(ask_for_locks(), 2, 3, 0);
  release(&waiter);
  first = json_get(ask_for_locks(), "first");
  for (int i = 0; i < 2; i++) {
    check_lock(json_item(first, i), "shared", "held", id, gettid());
    check_text(json_item(first, i), "name", "a \"second\" one");
    release(&sharers[i]);
  }
  check_counts(ask_for_locks(), 0, 0, 0);
  check_close_loop(&loop);
  stop();
}

TEST(of_many_the_first_are_shown) {
  enum { LOCKS = 70, SHOWN = 64 };
  static lock_t locks[LOCKS];
  char name[200], wanted[SHOWN + 1];
  start();
  CHECK_EQ(uv_loop_init(&loop), 0);
  memset(name, 'x', sizeof name);
  memset(wanted, 'x', sizeof wanted);
  wanted[SHOWN] = '\0';
  for (int i = 0; i < LOCKS; i++) {
    snprintf(name + 150, sizeof name - 150, "%d", i);
    request(&locks[i], name, 0);
  }
  const char *shown = ask_for_locks(), *first = json_get(shown, "first");
  check_counts(shown, LOCKS, LOCKS, 0);
  for (int i = 0; i < SHOWN; i++) check_text(json_item(first, i), "name", wanted); /* and no more of it */
  CHECK(json_item(first, SHOWN) == NULL);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  for (int i = 0; i < LOCKS; i++) release(&locks[i]);
  check_close_loop(&loop);
  stop();
}

static int over;

static void on_own_lock(lock_t* lock, int status) {
  CHECK_EQ(status, 0);
  release(lock);
}

static void* keep_locking(void* arg) {
  lock_t lock, requested;
  uv_loop_t own;
  while (!get(&over)) {
    CHECK_EQ(uv_loop_init(&own), 0);
    CHECK_EQ(uvx_lock_wait(&lock, arg, 0, UVX_FOREVER), 0);
    CHECK_EQ(uvx_lock_request(&own, &requested, "of loops", UVX_LOCK_SHARED, on_own_lock, NULL), 0);
    CHECK_EQ(uv_run(&own, UV_RUN_DEFAULT), 0);
    release(&lock);
    check_close_loop(&own);
    memset(&own, 0xff, sizeof own);
    memset(&lock, 0xff, sizeof lock);
    memset(&requested, 0xff, sizeof requested);
  }
  return NULL;
}

TEST(asking_races_locks) {
  pthread_t threads[3];
  allocs_install();
  start();
  for (int i = 0; i < 3; i++) threads[i] = port_thread(keep_locking, i == 0 ? "alone" : "contended");
  for (int i = 0; i < 300; i++) {
    const char* locks = ask_for_locks();
    CHECK(json_number(json_get(locks, "names")) <= 3);
    CHECK(json_number(json_get(locks, "held")) + json_number(json_get(locks, "waiting")) <= 6);
  }
  add(&over, 1);
  for (int i = 0; i < 3; i++) port_join(threads[i]);
  check_counts(ask_for_locks(), 0, 0, 0);
  stop();
  CHECK_EQ(allocs_live(), 0);
}

TEST(the_child_of_a_fork_shows_its_own_locks_alone) {
  NOT_UNDER_TSAN("its runtime does not start threads in the child of a program with threads");
  lock_t lock, own;
  start();
  CHECK_EQ(uvx_lock_wait(&lock, "parent", 0, UVX_FOREVER), 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    strcat(path, "2");
    CHECK_EQ(start_at(path), 0);
    check_counts(ask_for_locks(), 0, 0, 0);
    CHECK_EQ(uvx_lock_wait(&own, "child", 0, UVX_FOREVER), 0);
    check_lock(json_item(json_get(ask_for_locks(), "first"), 0), "exclusive", "held", 0, gettid());
    release(&own);
    uvx_debug_stop();
    _exit(0);
  }
  check_child(child);
  check_counts(ask_for_locks(), 1, 1, 0);
  release(&lock);
  stop();
}

/* The command for people, if it was built. */
TEST(uvx_inspect_shows_locks) {
  char command[600], line[400], wanted[100];
  const char* inspect = getenv("UVX_INSPECT");
  if (inspect == NULL) SKIP("UVX_INSPECT does not say where uvx-inspect is");
  lock_t locks[2];
  int found = 0;
  start();
  CHECK_EQ(uvx_lock_wait(&locks[0], "cache", 0, UVX_FOREVER), 0);
  CHECK_EQ(uvx_lock_wait(&locks[1], "index", UVX_LOCK_SHARED, UVX_FOREVER), 0);
  snprintf(command, sizeof command, "%s -1 %s", inspect, path);
  snprintf(wanted, sizeof wanted, "held, shared, thread %d\n", gettid());
  FILE* shown = popen(command, "r");
  CHECK(shown != NULL);
  while (fgets(line, sizeof line, shown) != NULL) {
    if (strcmp(line, "locks  2 names, 2 held, 0 waiting\n") == 0) found |= 1;
    if (strncmp(line, "  cache ", 8) == 0 && strstr(line, "held, exclusive, thread ") != NULL) found |= 2;
    if (strncmp(line, "  index ", 8) == 0 && strstr(line, wanted) != NULL) found |= 4;
  }
  CHECK_EQ(pclose(shown), 0);
  CHECK_EQ(found, 7);
  for (int i = 0; i < 2; i++) release(&locks[i]);
  stop();
}
