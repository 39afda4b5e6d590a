/* Named locks, on this library alone.
 *
 *   wait [NAMES]         a thread has a lock that nobody else wants, and gives it up; NAMES (0) others are in use
 *   turn                 a loop asks for a lock that nobody else wants, has it, gives it up
 *   threads              two threads without a loop that take turns
 *   loops                two loops in two threads that take turns: always one has the lock, and the other waits */
#include "bench.h"

#include <uvx.h>

static bench_run_t run;
static uint64_t turns;

static int go_on(void) {
  return !atomic_load_explicit(&bench_over, memory_order_relaxed);
}

static void wait_alone(unsigned others) {
  uvx_lock_t lock, *used = calloc(others + 1, sizeof *used);
  char name[32];
  for (unsigned i = 0; i < others; i++) {
    snprintf(name, sizeof name, "name %u", i);
    BENCH_CHECK(uvx_lock_wait(&used[i], name, 0, 0) == 0);
  }
  bench_begin_bounded(&run);
  for (; go_on(); turns++) BENCH_CHECK(uvx_lock_wait(&lock, "name", 0, UVX_FOREVER) == 0 && uvx_lock_release(&lock) == 0);
  bench_end(&run);
  for (unsigned i = 0; i < others; i++) uvx_lock_release(&used[i]);
  free(used);
  snprintf(name, sizeof name, "names=%u", others);
  bench_print("locks_wait", &run, turns, name);
}

/* Of all that take turns: the lock guards `turns`. */
static void on_granted(uvx_lock_t *lock, int status) {
  BENCH_CHECK(status == 0 && uvx_lock_is_held(lock));
  turns++;
  uvx_lock_release(lock);
  if (go_on()) BENCH_CHECK(uvx_lock_request(lock->data, lock, "name", 0, on_granted, NULL) == 0);
}

static pthread_barrier_t gate;

static void *run_loop(void *unused) {
  uv_loop_t loop;
  uvx_lock_t locks[2]; /* so that one of them always waits */
  (void)unused;
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  for (int i = 0; i < 2; i++) {
    locks[i].data = &loop;
    BENCH_CHECK(uvx_lock_request(&loop, &locks[i], "name", 0, on_granted, NULL) == 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  pthread_barrier_wait(&gate); /* stays until its CPU time is counted */
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  return NULL;
}

static void *run_thread(void *unused) {
  uvx_lock_t lock;
  (void)unused;
  while (go_on()) {
    BENCH_CHECK(uvx_lock_wait(&lock, "name", 0, UVX_FOREVER) == 0);
    turns++;
    uvx_lock_release(&lock);
  }
  pthread_barrier_wait(&gate);
  return NULL;
}

static void take_turns(const char *name, unsigned count, void *(*function)(void *)) {
  pthread_t threads[2];
  struct timespec moment = {0, 1000000};
  pthread_barrier_init(&gate, NULL, count + 1);
  bench_begin_bounded(&run);
  for (unsigned i = 0; i < count; i++) BENCH_CHECK(pthread_create(&threads[i], NULL, function, NULL) == 0);
  while (go_on()) nanosleep(&moment, NULL);
  bench_end(&run);
  bench_print(name, &run, turns, "");
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "wait") == 0) {
    wait_alone(argc > 2 ? (unsigned)atoi(argv[2]) : 0);
  } else if (strcmp(what, "turn") == 0) {
    take_turns("locks_turn", 1, run_loop);
  } else if (strcmp(what, "loops") == 0) {
    take_turns("locks_loops", 2, run_loop);
  } else if (strcmp(what, "threads") == 0) {
    take_turns("locks_threads", 2, run_thread);
  } else {
    fprintf(stderr, "usage: locks wait [NAMES] | turn | threads | loops\n");
    return 2;
  }
  return 0;
}
