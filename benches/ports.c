/* Message ports. What programs do without them is ports_baseline.c, with the same payload and the same scenarios.
 *
 *   oneway [PRODUCERS [POLL]]   threads that post messages of 64 bytes to one loop, each with its own sender; or to one
 *                               thread that receives them
 *   batch                       as oneway 1, 16 messages to a post
 *   paced                       as oneway 1, but the producer works a little for each message, so that the loop keeps up
 *   pingpong [wait]             two loops in two threads answer each other; or two threads that receive
 *   post                        one thread posts and receives
 *   transfer BYTES              memory of that size handed over to another thread and back
 *   broadcast MEMBERS [BYTES]   one thread posts to a group, and receives from all others
 *   idle PORTS                  how long a message to one of so many ports of a loop takes, there and back
 *   attach [THREADS]            threads that attach and detach a port, each with a loop of its own */
#include "bench.h"

#include <uvx.h>

enum { MESSAGES = 2000000, PAYLOAD = 64, GROUP = 16 };

static bench_run_t run;
static pthread_barrier_t gate;
static uvx_message_port_t *near, *far;

static uvx_message_desc_t describe(const uv_buf_t *buf) {
  uvx_message_desc_t desc;
  memset(&desc, 0, sizeof desc);
  desc.size = sizeof desc;
  desc.bufs = buf;
  desc.nbufs = 1;
  return desc;
}

static uint64_t wakes_of(uvx_message_port_t *port) {
  uvx_message_port_stats_t stats;
  stats.size = sizeof stats;
  BENCH_CHECK(uvx_message_port_stats(port, &stats) == 0);
  return stats.wakes;
}

static void print_result(const char *name, uint64_t messages, uint64_t wakes) {
  char more[96];
  snprintf(more, sizeof more, "ns=%.1f wakes=%llu wakes_per_message=%.6f", (double)run.wall_ns / (double)messages,
           (unsigned long long)wakes, (double)wakes / (double)messages);
  bench_print(name, &run, messages, more);
}

/* one way */

static unsigned producers, pace;
static uint64_t expected, received;

static void *produce(void *sender) {
  char payload[PAYLOAD] = {0};
  uv_buf_t buf = uv_buf_init(payload, PAYLOAD);
  uvx_message_desc_t desc = describe(&buf);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < MESSAGES / producers; i++) {
    memcpy(payload, &i, sizeof i);
    if (pace) bench_compute(pace);
    BENCH_CHECK(uvx_message_sender_post(sender, &desc) == 0);
  }
  pthread_barrier_wait(&gate); /* stays alive until its CPU time is counted */
  uvx_message_sender_release(sender);
  return NULL;
}

static void *produce_groups(void *unused) {
  char payload[GROUP][PAYLOAD] = {{0}};
  uv_buf_t bufs[GROUP];
  uvx_message_desc_t descs[GROUP];
  (void)unused;
  for (int i = 0; i < GROUP; i++) {
    bufs[i] = uv_buf_init(payload[i], PAYLOAD);
    descs[i] = describe(&bufs[i]);
  }
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < MESSAGES / GROUP; i++) {
    memcpy(payload[0], &i, sizeof i);
    BENCH_CHECK(uvx_message_port_post_many(far, descs, GROUP, NULL) == 0);
  }
  pthread_barrier_wait(&gate);
  return NULL;
}

static uint64_t sum; /* so that the payload is read */

static void until_all(uvx_message_port_t *port, uvx_message_t *message) {
  sum += (unsigned char)*uvx_message_data(message)->base;
  if (++received == expected) uv_stop(uvx_message_port_loop(port));
}

static void receive_all(void) {
  uvx_message_t *message;
  while (received < expected) {
    BENCH_CHECK(uvx_message_port_receive(near, &message, UVX_FOREVER) == 0);
    sum += (unsigned char)*uvx_message_data(message)->base;
    received++;
    uvx_message_unref(message);
  }
}

static void oneway(const char *name, unsigned count, int poll, void *(*body)(void *)) {
  uv_loop_t loop;
  pthread_t threads[16];
  producers = count;
  BENCH_CHECK(producers >= 1 && producers <= 16 && uv_loop_init(&loop) == 0);
  BENCH_CHECK(uvx_message_channel_create(&near, &far, NULL) == 0);
  if (!poll) {
    BENCH_CHECK(uvx_message_port_attach(&loop, near, until_all, NULL) == 0);
    BENCH_CHECK(uvx_message_port_start(near) == 0);
  }
  expected = MESSAGES / producers * producers;
  pthread_barrier_init(&gate, NULL, producers + 1);
  for (unsigned i = 0; i < producers; i++) {
    uvx_message_sender_t *sender = NULL;
    if (body == produce) BENCH_CHECK(uvx_message_sender_create(near, &sender) == 0);
    BENCH_CHECK(pthread_create(&threads[i], NULL, body, sender) == 0);
  }
  bench_begin(&run);
  pthread_barrier_wait(&gate);
  if (poll)
    receive_all();
  else
    uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  uint64_t wakes = wakes_of(near);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < producers; i++) pthread_join(threads[i], NULL);
  uvx_message_port_close(near, 0, NULL);
  uvx_message_port_close(far, 0, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  print_result(name, received, wakes);
}

/* one thread */

static void post_and_receive(void) {
  char payload[PAYLOAD] = {0};
  uv_buf_t buf = uv_buf_init(payload, PAYLOAD);
  uvx_message_desc_t desc = describe(&buf);
  uvx_message_t *message;
  uint64_t posting = 0;
  BENCH_CHECK(uvx_message_channel_create(&near, &far, NULL) == 0);
  bench_begin(&run);
  for (unsigned i = 0; i < MESSAGES / GROUP; i++) {
    uint64_t start = bench_now_ns();
    for (int j = 0; j < GROUP; j++) BENCH_CHECK(uvx_message_port_post(far, &desc) == 0);
    posting += bench_now_ns() - start;
    for (int j = 0; j < GROUP; j++) {
      BENCH_CHECK(uvx_message_port_receive(near, &message, 0) == 0);
      uvx_message_unref(message);
    }
  }
  bench_end(&run);
  char more[64];
  snprintf(more, sizeof more, "post_ns=%.1f both_ns=%.1f", (double)posting / MESSAGES, (double)run.wall_ns / MESSAGES);
  bench_print("ports_post", &run, MESSAGES, more);
  uvx_message_port_close(near, 0, NULL);
  uvx_message_port_close(far, 0, NULL);
}

/* ping-pong */

/* The other end closes when the time is over, even if an answer is on its way. */
static void post_answer(uvx_message_port_t *port, const uvx_message_desc_t *desc) {
  int status = uvx_message_port_post(port, desc);
  BENCH_CHECK(status == 0 || (status == UV_EPIPE && atomic_load(&bench_over)));
}

static void answer(uvx_message_port_t *port, uvx_message_t *message) {
  uvx_message_desc_t desc = describe(uvx_message_data(message));
  post_answer(port, &desc);
}

static void close_too(uvx_message_port_t *port, int status) {
  (void)status;
  uvx_message_port_close(port, 0, NULL);
}

static void on_ping(uvx_message_port_t *port, uvx_message_t *message) {
  received++;
  if (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    answer(port, message);
    return;
  }
  bench_end(&run);
  uvx_message_port_close(port, 0, NULL);
}

static void *answering_loop(void *unused) {
  uv_loop_t loop;
  (void)unused;
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  BENCH_CHECK(uvx_message_port_attach(&loop, far, answer, close_too) == 0);
  BENCH_CHECK(uvx_message_port_start(far) == 0);
  pthread_barrier_wait(&gate);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  return NULL;
}

static void first_ping(void) {
  char payload[PAYLOAD] = {0};
  uv_buf_t buf = uv_buf_init(payload, PAYLOAD);
  uvx_message_desc_t desc = describe(&buf);
  BENCH_CHECK(uvx_message_port_post(near, &desc) == 0);
}

static void pingpong(const char *name, unsigned idle) {
  uv_loop_t loop;
  pthread_t thread;
  uvx_message_port_t **others = calloc(2 * idle + 1, sizeof *others);
  BENCH_CHECK(others != NULL && uv_loop_init(&loop) == 0);
  for (unsigned i = 0; i < idle; i++) {
    BENCH_CHECK(uvx_message_channel_create(&others[2 * i], &others[2 * i + 1], NULL) == 0);
    BENCH_CHECK(uvx_message_port_attach(&loop, others[2 * i], answer, NULL) == 0);
    BENCH_CHECK(uvx_message_port_start(others[2 * i]) == 0);
  }
  BENCH_CHECK(uvx_message_channel_create(&near, &far, NULL) == 0);
  BENCH_CHECK(uvx_message_port_attach(&loop, near, on_ping, NULL) == 0);
  BENCH_CHECK(uvx_message_port_start(near) == 0);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, answering_loop, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  first_ping();
  for (unsigned i = 0; i < idle; i++) uvx_message_port_unref(others[2 * i]);
  uv_run(&loop, UV_RUN_DEFAULT);
  pthread_join(thread, NULL);
  for (unsigned i = 0; i < 2 * idle; i++) uvx_message_port_close(others[i], 0, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  free(others);
  char more[64];
  snprintf(more, sizeof more, "us=%.2f", (double)run.wall_ns / 1e3 / (double)received);
  bench_print(name, &run, received, more);
}

static void *answering_thread(void *unused) {
  uvx_message_t *message;
  (void)unused;
  pthread_barrier_wait(&gate);
  while (uvx_message_port_receive(far, &message, UVX_FOREVER) == 0) {
    answer(far, message);
    uvx_message_unref(message);
  }
  uvx_message_port_close(far, 0, NULL);
  return NULL;
}

static void pingpong_waiting(void) {
  pthread_t thread;
  uvx_message_t *message;
  BENCH_CHECK(uvx_message_channel_create(&near, &far, NULL) == 0);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, answering_thread, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  first_ping();
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    BENCH_CHECK(uvx_message_port_receive(near, &message, UVX_FOREVER) == 0);
    answer(near, message);
    uvx_message_unref(message);
    received++;
  }
  bench_end(&run);
  uvx_message_port_close(near, 0, NULL);
  pthread_join(thread, NULL);
  char more[64];
  snprintf(more, sizeof more, "us=%.2f", (double)run.wall_ns / 1e3 / (double)received);
  bench_print("ports_pingpong_waiting", &run, received, more);
}

/* memory that moves */

static void on_free(void *base, size_t len, void *arg) {
  (void)len, (void)arg;
  free(base);
}

static void pass_on(uvx_message_port_t *port, uvx_message_t *message) {
  uvx_message_desc_t desc = describe(NULL);
  uvx_xfer_t xfer;
  BENCH_CHECK(uvx_message_take(message, 0, &xfer) == 0);
  desc.nbufs = 0;
  desc.xfers = &xfer;
  desc.nxfers = 1;
  desc.flags = UVX_POST_CONSUME;
  post_answer(port, &desc);
}

static void *passing_thread(void *unused) {
  uvx_message_t *message;
  (void)unused;
  pthread_barrier_wait(&gate);
  while (uvx_message_port_receive(far, &message, UVX_FOREVER) == 0) {
    pass_on(far, message);
    uvx_message_unref(message);
  }
  uvx_message_port_close(far, 0, NULL);
  return NULL;
}

static void transfer(unsigned bytes) {
  pthread_t thread;
  uvx_message_t *message;
  uvx_message_desc_t desc = describe(NULL);
  uvx_xfer_t xfer;
  char name[64], more[64];
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_MEM;
  xfer.u.mem.base = calloc(1, bytes);
  xfer.u.mem.len = bytes;
  xfer.u.mem.free_cb = on_free;
  desc.nbufs = 0;
  desc.xfers = &xfer;
  desc.nxfers = 1;
  BENCH_CHECK(uvx_message_channel_create(&near, &far, NULL) == 0);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, passing_thread, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  BENCH_CHECK(uvx_message_port_post(near, &desc) == 0);
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    BENCH_CHECK(uvx_message_port_receive(near, &message, UVX_FOREVER) == 0);
    pass_on(near, message);
    uvx_message_unref(message);
    received++;
  }
  bench_end(&run);
  uvx_message_port_close(near, 0, NULL);
  pthread_join(thread, NULL);
  snprintf(name, sizeof name, "ports_transfer_%u", bytes);
  snprintf(more, sizeof more, "us=%.2f", (double)run.wall_ns / 1e3 / (double)received);
  bench_print(name, &run, received, more);
}

/* groups */

static void broadcast(unsigned members, unsigned bytes) {
  enum { BURST = 64, MOST = 256 };
  uvx_message_port_t *ports[MOST];
  uvx_message_t *message;
  uv_buf_t buf = uv_buf_init(calloc(1, bytes), bytes);
  uvx_message_desc_t desc = describe(&buf);
  char name[64], more[64];
  BENCH_CHECK(members >= 2 && members <= MOST);
  for (unsigned i = 0; i < members; i++) BENCH_CHECK(uvx_broadcast_open(&ports[i], "bench", NULL) == 0);
  bench_begin_bounded(&run);
  while (!atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    for (unsigned i = 0; i < BURST; i++) BENCH_CHECK(uvx_message_port_post(ports[0], &desc) == 0);
    for (unsigned to = 1; to < members; to++)
      for (unsigned i = 0; i < BURST; i++) {
        BENCH_CHECK(uvx_message_port_receive(ports[to], &message, 0) == 0);
        sum += (unsigned char)*uvx_message_data(message)->base;
        uvx_message_unref(message);
        received++;
      }
  }
  bench_end(&run);
  for (unsigned i = 0; i < members; i++) uvx_message_port_close(ports[i], 0, NULL);
  free(buf.base);
  snprintf(name, sizeof name, "ports_broadcast_%u_%u", members, bytes);
  snprintf(more, sizeof more, "ns=%.1f", (double)run.wall_ns / (double)received);
  bench_print(name, &run, received, more);
}

/* attaching */

static void *attach_and_detach(void *unused) {
  uvx_message_port_t *here, *there;
  uv_loop_t loop;
  (void)unused;
  BENCH_CHECK(uv_loop_init(&loop) == 0 && uvx_message_channel_create(&here, &there, NULL) == 0);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < MESSAGES / producers; i++) {
    BENCH_CHECK(uvx_message_port_attach(&loop, here, until_all, NULL) == 0);
    BENCH_CHECK(uvx_message_port_detach(here) == 0);
  }
  pthread_barrier_wait(&gate);
  pthread_barrier_wait(&gate); /* stays alive until its CPU time is counted */
  uvx_message_port_close(here, 0, NULL);
  uvx_message_port_close(there, 0, NULL);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  return NULL;
}

static void attach(unsigned count) {
  pthread_t threads[16];
  char name[64];
  producers = count;
  BENCH_CHECK(count >= 1 && count <= 16);
  pthread_barrier_init(&gate, NULL, count + 1);
  for (unsigned i = 0; i < count; i++) BENCH_CHECK(pthread_create(&threads[i], NULL, attach_and_detach, NULL) == 0);
  bench_begin(&run);
  pthread_barrier_wait(&gate);
  pthread_barrier_wait(&gate);
  bench_end(&run);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
  snprintf(name, sizeof name, "ports_attach_%u", count);
  print_result(name, MESSAGES / count * count, 0);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  char name[64];
  if (strcmp(what, "oneway") == 0) {
    unsigned count = bench_argument(argc, argv, 2, 1);
    snprintf(name, sizeof name, "ports_oneway_%u%s", count, argc > 3 ? "_waiting" : "");
    oneway(name, count, argc > 3, produce);
  } else if (strcmp(what, "batch") == 0) {
    oneway("ports_oneway_groups", 1, 0, produce_groups);
  } else if (strcmp(what, "paced") == 0) {
    pace = (unsigned)bench_iterations_per_us() / 4;
    oneway("ports_oneway_paced", 1, 0, produce);
  } else if (strcmp(what, "pingpong") == 0 && argc > 2) {
    pingpong_waiting();
  } else if (strcmp(what, "pingpong") == 0) {
    pingpong("ports_pingpong", 0);
  } else if (strcmp(what, "post") == 0) {
    post_and_receive();
  } else if (strcmp(what, "transfer") == 0) {
    transfer(bench_argument(argc, argv, 2, 1));
  } else if (strcmp(what, "broadcast") == 0) {
    broadcast(bench_argument(argc, argv, 2, 4), bench_argument(argc, argv, 3, PAYLOAD));
  } else if (strcmp(what, "idle") == 0) {
    unsigned ports = bench_argument(argc, argv, 2, 10000);
    snprintf(name, sizeof name, "ports_pingpong_among_%u", ports);
    pingpong(name, ports);
  } else if (strcmp(what, "attach") == 0) {
    attach(bench_argument(argc, argv, 2, 1));
  } else {
    return bench_usage("ports oneway [PRODUCERS [POLL]] | batch | paced | pingpong [wait] | post | transfer BYTES | "
                       "broadcast MEMBERS [BYTES] | idle PORTS | attach [THREADS]");
  }
  return 0;
}
