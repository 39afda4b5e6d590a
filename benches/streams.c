/* TCP and pipes: two loops in two threads, one of them a server that echoes or only reads.
 *
 *   pingpong tcp|pipe         one connection, one small message at a time
 *   pump tcp|pipe [N]         N (1) connections written to as fast as they take it, 64 writes of 8 KiB each on the way; what counts is KiB
 *   pound tcp|pipe [N]        N (1000) connections at a time are made, used for one message there and back, and closed
 *   batch tcp|pipe            bursts of 10,000 small writes, each request called back */
#include "bench.h"

#include <signal.h>
#include <sys/socket.h>

enum { LISTENERS = 16, PIECE = 8192, IN_FLIGHT = 64, BURST = 10000, MOST = 1000 };

typedef union {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
} any_stream_t;

static uv_loop_t loop;
static bench_run_t run;
static int is_pipe, echoes;
static uint64_t done;
static char bytes[1 << 16];

/* The server */

static uv_loop_t server_loop;
static uv_async_t server_end;
static any_stream_t listeners[LISTENERS];
static struct sockaddr_in addresses[LISTENERS];
static char path[64];
static atomic_ullong received;
static pthread_t server_thread;
static pthread_barrier_t gate;

static void init_stream(uv_loop_t *where, any_stream_t *stream) {
  if (is_pipe)
    BENCH_CHECK(uv_pipe_init(where, &stream->pipe, 0) == 0);
  else
    BENCH_CHECK(uv_tcp_init(where, &stream->tcp) == 0);
}

static void on_free(uv_handle_t *handle) { free(handle); }

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static _Thread_local char room[1 << 16];
  (void)handle;
  (void)suggested;
  *buf = uv_buf_init(room, sizeof room);
}

static void on_echoed(uv_write_t *req, int status) {
  (void)status;
  free(req);
}

static void on_server_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  if (count < 0) {
    uv_close((uv_handle_t *)stream, on_free);
  } else if (echoes && count > 0) {
    uv_write_t *req = malloc(sizeof *req + (size_t)count);
    uv_buf_t copy = uv_buf_init((char *)(req + 1), (unsigned)count);
    memcpy(copy.base, buf->base, (size_t)count);
    BENCH_CHECK(uv_write(req, stream, &copy, 1, on_echoed) == 0);
  } else {
    atomic_fetch_add_explicit(&received, (unsigned long long)count, memory_order_relaxed);
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  any_stream_t *stream = malloc(sizeof *stream);
  BENCH_CHECK(status == 0);
  init_stream(listener->loop, stream);
  BENCH_CHECK(uv_accept(listener, &stream->stream) == 0);
  BENCH_CHECK(uv_read_start(&stream->stream, on_alloc, on_server_read) == 0);
}

static void close_one(uv_handle_t *handle, void *arg) {
  int is_ours = handle == (uv_handle_t *)&server_end ||
                ((any_stream_t *)handle >= listeners && (any_stream_t *)handle < listeners + LISTENERS);
  (void)arg;
  if (!uv_is_closing(handle)) uv_close(handle, is_ours ? NULL : on_free);
}

static void on_server_end(uv_async_t *async) { uv_walk(async->loop, close_one, NULL); }

static void listen_on(int i) {
  int size = sizeof addresses[i];
  init_stream(&server_loop, &listeners[i]);
  if (is_pipe) {
    unlink(path);
    BENCH_CHECK(uv_pipe_bind(&listeners[i].pipe, path) == 0);
  } else {
    BENCH_CHECK(uv_ip4_addr("127.0.0.1", 0, &addresses[i]) == 0);
    BENCH_CHECK(uv_tcp_bind(&listeners[i].tcp, (struct sockaddr *)&addresses[i], 0) == 0);
    BENCH_CHECK(uv_tcp_getsockname(&listeners[i].tcp, (struct sockaddr *)&addresses[i], &size) == 0);
  }
  BENCH_CHECK(uv_listen(&listeners[i].stream, 2048, on_connection) == 0);
}

/* Ends after the run is measured, so that its CPU time counts. */
static void *serve(void *unused) {
  (void)unused;
  BENCH_CHECK(uv_loop_init(&server_loop) == 0);
  BENCH_CHECK(uv_async_init(&server_loop, &server_end, on_server_end) == 0);
  for (int i = 0; i < (is_pipe ? 1 : LISTENERS); i++) listen_on(i);
  pthread_barrier_wait(&gate);
  uv_run(&server_loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&server_loop) == 0);
  return NULL;
}

static void start_server(int echo) {
  echoes = echo;
  signal(SIGPIPE, SIG_IGN);
  snprintf(path, sizeof path, "/tmp/uv-bench-%d", (int)getpid());
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&server_thread, NULL, serve, NULL) == 0);
  pthread_barrier_wait(&gate);
}

static void stop_server(void) {
  uv_async_send(&server_end);
  pthread_join(server_thread, NULL);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
}

static int over(void) { return atomic_load_explicit(&bench_over, memory_order_relaxed); }

/* With several ports there are more pairs of ports than connections that linger in the kernel. */
static void connect_to_server(any_stream_t *stream, uv_connect_t *req, uv_connect_cb cb) {
  static unsigned next;
  init_stream(&loop, stream);
  if (is_pipe)
    uv_pipe_connect(req, &stream->pipe, path, cb);
  else
    BENCH_CHECK(uv_tcp_connect(req, &stream->tcp, (struct sockaddr *)&addresses[next++ % LISTENERS], cb) == 0);
}

/* Clients */

typedef struct {
  any_stream_t stream;
  uv_connect_t connect;
  uv_write_t write;
  unsigned number;
} client_t;

static client_t clients[MOST];
static unsigned client_count, connected;
static const uv_buf_t ping = {"PING\n", 5};

static void end_run(void) {
  bench_end(&run);
  for (unsigned i = 0; i < client_count; i++)
    if (!uv_is_closing(&clients[i].stream.handle)) uv_close(&clients[i].stream.handle, NULL);
}

static void on_sent(uv_write_t *req, int status) {
  (void)req;
  BENCH_CHECK(status == 0 || status == UV_ECANCELED);
}

static void send_ping(client_t *client) {
  BENCH_CHECK(uv_write(&client->write, &client->stream.stream, &ping, 1, on_sent) == 0);
}

static void on_pong(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  (void)buf;
  if (count == 0) return;
  BENCH_CHECK(count == 5);
  done++;
  if (over())
    end_run();
  else
    send_ping((client_t *)stream);
}

static void start_pingpong(uv_connect_t *req, int status) {
  BENCH_CHECK(status == 0);
  BENCH_CHECK(uv_read_start(req->handle, on_alloc, on_pong) == 0);
  bench_begin_bounded(&run);
  send_ping((client_t *)req->handle);
}

static void pingpong(void) {
  client_count = 1;
  start_server(1);
  connect_to_server(&clients[0].stream, &clients[0].connect, start_pingpong);
  uv_run(&loop, UV_RUN_DEFAULT);
}

static uv_write_t *requests;

static void on_pumped(uv_write_t *req, int status) {
  uv_buf_t piece = uv_buf_init(bytes, PIECE);
  if (status == UV_ECANCELED) return;
  BENCH_CHECK(status == 0);
  if (!over())
    BENCH_CHECK(uv_write(req, req->handle, &piece, 1, on_pumped) == 0);
  else if (!uv_is_closing((uv_handle_t *)req->handle))
    end_run();
}

static void start_pump(uv_connect_t *req, int status) {
  uv_buf_t piece = uv_buf_init(bytes, PIECE);
  BENCH_CHECK(status == 0);
  if (++connected < client_count) return;
  bench_begin_bounded(&run);
  for (unsigned i = 0; i < client_count * IN_FLIGHT; i++)
    BENCH_CHECK(uv_write(&requests[i], &clients[i % client_count].stream.stream, &piece, 1, on_pumped) == 0);
  (void)req;
}

static void pump(unsigned count) {
  BENCH_CHECK(count <= MOST);
  client_count = count;
  requests = calloc((size_t)count * IN_FLIGHT, sizeof *requests);
  start_server(0);
  for (unsigned i = 0; i < count; i++) connect_to_server(&clients[i].stream, &clients[i].connect, start_pump);
  uv_run(&loop, UV_RUN_DEFAULT);
  done = atomic_load(&received) / 1024;
}

static void start_pounding(client_t *client);

static void on_pounded(uv_handle_t *handle) {
  done++;
  if (!over())
    start_pounding((client_t *)handle);
  else if (--connected == 0)
    bench_end(&run);
}

static void on_answer(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
  (void)buf;
  if (count == 0) return;
  BENCH_CHECK(count == 5);
  uv_close((uv_handle_t *)stream, on_pounded);
}

static void on_pounding(uv_connect_t *req, int status) {
  BENCH_CHECK(status == 0);
  BENCH_CHECK(uv_read_start(req->handle, on_alloc, on_answer) == 0);
  send_ping((client_t *)req->handle);
}

static void start_pounding(client_t *client) {
  connect_to_server(&client->stream, &client->connect, on_pounding);
}

static void pound(unsigned count) {
  BENCH_CHECK(count <= MOST);
  start_server(1);
  connected = count;
  bench_begin_bounded(&run);
  for (unsigned i = 0; i < count; i++) start_pounding(&clients[i]);
  uv_run(&loop, UV_RUN_DEFAULT);
}

static unsigned pending;

static void on_burst(uv_write_t *req, int status);

static void send_burst(uv_stream_t *stream) {
  for (pending = 0; pending < BURST; pending++) BENCH_CHECK(uv_write(&requests[pending], stream, &ping, 1, on_burst) == 0);
}

static void on_burst(uv_write_t *req, int status) {
  BENCH_CHECK(status == 0);
  done++;
  if (--pending > 0) return;
  if (over())
    end_run();
  else
    send_burst(req->handle);
}

static void start_bursts(uv_connect_t *req, int status) {
  BENCH_CHECK(status == 0);
  bench_begin_bounded(&run);
  send_burst(req->handle);
}

static void batch(void) {
  client_count = 1;
  requests = calloc(BURST, sizeof *requests);
  start_server(0);
  connect_to_server(&clients[0].stream, &clients[0].connect, start_bursts);
  uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv) {
  const char *kind = argc > 2 ? argv[2] : "", *what = argc > 1 ? argv[1] : "";
  unsigned count = bench_argument(argc, argv, 3, strcmp(what, "pump") == 0 ? 1 : 1000);
  char name[64];
  is_pipe = strcmp(kind, "pipe") == 0;
  if (!is_pipe && strcmp(kind, "tcp") != 0) return bench_usage("streams pingpong|pump|pound|batch tcp|pipe [N]");
  snprintf(name, sizeof name, "streams_%s_%s", what, kind);
  if (strcmp(what, "pingpong") == 0) {
    pingpong();
  } else if (strcmp(what, "pump") == 0) {
    pump(count);
    snprintf(name, sizeof name, "streams_pump_kib_%s_%u", kind, count);
  } else if (strcmp(what, "pound") == 0) {
    pound(count);
    snprintf(name, sizeof name, "streams_pound_%s_%u", kind, count);
  } else if (strcmp(what, "batch") == 0) {
    batch();
  } else {
    return bench_usage("streams pingpong|pump|pound|batch tcp|pipe [N]");
  }
  stop_server();
  bench_print(name, &run, done, "");
  return 0;
}
