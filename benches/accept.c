/* N threads, each with a loop, listen on the same socket; the main thread connects and closes, 250 connections at a time.
 *
 *   accept [N]    `least` and `most`: connections of the thread with the fewest and with the most, in even shares */
#include "bench.h"

#include <sys/socket.h>

enum { MOST_THREADS = 64, AT_ONCE = 250 };

typedef struct {
  uv_loop_t loop;
  uv_tcp_t listener;
  uv_async_t end;
  pthread_t thread;
  atomic_ullong accepted;
} server_t;

typedef struct {
  uv_tcp_t tcp;
  uv_connect_t req;
} client_t;

static server_t servers[MOST_THREADS];
static client_t clients[AT_ONCE];
static unsigned count, left = AT_ONCE;
static uv_loop_t loop;
static bench_run_t run;
static struct sockaddr_in address;
static int shared;
static pthread_barrier_t gate;

static void on_free(uv_handle_t *handle) { free(handle); }

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static char room[64];
  (void)handle;
  (void)suggested;
  *buf = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  (void)buf;
  if (nread < 0) uv_close((uv_handle_t *)stream, on_free);
}

static void on_connection(uv_stream_t *listener, int status) {
  server_t *server = listener->data;
  uv_tcp_t *tcp = malloc(sizeof *tcp);
  BENCH_CHECK(status == 0);
  BENCH_CHECK(uv_tcp_init(&server->loop, tcp) == 0);
  BENCH_CHECK(uv_accept(listener, (uv_stream_t *)tcp) == 0);
  BENCH_CHECK(uv_read_start((uv_stream_t *)tcp, on_alloc, on_read) == 0);
  atomic_fetch_add_explicit(&server->accepted, 1, memory_order_relaxed);
}

static void close_one(uv_handle_t *handle, void *arg) {
  server_t *server = arg;
  int is_own = handle == (uv_handle_t *)&server->listener || handle == (uv_handle_t *)&server->end;
  if (!uv_is_closing(handle)) uv_close(handle, is_own ? NULL : on_free);
}

static void on_end(uv_async_t *async) { uv_walk(async->loop, close_one, async->data); }

static void *serve(void *arg) {
  server_t *server = arg;
  server->listener.data = server->end.data = server;
  BENCH_CHECK(uv_loop_init(&server->loop) == 0);
  BENCH_CHECK(uv_async_init(&server->loop, &server->end, on_end) == 0);
  BENCH_CHECK(uv_tcp_init(&server->loop, &server->listener) == 0);
  BENCH_CHECK(uv_tcp_open(&server->listener, dup(shared)) == 0);
  BENCH_CHECK(uv_listen((uv_stream_t *)&server->listener, 1024, on_connection) == 0);
  pthread_barrier_wait(&gate);
  uv_run(&server->loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&server->loop) == 0);
  return NULL;
}

static void start_client(client_t *client);

static void on_closed(uv_handle_t *handle) {
  if (!atomic_load_explicit(&bench_over, memory_order_relaxed))
    start_client((client_t *)handle);
  else if (--left == 0)
    bench_end(&run);
}

static void on_connect(uv_connect_t *req, int status) {
  BENCH_CHECK(status == 0);
  uv_close((uv_handle_t *)req->handle, on_closed);
}

/* From many addresses, so that there are more pairs of ports than connections that linger in the kernel. */
static void start_client(client_t *client) {
  static unsigned next;
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001 + next++ % 64)};
  int on = 1, fd;
  BENCH_CHECK(uv_tcp_init_ex(&loop, &client->tcp, AF_INET) == 0);
  BENCH_CHECK(uv_fileno((uv_handle_t *)&client->tcp, &fd) == 0);
  BENCH_CHECK(setsockopt(fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on) == 0);
  BENCH_CHECK(uv_tcp_bind(&client->tcp, (struct sockaddr *)&own, 0) == 0);
  BENCH_CHECK(uv_tcp_connect(&client->req, &client->tcp, (struct sockaddr *)&address, on_connect) == 0);
}

static void report(void) {
  unsigned long long all = 0, least = ~0ull, most = 0;
  char name[64], more[64];
  for (unsigned i = 0; i < count; i++) {
    unsigned long long own = atomic_load(&servers[i].accepted);
    all += own;
    least = own < least ? own : least;
    most = own > most ? own : most;
  }
  snprintf(name, sizeof name, "accept_%u", count);
  snprintf(more, sizeof more, "least=%.2f most=%.2f", (double)least * count / (double)all, (double)most * count / (double)all);
  bench_print(name, &run, all, more);
}

int main(int argc, char **argv) {
  socklen_t size = sizeof address;
  count = bench_argument(argc, argv, 1, 2);
  if (count < 1 || count > MOST_THREADS) return bench_usage("accept [N]");
  BENCH_CHECK(uv_ip4_addr("127.0.0.1", 0, &address) == 0);
  shared = socket(AF_INET, SOCK_STREAM, 0);
  BENCH_CHECK(bind(shared, (struct sockaddr *)&address, size) == 0);
  BENCH_CHECK(listen(shared, 1024) == 0);
  BENCH_CHECK(getsockname(shared, (struct sockaddr *)&address, &size) == 0);
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  pthread_barrier_init(&gate, NULL, count + 1);
  for (unsigned i = 0; i < count; i++) BENCH_CHECK(pthread_create(&servers[i].thread, NULL, serve, &servers[i]) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  for (int i = 0; i < AT_ONCE; i++) start_client(&clients[i]);
  uv_run(&loop, UV_RUN_DEFAULT);
  report();
  for (unsigned i = 0; i < count; i++) uv_async_send(&servers[i].end);
  for (unsigned i = 0; i < count; i++) pthread_join(servers[i].thread, NULL);
  return 0;
}
