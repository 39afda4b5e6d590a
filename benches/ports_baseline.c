/* What programs do today to send messages to a loop: a mutex, a list and one uv_async_send() per message, the messages
 * popped one by one under the mutex, at most max(length at entry, 1000) in a turn. Message ports are measured against it.
 *
 *   oneway [PRODUCERS]  threads that post MESSAGES of 64 bytes, copied into fresh memory, to one loop
 *   pingpong            two loops in two threads answer each other */
#include "bench.h"

enum { MESSAGES = 1000000, PAYLOAD = 64, BATCH = 1000 };

typedef struct message {
  struct message *next;
  char payload[PAYLOAD];
} message_t;

typedef struct port {
  pthread_mutex_t mutex;
  message_t *head, **tail;
  size_t length;
  uv_async_t wake;
  void (*on_message)(struct port *, message_t *);
  uint64_t received, wakes;
} port_t;

static bench_run_t run;

static void port_post(port_t *port, const char payload[PAYLOAD]) {
  message_t *message = malloc(sizeof *message);
  BENCH_CHECK(message != NULL);
  memcpy(message->payload, payload, PAYLOAD);
  message->next = NULL;
  pthread_mutex_lock(&port->mutex);
  *port->tail = message;
  port->tail = &message->next;
  port->length++;
  pthread_mutex_unlock(&port->mutex);
  uv_async_send(&port->wake);
}

static message_t *port_pop(port_t *port) {
  pthread_mutex_lock(&port->mutex);
  message_t *message = port->head;
  if (message != NULL) {
    port->head = message->next;
    if (port->head == NULL) port->tail = &port->head;
    port->length--;
  }
  pthread_mutex_unlock(&port->mutex);
  return message;
}

static void port_deliver(uv_async_t *wake) {
  port_t *port = wake->data;
  message_t *message;
  pthread_mutex_lock(&port->mutex);
  size_t budget = port->length > BATCH ? port->length : BATCH;
  pthread_mutex_unlock(&port->mutex);
  port->wakes++;
  while ((message = port_pop(port)) != NULL) {
    port->received++;
    port->on_message(port, message);
    free(message);
    if (--budget == 0) {
      uv_async_send(wake);
      return;
    }
  }
}

static void port_open(port_t *port, uv_loop_t *loop, void (*on_message)(port_t *, message_t *)) {
  memset(port, 0, sizeof *port);
  pthread_mutex_init(&port->mutex, NULL);
  port->tail = &port->head;
  port->on_message = on_message;
  BENCH_CHECK(uv_async_init(loop, &port->wake, port_deliver) == 0);
  port->wake.data = port;
}

static void port_close(port_t *port) { uv_close((uv_handle_t *)&port->wake, NULL); }

static void print_result(const char *name, uint64_t messages, uint64_t wakes) {
  char more[64];
  snprintf(more, sizeof more, "wakes=%llu wakes_per_message=%.4f", (unsigned long long)wakes,
           (double)wakes / (double)messages);
  bench_print(name, &run, messages, more);
}

/* one way */

static port_t sink;
static unsigned producers;
static pthread_barrier_t gate;

static void *produce(void *unused) {
  char payload[PAYLOAD] = {0};
  (void)unused;
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < MESSAGES / producers; i++) {
    memcpy(payload, &i, sizeof i);
    port_post(&sink, payload);
  }
  pthread_barrier_wait(&gate); /* stays alive until its CPU time is counted */
  return NULL;
}

static void until_all(port_t *port, message_t *message) {
  (void)message;
  if (port->received == MESSAGES / producers * producers) uv_stop(port->wake.loop);
}

static void oneway(unsigned count) {
  uv_loop_t loop;
  pthread_t threads[16];
  char name[64];
  producers = count;
  BENCH_CHECK(producers >= 1 && producers <= 16 && uv_loop_init(&loop) == 0);
  port_open(&sink, &loop, until_all);
  pthread_barrier_init(&gate, NULL, producers + 1);
  for (unsigned i = 0; i < producers; i++) BENCH_CHECK(pthread_create(&threads[i], NULL, produce, NULL) == 0);
  bench_begin(&run);
  pthread_barrier_wait(&gate);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end(&run);
  pthread_barrier_wait(&gate);
  for (unsigned i = 0; i < producers; i++) pthread_join(threads[i], NULL);
  port_close(&sink);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  snprintf(name, sizeof name, "ports_baseline_oneway_%u", producers);
  print_result(name, sink.received, sink.wakes);
}

/* ping-pong */

static port_t here, there;
static atomic_int finished;

static void on_ping(port_t *port, message_t *message) {
  if (atomic_load_explicit(&bench_over, memory_order_relaxed)) {
    bench_end(&run);
    atomic_store(&finished, 1);
    uv_stop(port->wake.loop);
  }
  port_post(&there, message->payload);
}

static void on_pong(port_t *port, message_t *message) {
  if (atomic_load(&finished))
    port_close(port);
  else
    port_post(&here, message->payload);
}

static void *other_thread(void *unused) {
  uv_loop_t loop;
  (void)unused;
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  port_open(&there, &loop, on_pong);
  pthread_barrier_wait(&gate);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  return NULL;
}

static void pingpong(void) {
  uv_loop_t loop;
  pthread_t thread;
  char payload[PAYLOAD] = {0};
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  port_open(&here, &loop, on_ping);
  pthread_barrier_init(&gate, NULL, 2);
  BENCH_CHECK(pthread_create(&thread, NULL, other_thread, NULL) == 0);
  pthread_barrier_wait(&gate);
  bench_begin_bounded(&run);
  port_post(&there, payload);
  uv_run(&loop, UV_RUN_DEFAULT);
  pthread_join(thread, NULL);
  port_close(&here);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  print_result("ports_baseline_pingpong", here.received, here.wakes);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "oneway") == 0)
    oneway(bench_argument(argc, argv, 2, 1));
  else if (strcmp(what, "pingpong") == 0)
    pingpong();
  else
    return bench_usage("ports_baseline oneway [PRODUCERS] | pingpong");
  return 0;
}
