/* Wake-ups from other threads through uv_async_send().
 *
 *   pingpong [IDLE]  two loops in two threads answer each other; IDLE more handles sleep on the first loop
 *   hammer [N]       N threads send to one handle as fast as they can; what counts is callbacks
 *   crowd [IDLE]     the same with one thread and IDLE (10000) handles that nobody sends to
 *   crowd_self       IDLE handles, the one that is sent to re-sends from its own callback
 *   million          another thread sends to random ones of a million handles
 *   sporadic [US]    one send each US (1000) microseconds: latency and CPU time when nothing is busy */
#include "bench.h"

static uv_loop_t loop;
static uv_async_t target;
static bench_run_t run;
static uint64_t callbacks;
static atomic_int finished;
static pthread_barrier_t gate;
static char name[64];

static uv_async_t *idle_handles;
static unsigned idle_count;

static void never(uv_async_t *handle) {
  (void)handle;
  BENCH_CHECK(!"an idle handle was called");
}

static void open_loop(unsigned idle, uv_async_cb cb) {
  idle_count = idle;
  idle_handles = calloc(idle + 1, sizeof *idle_handles);
  BENCH_CHECK(idle_handles != NULL);
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  for (unsigned i = 0; i < idle; i++) BENCH_CHECK(uv_async_init(&loop, &idle_handles[i], never) == 0);
  BENCH_CHECK(uv_async_init(&loop, &target, cb) == 0);
}

static void close_idle(void) {
  for (unsigned i = 0; i < idle_count; i++) uv_close((uv_handle_t *)&idle_handles[i], NULL);
}

static void close_loop(void) {
  close_idle();
  if (!uv_is_closing((uv_handle_t *)&target)) uv_close((uv_handle_t *)&target, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  free(idle_handles);
}

static void stop_when_over(void) {
  if (atomic_load_explicit(&bench_over, memory_order_relaxed)) uv_stop(&loop);
}

static void count(uv_async_t *handle) {
  (void)handle;
  callbacks++;
  stop_when_over();
}

/* pingpong */

static uv_async_t partner;

static void ping(uv_async_t *handle) {
  callbacks++;
  if (atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    bench_end(&run);
    atomic_store(&finished, 1);
    uv_stop(handle->loop);
  }
  uv_async_send(&partner);
}

static void pong(uv_async_t *handle) {
  if (atomic_load(&finished))
    uv_close((uv_handle_t *)handle, NULL);
  else
    uv_async_send(&target);
}

static void *partner_thread(void *unused) {
  uv_loop_t other;
  (void)unused;
  BENCH_CHECK(uv_loop_init(&other) == 0);
  BENCH_CHECK(uv_async_init(&other, &partner, pong) == 0);
  pthread_barrier_wait(&gate);
  uv_run(&other, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&other) == 0);
  return NULL;
}

static void pingpong(unsigned idle) {
  pthread_t thread;
  open_loop(idle, ping);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, partner_thread, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  uv_async_send(&partner);
  uv_run(&loop, UV_RUN_DEFAULT);
  pthread_join(thread, NULL);
  close_loop();
  if (idle > 0)
    snprintf(name, sizeof name, "async_pingpong_idle_%u", idle);
  else
    snprintf(name, sizeof name, "async_pingpong");
  bench_print(name, &run, callbacks, "");
}

/* hammer, crowd, million: senders that never wait */

static void *send_to_target(void *unused) {
  (void)unused;
  pthread_barrier_wait(&gate);
  while (!atomic_load_explicit(&finished, memory_order_relaxed)) uv_async_send(&target);
  return NULL;
}

static void *send_to_random(void *unused) {
  uint32_t state = 0x9e3779b9;
  (void)unused;
  pthread_barrier_wait(&gate);
  while (!atomic_load_explicit(&finished, memory_order_relaxed))
    uv_async_send(&idle_handles[bench_random(&state) % idle_count]);
  return NULL;
}

static void run_with_senders(unsigned senders, void *(*send)(void *)) {
  pthread_t threads[64];
  BENCH_CHECK(senders <= 64);
  pthread_barrier_init(&gate, NULL, senders + 1);
  for (unsigned i = 0; i < senders; i++) BENCH_CHECK(pthread_create(&threads[i], NULL, send, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  atomic_store(&finished, 1);
  for (unsigned i = 0; i < senders; i++) pthread_join(threads[i], NULL);
}

static void hammer(unsigned senders) {
  open_loop(0, count);
  run_with_senders(senders, send_to_target);
  close_loop();
  snprintf(name, sizeof name, "async_hammer_%u", senders);
  bench_print(name, &run, callbacks, "");
}

static void crowd(unsigned idle) {
  open_loop(idle, count);
  run_with_senders(1, send_to_target);
  close_loop();
  snprintf(name, sizeof name, "async_crowd_%u", idle);
  bench_print(name, &run, callbacks, "");
}

static void million(void) {
  open_loop(0, count);
  idle_count = 1000000;
  idle_handles = realloc(idle_handles, idle_count * sizeof *idle_handles);
  BENCH_CHECK(idle_handles != NULL);
  for (unsigned i = 0; i < idle_count; i++) BENCH_CHECK(uv_async_init(&loop, &idle_handles[i], count) == 0);
  run_with_senders(1, send_to_random);
  bench_print("async_million", &run, callbacks, "");
  fflush(stdout);
  _exit(0); /* closing them all is not what is measured here */
}

static void count_and_resend(uv_async_t *handle) {
  callbacks++;
  uv_async_send(handle);
  stop_when_over();
}

static void crowd_self(unsigned idle) {
  open_loop(idle, count_and_resend);
  bench_begin_bounded(&run);
  uv_async_send(&target);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  close_loop();
  snprintf(name, sizeof name, "async_crowd_self_%u", idle);
  bench_print(name, &run, callbacks, "");
}

/* sporadic */

static unsigned spacing_us;
static atomic_ullong sent_at;
static bench_samples_t latencies;

static void note_latency(uv_async_t *handle) {
  bench_sample(&latencies, bench_now_ns() - atomic_load(&sent_at));
  count(handle);
}

static void *send_sporadically(void *unused) {
  struct timespec pause_length = {0, (long)spacing_us * 1000};
  (void)unused;
  pthread_barrier_wait(&gate);
  while (!atomic_load(&finished)) {
    nanosleep(&pause_length, NULL);
    atomic_store(&sent_at, bench_now_ns());
    uv_async_send(&target);
  }
  return NULL;
}

static void sporadic(unsigned us) {
  char more[64];
  spacing_us = us;
  open_loop(0, note_latency);
  run_with_senders(1, send_sporadically);
  close_loop();
  bench_percentiles(&latencies, more, sizeof more);
  snprintf(name, sizeof name, "async_sporadic_%uus", us);
  bench_print(name, &run, callbacks, more);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "pingpong") == 0)
    pingpong(bench_argument(argc, argv, 2, 0));
  else if (strcmp(what, "hammer") == 0)
    hammer(bench_argument(argc, argv, 2, 1));
  else if (strcmp(what, "crowd") == 0)
    crowd(bench_argument(argc, argv, 2, 10000));
  else if (strcmp(what, "crowd_self") == 0)
    crowd_self(bench_argument(argc, argv, 2, 10000));
  else if (strcmp(what, "million") == 0)
    million();
  else if (strcmp(what, "sporadic") == 0)
    sporadic(bench_argument(argc, argv, 2, 1000));
  else
    return bench_usage("async pingpong [IDLE] | hammer [N] | crowd [IDLE] | crowd_self [IDLE] | million | sporadic [US]");
  return 0;
}
