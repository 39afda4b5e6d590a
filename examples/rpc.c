/* Calls into another thread that wait for their answer, but not for ever: RPC over a message port.
 *
 *   cc -Iinclude examples/rpc.c -o rpc -luv && ./rpc
 *
 * A worker computes: each question is a message whose tag is the number of the call, and so is its answer. The caller has no
 * loop, it just receives with a deadline. A question that takes too long is given up; its answer comes later, and is known
 * by its tag to be nobody's any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uvx.h>

static uvx_message_port_t *far_end;

static void check(int status, const char *what) {
  if (status == 0) return;
  fprintf(stderr, "rpc: %s: %s\n", what, uv_strerror(status));
  exit(1);
}

static int post_number(uvx_message_port_t *port, uint64_t call, uint64_t number) {
  uv_buf_t buf = uv_buf_init((char *)&number, sizeof number);
  uvx_message_desc_t desc = {.size = sizeof desc, .tag = call, .bufs = &buf, .nbufs = 1};
  return uvx_message_port_post(port, &desc);
}

static uint64_t number_of(const uvx_message_t *message) {
  uint64_t number;
  memcpy(&number, uvx_message_data(message)->base, sizeof number);
  return number;
}

/* On the worker's thread: the largest prime factor, found the slow way. */
static void on_question(uvx_message_port_t *port, uvx_message_t *message) {
  uint64_t left = number_of(message), factor = 1;
  for (uint64_t divisor = 2; left > 1; divisor++)
    while (left % divisor == 0) left /= factor = divisor;
  check(post_number(port, uvx_message_tag(message), factor), "answer");
}

static void on_end(uvx_message_port_t *port, int status) {
  (void)status;
  check(uvx_message_port_close(port, 0, NULL), "close");
}

static void answer_questions(void *unused) {
  uv_loop_t loop;
  (void)unused;
  check(uv_loop_init(&loop), "uv_loop_init");
  check(uvx_message_port_attach(&loop, far_end, on_question, on_end), "attach");
  check(uvx_message_port_start(far_end), "start");
  uv_run(&loop, UV_RUN_DEFAULT);
  check(uv_loop_close(&loop), "uv_loop_close");
}

/* 0, or UV_ETIMEDOUT. Answers to earlier calls that were given up are passed over. */
static int call(uvx_message_port_t *port, uint64_t question, uint64_t *answer, uint64_t patience_ms) {
  static uint64_t calls;
  uint64_t self = ++calls, deadline = uv_hrtime() + patience_ms * 1000000;
  check(post_number(port, self, question), "question");
  for (;;) {
    uint64_t now = uv_hrtime();
    uvx_message_t *message;
    int status = uvx_message_port_receive(port, &message, now < deadline ? deadline - now : 0);
    if (status == UV_EAGAIN) status = UV_ETIMEDOUT; /* what a timeout of 0 says */
    if (status != 0) return status;
    int is_ours = uvx_message_tag(message) == self;
    if (is_ours) *answer = number_of(message);
    uvx_message_unref(message);
    if (is_ours) return 0;
  }
}

int main(void) {
  static const struct {
    uint64_t number, patience_ms;
  } questions[] = {{1001, 100}, {123456789, 100}, {268435399ull * 268435367, 100}, {720720, 10000}};
  uvx_message_port_t *port;
  uv_thread_t thread;
  check(uvx_message_channel_create(&port, &far_end, NULL), "channel");
  check(uv_thread_create(&thread, answer_questions, NULL), "thread");
  for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
    uint64_t number = questions[i].number, patience = questions[i].patience_ms, factor;
    int status = call(port, number, &factor, patience);
    if (status == 0)
      printf("%20llu: largest prime factor %llu\n", (unsigned long long)number, (unsigned long long)factor);
    else
      printf("%20llu: no answer within %d ms (%s)\n", (unsigned long long)number, (int)patience, uv_err_name(status));
  }
  check(uvx_message_port_close(port, 0, NULL), "close");
  check(uv_thread_join(&thread), "join");
  return 0;
}
