/* UDP in one loop.
 *
 *   pummel S R       S senders, each with one datagram on the way, and R receivers; what counts is datagrams received
 *   pummel_many S R  the same with UV_UDP_RECVMMSG
 *   pingpong N       N sockets that send one datagram to an echoing socket and wait for it */
#include "bench.h"

enum { MOST = 128, SIZE = 64 };

static uv_loop_t loop;
static bench_run_t run;
static uint64_t received, sent;
static struct sockaddr_in addresses[MOST];
static uv_udp_t receivers[MOST];
static char room[20 * 65536], payload[SIZE];

typedef struct {
  uv_udp_t udp;
  uv_udp_send_t req;
  const struct sockaddr *to;
} sender_t;

static sender_t senders[MOST];

static void close_one(uv_handle_t *handle, void *arg) {
  (void)arg;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void end_if_over(void) {
  static int ended;
  if (ended || !atomic_load_explicit(&bench_over, memory_order_relaxed)) return;
  ended = 1;
  bench_end(&run);
  uv_walk(&loop, close_one, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  *buf = uv_buf_init(room, uv_udp_using_recvmmsg((uv_udp_t *)handle) ? sizeof room : (unsigned)suggested);
}

static void on_received(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  (void)udp;
  (void)buf;
  (void)flags;
  if (from == NULL) return;
  BENCH_CHECK(count == SIZE);
  received++;
  end_if_over();
}

static void on_sent(uv_udp_send_t *req, int status);

static void send_one(sender_t *sender) {
  uv_buf_t buf = uv_buf_init(payload, SIZE);
  BENCH_CHECK(uv_udp_send(&sender->req, &sender->udp, &buf, 1, sender->to, on_sent) == 0);
  sent++;
}

static void on_sent(uv_udp_send_t *req, int status) {
  sender_t *sender = (sender_t *)req->handle;
  if (status == UV_ECANCELED) return;
  BENCH_CHECK(status == 0);
  end_if_over();
  if (!uv_is_closing((uv_handle_t *)&sender->udp)) send_one(sender);
}

static void open_receiver(unsigned i, unsigned flags, uv_udp_recv_cb cb) {
  int size = sizeof addresses[i];
  BENCH_CHECK(uv_ip4_addr("127.0.0.1", 0, &addresses[i]) == 0);
  BENCH_CHECK(uv_udp_init_ex(&loop, &receivers[i], AF_INET | flags) == 0);
  BENCH_CHECK(uv_udp_bind(&receivers[i], (struct sockaddr *)&addresses[i], 0) == 0);
  BENCH_CHECK(uv_udp_getsockname(&receivers[i], (struct sockaddr *)&addresses[i], &size) == 0);
  BENCH_CHECK(uv_udp_recv_start(&receivers[i], on_alloc, cb) == 0);
}

static void pummel(unsigned from, unsigned to, unsigned flags) {
  char name[64], more[64];
  BENCH_CHECK(from <= MOST && to <= MOST);
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  for (unsigned i = 0; i < to; i++) open_receiver(i, flags, on_received);
  bench_begin_bounded(&run);
  for (unsigned i = 0; i < from; i++) {
    BENCH_CHECK(uv_udp_init(&loop, &senders[i].udp) == 0);
    senders[i].to = (struct sockaddr *)&addresses[i % to];
    send_one(&senders[i]);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  snprintf(name, sizeof name, "datagrams_pummel%s_%u_%u", flags ? "_many" : "", from, to);
  snprintf(more, sizeof more, "sent=%llu", (unsigned long long)sent);
  bench_print(name, &run, received, more);
}

/* pingpong */

typedef struct {
  uv_udp_send_t req;
  char bytes[SIZE];
} answer_t;

static void on_answered(uv_udp_send_t *req, int status) {
  (void)status;
  free(req);
}

static void on_question(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  answer_t *answer;
  uv_buf_t bytes;
  (void)flags;
  if (from == NULL) return;
  BENCH_CHECK(count == SIZE);
  answer = malloc(sizeof *answer);
  memcpy(answer->bytes, buf->base, SIZE);
  bytes = uv_buf_init(answer->bytes, SIZE);
  BENCH_CHECK(uv_udp_send(&answer->req, udp, &bytes, 1, from, on_answered) == 0);
}

static void on_asked(uv_udp_send_t *req, int status) {
  (void)req;
  BENCH_CHECK(status == 0 || status == UV_ECANCELED);
}

static void ask(sender_t *sender) {
  uv_buf_t buf = uv_buf_init(payload, SIZE);
  BENCH_CHECK(uv_udp_send(&sender->req, &sender->udp, &buf, 1, sender->to, on_asked) == 0);
}

static void on_answer(uv_udp_t *udp, ssize_t count, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags) {
  on_received(udp, count, buf, from, flags);
  if (from != NULL && !uv_is_closing((uv_handle_t *)udp)) ask((sender_t *)udp);
}

static void pingpong(unsigned count) {
  char name[64];
  BENCH_CHECK(count <= MOST);
  BENCH_CHECK(uv_loop_init(&loop) == 0);
  open_receiver(0, 0, on_question);
  bench_begin_bounded(&run);
  for (unsigned i = 0; i < count; i++) {
    BENCH_CHECK(uv_udp_init(&loop, &senders[i].udp) == 0);
    senders[i].to = (struct sockaddr *)&addresses[0];
    ask(&senders[i]);
    BENCH_CHECK(uv_udp_recv_start(&senders[i].udp, on_alloc, on_answer) == 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  snprintf(name, sizeof name, "datagrams_pingpong_%u", count);
  bench_print(name, &run, received, "");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  unsigned first = bench_argument(argc, argv, 2, 1), second = bench_argument(argc, argv, 3, 1);
  if (strcmp(what, "pummel") == 0)
    pummel(first, second, 0);
  else if (strcmp(what, "pummel_many") == 0)
    pummel(first, second, UV_UDP_RECVMMSG);
  else if (strcmp(what, "pingpong") == 0)
    pingpong(first);
  else
    return bench_usage("datagrams pummel S R | pummel_many S R | pingpong N");
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  return 0;
}
