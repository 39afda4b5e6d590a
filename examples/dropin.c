/* One program for two libraries: compiled once, run on the reference's libuv.so.1 and on ours, with the same output.
 * examples/dropin.sh does that. Everything printed is determined by libuv's interface, not by the machine or by chance. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static uv_loop_t loop;

static void section(const char *name) { printf("== %s\n", name); }

static void close_all(uv_handle_t *handle, void *unused) {
  (void)unused;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void open_loop(const char *name) {
  section(name);
  printf("init %d\n", uv_loop_init(&loop));
}

static void close_loop(void) {
  uv_walk(&loop, close_all, NULL);
  printf("run %d\n", uv_run(&loop, UV_RUN_DEFAULT));
  printf("close %d\n", uv_loop_close(&loop));
}

/* names of errors, handles and requests */

static void names(void) {
  char text[64];
  section("names");
#define PRINT_ERROR(name, unused) printf("%d %s %s\n", UV_##name, uv_err_name(UV_##name), uv_strerror(UV_##name));
  UV_ERRNO_MAP(PRINT_ERROR)
#undef PRINT_ERROR
  printf("%s / %s\n", uv_err_name_r(-123456, text, sizeof text), uv_strerror_r(UV_EBADF, text, 8));
  printf("translate %d %d\n", uv_translate_sys_error(2), uv_translate_sys_error(-2));
  for (int type = UV_UNKNOWN_HANDLE; type <= UV_HANDLE_TYPE_MAX; type++) {
    const char *name = uv_handle_type_name((uv_handle_type)type);
    printf("handle %d %s %zu\n", type, name ? name : "-", uv_handle_size((uv_handle_type)type));
  }
  for (int type = UV_UNKNOWN_REQ; type <= UV_REQ_TYPE_MAX; type++) {
    const char *name = uv_req_type_name((uv_req_type)type);
    printf("request %d %s %zu\n", type, name ? name : "-", uv_req_size((uv_req_type)type));
  }
  printf("loop %zu\n", uv_loop_size());
}

/* phases of a turn */

static uv_idle_t idle;
static uv_prepare_t prepare;
static uv_check_t check;
static uv_timer_t timers[4];
static int turns;

static void on_idle(uv_idle_t *handle) {
  printf("turn %d: idle", ++turns);
  if (turns == 3) uv_idle_stop(handle);
}

static void on_prepare(uv_prepare_t *handle) { printf(", prepare %d", uv_backend_timeout(handle->loop) == 0); }

static void on_closed(uv_handle_t *handle) { printf("closed %s\n", uv_handle_type_name(handle->type)); }

static void on_check(uv_check_t *handle) {
  printf(", check\n");
  if (turns != 3) return;
  uv_close((uv_handle_t *)&prepare, on_closed);
  uv_close((uv_handle_t *)handle, on_closed);
  uv_close((uv_handle_t *)&idle, on_closed);
}

static void phases(void) {
  open_loop("phases");
  uv_idle_init(&loop, &idle);
  uv_prepare_init(&loop, &prepare);
  uv_check_init(&loop, &check);
  printf("alive %d\n", uv_loop_alive(&loop));
  uv_idle_start(&idle, on_idle);
  uv_prepare_start(&prepare, on_prepare);
  uv_check_start(&check, on_check);
  printf("alive %d, start without callback %d\n", uv_loop_alive(&loop), uv_check_start(&check, NULL));
  printf("nowait %d\n", uv_run(&loop, UV_RUN_NOWAIT));
  printf("once %d\n", uv_run(&loop, UV_RUN_ONCE));
  printf("close while open %s\n", uv_err_name(uv_loop_close(&loop)));
  close_loop();
}

/* timers */

static void on_timer(uv_timer_t *timer) {
  printf("timer %d, due in %d\n", (int)(timer - timers), uv_timer_get_due_in(timer) > 0);
  if (uv_timer_get_repeat(timer) > 0 && ++turns == 3) uv_timer_stop(timer);
}

static void on_restart(uv_timer_t *timer) {
  printf("restarted timer runs in turn %d\n", ++turns);
  if (turns < 3) uv_timer_start(timer, on_restart, 0, 0);
}

static void timing(void) {
  open_loop("timers");
  for (int i = 0; i < 4; i++) uv_timer_init(&loop, &timers[i]);
  printf("again before start %s\n", uv_err_name(uv_timer_again(&timers[0])));
  printf("start without callback %s\n", uv_err_name(uv_timer_start(&timers[0], NULL, 1, 0)));
  uint64_t before = uv_now(&loop); /* from when the timers count */
  uv_timer_start(&timers[0], on_timer, 20, 0);
  uv_timer_start(&timers[1], on_timer, 10, 0);
  uv_timer_start(&timers[2], on_timer, 10, 0);
  uv_timer_start(&timers[3], on_timer, 1, 30);
  uv_update_time(&loop);
  printf("timeout %d, due %d, repeat %d\n", uv_backend_timeout(&loop) <= 1, uv_timer_get_due_in(&timers[0]) <= 20,
         (int)uv_timer_get_repeat(&timers[3]));
  turns = 0;
  uv_run(&loop, UV_RUN_DEFAULT);
  printf("lasted long enough %d\n", uv_now(&loop) - before >= 61);

  turns = 0;
  uv_timer_start(&timers[0], on_restart, 0, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_timer_start(&timers[1], on_timer, 100000, 0);
  uv_unref((uv_handle_t *)&timers[1]);
  printf("unreferenced: active %d, referenced %d", uv_is_active((uv_handle_t *)&timers[1]), uv_has_ref((uv_handle_t *)&timers[1]));
  printf(", run %d\n", uv_run(&loop, UV_RUN_DEFAULT));
  uv_close((uv_handle_t *)&timers[1], NULL);
  printf("start while closing %s\n", uv_err_name(uv_timer_start(&timers[1], on_timer, 0, 0)));
  close_loop();
}

/* async handles, sent to by threads */

enum { SENDERS = 3, SENDS = 100 };

static uv_async_t asyncs[SENDERS];
static uv_sem_t answered[SENDERS];
static int received[SENDERS];

static void on_async(uv_async_t *async) {
  int i = (int)(async - asyncs);
  uv_sem_post(&answered[i]);
  if (++received[i] == SENDS) uv_close((uv_handle_t *)async, NULL);
}

static void send_and_wait(void *argument) {
  uv_async_t *async = argument;
  for (int i = 0; i < SENDS; i++) {
    uv_async_send(async);
    uv_sem_wait(&answered[async - asyncs]);
  }
}

static void asynchronous(void) {
  uv_thread_t threads[SENDERS];
  open_loop("async");
  for (int i = 0; i < SENDERS; i++) {
    uv_sem_init(&answered[i], 0);
    uv_async_init(&loop, &asyncs[i], on_async);
    printf("thread %d\n", uv_thread_create(&threads[i], send_and_wait, &asyncs[i]));
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  for (int i = 0; i < SENDERS; i++) {
    printf("join %d, received %d\n", uv_thread_join(&threads[i]), received[i]);
    uv_sem_destroy(&answered[i]);
  }
  close_loop();
}

/* signals */

static uv_signal_t signals[3];

static void on_signal(uv_signal_t *handle, int number) {
  printf("signal handle %d, %s\n", (int)(handle - signals), number == SIGUSR1 ? "SIGUSR1" : "SIGUSR2");
  if (number == SIGUSR2) uv_signal_stop(handle);
  if (number == SIGUSR2 && handle == &signals[2]) uv_signal_stop(&signals[0]);
}

static void signalling(void) {
  open_loop("signals");
  for (int i = 0; i < 3; i++) uv_signal_init(&loop, &signals[i]);
  printf("signal 0 %s\n", uv_err_name(uv_signal_start(&signals[0], on_signal, 0)));
  printf("start %d\n", uv_signal_start(&signals[0], on_signal, SIGUSR1));
  printf("start once %d\n", uv_signal_start_oneshot(&signals[1], on_signal, SIGUSR1));
  printf("start %d\n", uv_signal_start(&signals[2], on_signal, SIGUSR2));
  raise(SIGUSR1);
  uv_run(&loop, UV_RUN_ONCE);
  printf("active %d %d\n", uv_is_active((uv_handle_t *)&signals[0]), uv_is_active((uv_handle_t *)&signals[1]));
  raise(SIGUSR1);
  uv_run(&loop, UV_RUN_ONCE);
  raise(SIGUSR2);
  uv_run(&loop, UV_RUN_DEFAULT);
  close_loop();
}

/* poll on a pipe */

static int ends[2];

static void on_poll(uv_poll_t *poll, int status, int events) {
  char byte;
  printf("poll %d:%s%s", status, events & UV_READABLE ? " readable" : "", events & UV_WRITABLE ? " writable" : "");
  if (events & UV_WRITABLE) {
    printf(", written %d\n", (int)write(ends[1], "x", 1));
    uv_poll_stop(poll);
    return;
  }
  ssize_t n = read(ends[0], &byte, 1);
  printf(", read %d\n", (int)n);
  if (n == 1) close(ends[1]);
  else uv_poll_stop(poll);
}

static void polling(void) {
  uv_poll_t reader, writer;
  open_loop("poll");
  if (pipe(ends) != 0) abort();
  printf("init %d %d\n", uv_poll_init(&loop, &reader, ends[0]), uv_poll_init(&loop, &writer, ends[1]));
  uv_poll_start(&reader, UV_READABLE, on_poll);
  uv_poll_start(&writer, UV_WRITABLE, on_poll);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_os_fd_t fd = -1;
  printf("fileno %d", uv_fileno((uv_handle_t *)&reader, &fd));
  printf(" %d\n", fd == ends[0]);
  printf("guess %s\n", uv_guess_handle(ends[0]) == UV_NAMED_PIPE ? "pipe" : "else");
  close_loop();
  close(ends[0]);
}

/* the thread pool, one thread so that the order is certain */

enum { ITEMS = 4 };

static uv_work_t items[ITEMS];
static uv_sem_t begun, proceed;

static void block(uv_work_t *item) {
  (void)item;
  uv_sem_post(&begun);
  uv_sem_wait(&proceed);
}

static void work(uv_work_t *item) { item->data = (void *)(intptr_t)(1 + (item - items)); }

static void after_work(uv_work_t *item, int status) {
  printf("item %d: %s, data %d\n", (int)(item - items), status == 0 ? "done" : uv_err_name(status), (int)(intptr_t)item->data);
}

static void pooling(void) {
  open_loop("pool");
  uv_sem_init(&begun, 0);
  uv_sem_init(&proceed, 0);
  printf("no callback %s\n", uv_err_name(uv_queue_work(&loop, &items[0], NULL, after_work)));
  uv_queue_work(&loop, &items[0], block, after_work);
  for (int i = 1; i < ITEMS; i++) uv_queue_work(&loop, &items[i], work, after_work);
  uv_sem_wait(&begun);
  printf("cancel running %s", uv_err_name(uv_cancel((uv_req_t *)&items[0])));
  printf(", waiting %d", uv_cancel((uv_req_t *)&items[2]));
  printf(", twice %d\n", uv_cancel((uv_req_t *)&items[2]));
  uv_run(&loop, UV_RUN_ONCE);
  uv_sem_post(&proceed);
  printf("loop %d\n", uv_run(&loop, UV_RUN_DEFAULT));
  uv_sem_destroy(&begun);
  uv_sem_destroy(&proceed);
  close_loop();
}

/* walking the handles */

static void describe(uv_handle_t *handle, void *count) {
  printf("%d: %s active %d closing %d referenced %d data %d\n", ++*(int *)count, uv_handle_type_name(handle->type),
         uv_is_active(handle), uv_is_closing(handle), uv_has_ref(handle), uv_handle_get_data(handle) == count);
}

static void walking(void) {
  int count = 0;
  open_loop("walk");
  uv_idle_init(&loop, &idle);
  uv_timer_init(&loop, &timers[0]);
  uv_timer_start(&timers[0], on_timer, 1000, 0);
  uv_async_init(&loop, &asyncs[0], on_async);
  uv_check_init(&loop, &check);
  uv_unref((uv_handle_t *)&check);
  uv_handle_set_data((uv_handle_t *)&check, &count);
  uv_close((uv_handle_t *)&idle, on_closed);
  uv_walk(&loop, describe, &count);
  close_loop();
}

/* addresses */

static void addresses(void) {
  static const char *const four[] = {"127.0.0.1", "255.255.255.255", "0.0.0.0", "256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4 ", ""};
  static const char *const six[] = {"::", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1::2::3", "12345::", "fe80::1%nope",
                                    "1:2:3", ":::"};
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  char text[64];
  section("addresses");
  for (size_t i = 0; i < sizeof four / sizeof *four; i++) {
    int status = uv_ip4_addr(four[i], 80, &in);
    printf("'%s' %d", four[i], status);
    if (status == 0) printf(" %d %s port %d", uv_ip4_name(&in, text, sizeof text), text, ntohs(in.sin_port));
    printf("\n");
  }
  for (size_t i = 0; i < sizeof six / sizeof *six; i++) {
    int status = uv_ip6_addr(six[i], 443, &in6);
    printf("'%s' %d", six[i], status);
    if (status == 0) printf(" %d %s port %d", uv_ip6_name(&in6, text, sizeof text), text, ntohs(in6.sin6_port));
    printf("\n");
  }
  uv_ip4_addr("192.168.100.200", 1, &in);
  printf("too small %s\n", uv_err_name(uv_ip4_name(&in, text, 4)));
  printf("family %s\n", uv_err_name(uv_inet_pton(12345, "::", &in6)));
  printf("%d %s\n", uv_inet_ntop(AF_INET, &in.sin_addr, text, sizeof text), text);
}

/* threads */

static uv_mutex_t mutex;
static uv_cond_t condition;
static uv_barrier_t barrier;
static uv_rwlock_t rwlock;
static uv_key_t key;
static uv_once_t once = UV_ONCE_INIT;
static int serial, counter, once_count;

static void count_once(void) { once_count++; }

static void contend(void *unused) {
  (void)unused;
  uv_once(&once, count_once);
  uv_key_set(&key, &serial);
  uv_barrier_wait(&barrier);
  for (int i = 0; i < 10000; i++) {
    uv_mutex_lock(&mutex);
    counter++;
    uv_mutex_unlock(&mutex);
  }
  uv_rwlock_rdlock(&rwlock);
  uv_rwlock_rdunlock(&rwlock);
  uv_mutex_lock(&mutex);
  serial++;
  uv_cond_signal(&condition);
  uv_mutex_unlock(&mutex);
}

static void threading(void) {
  uv_thread_t threads[4], self = uv_thread_self();
  uv_sem_t semaphore;
  section("threads");
  printf("init %d %d %d %d %d\n", uv_mutex_init(&mutex), uv_cond_init(&condition), uv_barrier_init(&barrier, 5),
         uv_rwlock_init(&rwlock), uv_key_create(&key));
  for (int i = 0; i < 4; i++) uv_thread_create(&threads[i], contend, NULL);
  printf("equal %d %d\n", uv_thread_equal(&self, &self) != 0, uv_thread_equal(&self, &threads[0]) != 0);
  uv_barrier_wait(&barrier);
  uv_mutex_lock(&mutex);
  while (serial < 4) uv_cond_wait(&condition, &mutex);
  printf("timed wait %s\n", uv_err_name(uv_cond_timedwait(&condition, &mutex, 1000000)));
  uv_mutex_unlock(&mutex);
  for (int i = 0; i < 4; i++) printf("join %d\n", uv_thread_join(&threads[i]));
  printf("counter %d, once %d, key %d\n", counter, once_count, uv_key_get(&key) == NULL);

  uv_mutex_lock(&mutex);
  printf("trylock %s", uv_err_name(uv_mutex_trylock(&mutex)));
  uv_mutex_unlock(&mutex);
  uv_rwlock_wrlock(&rwlock);
  printf(" %s %s", uv_err_name(uv_rwlock_tryrdlock(&rwlock)), uv_err_name(uv_rwlock_trywrlock(&rwlock)));
  uv_rwlock_wrunlock(&rwlock);
  printf(" %d\n", uv_rwlock_tryrdlock(&rwlock));
  uv_rwlock_rdunlock(&rwlock);

  printf("semaphore %d", uv_sem_init(&semaphore, 2));
  for (int i = 0; i < 3; i++) printf(" %d", uv_sem_trywait(&semaphore));
  printf("\n");
  uv_sem_destroy(&semaphore);
  uv_key_delete(&key);
  uv_rwlock_destroy(&rwlock);
  uv_barrier_destroy(&barrier);
  uv_cond_destroy(&condition);
  uv_mutex_destroy(&mutex);
}

/* the process and the machine */

static void environment(void) {
  char text[4096], small[2];
  size_t size = sizeof text;
  section("environment");
  printf("pid %d parent %d\n", uv_os_getpid() == getpid(), uv_os_getppid() == getppid());
  printf("set %d", uv_os_setenv("DROPIN", "value"));
  printf(" get %d", uv_os_getenv("DROPIN", text, &size));
  printf(" %s %zu", text, size);
  size = sizeof small;
  printf(" small %s", uv_err_name(uv_os_getenv("DROPIN", small, &size)));
  printf(" %zu unset %d", size, uv_os_unsetenv("DROPIN"));
  size = sizeof text;
  printf(" get %s\n", uv_err_name(uv_os_getenv("DROPIN", text, &size)));
  size = sizeof text;
  printf("chdir %d", uv_chdir("/"));
  printf(" cwd %d", uv_cwd(text, &size));
  printf(" %s %zu\n", text, size);
  uint64_t first = uv_hrtime();
  printf("clock %d\n", uv_hrtime() >= first);
  printf("version %d\n", (uv_version() >> 16) == 1 && strncmp(uv_version_string(), "1.", 2) == 0);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0); /* what was printed before a crash is seen */
  setenv("UV_THREADPOOL_SIZE", "1", 1);
  names();
  phases();
  timing();
  asynchronous();
  signalling();
  polling();
  pooling();
  walking();
  addresses();
  threading();
  environment();
  return 0;
}
