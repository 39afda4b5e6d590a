/* What needs no memory of the library's: here every allocation is refused, and all of it works. */
#include "allocs.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>

static uv_loop_t loop;

/* From here on there is no memory. */
static void no_memory(void) {
  allocs_fail_at(0);
  allocs.always = 1;
}

static void none_was_needed(void) {
  allocs.always = 0;
  CHECK_EQ(allocs.refused, 0);
}

static void begin(void) {
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  no_memory();
}

static void end(void) {
  check_close_loop(&loop);
  none_was_needed();
  CHECK_EQ(allocs_live(), 0);
}

TEST(the_machine) {
  double load[3], seconds;
  char text[4096];
  size_t size = sizeof(text);
  uv_utsname_t names;
  allocs_install();
  no_memory();
  CHECK_EQ(uv_uptime(&seconds), 0);
  CHECK_EQ(uv_os_uname(&names), 0);
  CHECK_EQ(uv_os_gethostname(text, &size), 0);
  uv_loadavg(load);
  CHECK(uv_get_total_memory() > 0);
  CHECK(uv_get_free_memory() > 0);
  (void) uv_get_constrained_memory();
  size = sizeof(text);
  if (uv_if_indextoname(1, text, &size) == 0) {
    size = sizeof(text);
    CHECK_EQ(uv_if_indextoiid(1, text, &size), 0);
  }
  none_was_needed();
}

TEST(the_machine_in_newer_versions) {
  uv_timespec64_t time;
  NEEDS(1, 45);
  allocs_install();
  no_memory();
  CHECK(uv_get_available_memory() > 0);
  CHECK(uv_available_parallelism() > 0);
  CHECK(uv_cpumask_size() > 0);
  CHECK_EQ(uv_clock_gettime(UV_CLOCK_REALTIME, &time), 0);
  none_was_needed();
}

TEST(the_process) {
  char text[4096];
  size_t size = sizeof(text), bytes;
  uv_rusage_t usage;
  uv_timeval64_t now;
  int priority;
  allocs_install();
  no_memory();
  CHECK_EQ(uv_cwd(text, &size), 0);
  CHECK_EQ(uv_chdir(text), 0);
  size = sizeof(text);
  CHECK_EQ(uv_exepath(text, &size), 0);
  CHECK_EQ(uv_os_setenv("UV_OOM", "value"), 0); /* the C library's memory */
  CHECK_EQ(uv_os_setenv("HOME", "/home"), 0);
  size = sizeof(text);
  CHECK_EQ(uv_os_getenv("UV_OOM", text, &size), 0);
  CHECK_EQ(uv_os_unsetenv("UV_OOM"), 0);
  size = sizeof(text);
  CHECK_EQ(uv_os_tmpdir(text, &size), 0);
  size = sizeof(text);
  CHECK_EQ(uv_os_homedir(text, &size), 0);
  CHECK_EQ(uv_os_getpid(), getpid());
  CHECK_EQ(uv_os_getppid(), getppid());
  CHECK_EQ(uv_os_getpriority(0, &priority), 0);
  CHECK_EQ(uv_os_setpriority(0, priority), 0);
  CHECK_EQ(uv_kill(getpid(), 0), 0);
  CHECK_EQ(uv_getrusage(&usage), 0);
  CHECK_EQ(uv_resident_set_memory(&bytes), 0);
  CHECK_EQ(uv_gettimeofday(&now), 0);
  CHECK(uv_hrtime() > 0);
  uv_sleep(1);
  CHECK_EQ(uv_random(NULL, NULL, text, 16, 0, NULL), 0);
  CHECK_EQ(uv_guess_handle(-1), UV_UNKNOWN_HANDLE);
  uv_disable_stdio_inheritance();
  none_was_needed();
}

TEST(addresses_and_texts) {
  struct sockaddr_in four;
  struct sockaddr_in6 six;
  unsigned char bytes[16];
  char text[128];
  allocs_install();
  no_memory();
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 1, &four), 0);
  CHECK_EQ(uv_ip4_name(&four, text, sizeof(text)), 0);
  CHECK_EQ(uv_ip6_addr("fe80::1%lo", 1, &six), 0);
  CHECK_EQ(uv_ip6_name(&six, text, sizeof(text)), 0);
  CHECK_EQ(uv_inet_pton(AF_INET6, "::1", bytes), 0);
  CHECK_EQ(uv_inet_ntop(AF_INET6, bytes, text, sizeof(text)), 0);
  CHECK_STR(uv_strerror(UV_EINVAL), "invalid argument");
  CHECK_STR(uv_err_name_r(-99999, text, sizeof(text)), "Unknown system error -99999");
  CHECK_STR(uv_strerror_r(-99999, text, sizeof(text)), "Unknown system error -99999");
  none_was_needed();
}

static int ran;
static uv_sem_t sem;

static void run(void* arg) {
  (void) arg;
  ran++;
  uv_sem_post(&sem);
}

static void run_once(void) {
  ran++;
}

TEST(locks) {
  uv_mutex_t mutex, recursive;
  uv_rwlock_t rwlock;
  uv_cond_t cond;
  uv_barrier_t barrier;
  uv_key_t key;
  uv_once_t once = UV_ONCE_INIT;
  allocs_install();
  no_memory();
  CHECK_EQ(uv_mutex_init(&mutex), 0);
  CHECK_EQ(uv_mutex_init_recursive(&recursive), 0);
  CHECK_EQ(uv_rwlock_init(&rwlock), 0);
  CHECK_EQ(uv_cond_init(&cond), 0);
  CHECK_EQ(uv_barrier_init(&barrier, 1), 0);
  CHECK_EQ(uv_key_create(&key), 0);
  CHECK_EQ(uv_sem_init(&sem, 1), 0);
  uv_mutex_lock(&mutex);
  CHECK_EQ(uv_cond_timedwait(&cond, &mutex, 1000), UV_ETIMEDOUT);
  uv_mutex_unlock(&mutex);
  uv_rwlock_wrlock(&rwlock);
  uv_rwlock_wrunlock(&rwlock);
  CHECK(uv_barrier_wait(&barrier) > 0);
  uv_key_set(&key, &key);
  CHECK_EQ(uv_key_get(&key), &key);
  uv_sem_wait(&sem);
  uv_once(&once, run_once);
  CHECK_EQ(ran, 1);
  uv_sem_destroy(&sem);
  uv_key_delete(&key);
  uv_barrier_destroy(&barrier);
  uv_cond_destroy(&cond);
  uv_rwlock_destroy(&rwlock);
  uv_mutex_destroy(&recursive);
  uv_mutex_destroy(&mutex);
  none_was_needed();
}

TEST(threads) {
  uv_thread_t thread;
  uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = 1 << 20};
  char name[16], mask[CPU_SETSIZE];
  int priority;
  NEEDS(1, 52);
  allocs_install();
  CHECK_EQ(uv_sem_init(&sem, 0), 0);
  no_memory();
  CHECK_EQ(uv_thread_create(&thread, run, NULL), 0);
  CHECK_EQ(uv_thread_join(&thread), 0);
  CHECK_EQ(uv_thread_create_ex(&thread, &options, run, NULL), 0);
  CHECK_EQ(uv_thread_detach(&thread), 0);
  uv_sem_wait(&sem);
  uv_sem_wait(&sem);
  CHECK_EQ(ran, 2);
  thread = uv_thread_self();
  CHECK_EQ(uv_thread_setname("name"), 0);
  CHECK_EQ(uv_thread_getname(&thread, name, sizeof(name)), 0);
  CHECK_EQ(uv_thread_getpriority(thread, &priority), 0);
  CHECK_EQ(uv_thread_getaffinity(&thread, mask, sizeof(mask)), 0);
  CHECK_EQ(uv_thread_setaffinity(&thread, mask, NULL, sizeof(mask)), 0);
  CHECK(uv_thread_getcpu() >= 0);
  uv_sem_destroy(&sem);
  none_was_needed();
}

#define HANDLE(handle) ((uv_handle_t*) &(handle))

TEST(sockets_that_are_not_watched) {
  uv_tcp_t tcp, connected;
  uv_udp_t udp;
  uv_pipe_t pipe_end;
  struct sockaddr_in name;
  uv_os_fd_t fd;
  uv_buf_t buf = uv_buf_init("x", 1);
  char text[64];
  int size = sizeof(name), value = 0, pair[2];
  size_t length = sizeof(text);
  NEEDS(1, 45);
  begin();
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, &name), 0);
  CHECK_EQ(uv_tcp_init_ex(&loop, &tcp, AF_INET), 0);
  CHECK_EQ(uv_tcp_bind(&tcp, (struct sockaddr*) &name, 0), 0);
  CHECK_EQ(uv_tcp_getsockname(&tcp, (struct sockaddr*) &name, &size), 0);
  CHECK_EQ(uv_tcp_nodelay(&tcp, 1), 0);
  CHECK_EQ(uv_tcp_keepalive(&tcp, 1, 60), 0);
  CHECK_EQ(uv_tcp_simultaneous_accepts(&tcp, 1), 0);
  CHECK_EQ(uv_send_buffer_size(HANDLE(tcp), &value), 0);
  CHECK_EQ(uv_fileno(HANDLE(tcp), &fd), 0);
  CHECK_EQ(uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, 0), 0);
  CHECK_EQ(uv_tcp_init(&loop, &connected), 0);
  CHECK_EQ(uv_tcp_open(&connected, pair[0]), 0);
  CHECK_EQ(uv_try_write((uv_stream_t*) &connected, &buf, 1), 1);
  CHECK_EQ(uv_stream_set_blocking((uv_stream_t*) &connected, 1), 0);
  CHECK_EQ(uv_tcp_close_reset(&connected, NULL), 0);
  CHECK_EQ(uv_pipe_init(&loop, &pipe_end, 1), 0);
  CHECK_EQ(uv_pipe_open(&pipe_end, pair[1]), 0);
  CHECK_EQ(uv_pipe_getsockname(&pipe_end, text, &length), 0);
  CHECK_EQ(uv_pipe_pending_count(&pipe_end), 0);
  CHECK_EQ(uv_pipe(pair, 0, 0), 0);
  close(pair[0]);
  close(pair[1]);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  name.sin_port = 0;
  CHECK_EQ(uv_udp_bind(&udp, (struct sockaddr*) &name, 0), 0);
  CHECK_EQ(uv_udp_set_ttl(&udp, 3), 0);
  CHECK_EQ(uv_udp_set_broadcast(&udp, 1), 0);
  CHECK_EQ(uv_udp_set_multicast_loop(&udp, 1), 0);
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &name, &size), 0);
  CHECK_EQ(uv_udp_connect(&udp, (struct sockaddr*) &name), 0);
  CHECK_EQ(uv_udp_try_send(&udp, &buf, 1, NULL), 1);
  CHECK_EQ(uv_udp_connect(&udp, NULL), 0);
  end();
}

static void visit(uv_handle_t* handle, void* arg) {
  (void) arg;
  CHECK_STR(uv_handle_type_name(uv_handle_get_type(handle)), "timer");
}

static void on_timer(uv_timer_t* handle) {
  (void) handle;
  ran++;
}

TEST(loops) {
  uv_timer_t timer;
  FILE* null = fopen("/dev/null", "w");
  begin();
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, on_timer, 1, 1), 0);
  uv_walk(&loop, visit, NULL);
  uv_print_all_handles(&loop, null);
  uv_print_active_handles(&loop, null);
  uv_update_time(&loop);
  CHECK_EQ(uv_loop_alive(&loop), 1);
  CHECK(uv_backend_timeout(&loop) <= 1);
  while (ran < 3) CHECK_EQ(uv_run(&loop, UV_RUN_ONCE), 1);
  CHECK_EQ(uv_timer_again(&timer), 0);
  uv_stop(&loop);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 1);
  end();
  fclose(null);
}
