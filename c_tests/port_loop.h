/* What the tests of ports on a loop share: the loop, a channel, a single turn. */
#ifndef PORT_LOOP_H
#define PORT_LOOP_H

#include "port.h"

static uv_loop_t loop;
static port_t *a, *b;

static inline void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  port_channel(&a, &b);
}

static inline void nothing(uv_idle_t* idle) {
  (void) idle;
}

/* A turn of the loop although nothing keeps it alive. */
static inline void run_once(void) {
  static uv_idle_t idle;
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, nothing), 0);
  uv_run(&loop, UV_RUN_NOWAIT);
  uv_close((uv_handle_t*) &idle, NULL);
  uv_run(&loop, UV_RUN_NOWAIT);
}

static inline void post_range(port_t* port, int from, int to) {
  for (int i = from; i < to; i++) CHECK_EQ(port_post(port, i), 0);
}

/* Closes both ports and the loop. */
static inline void tear_down(void) {
  port_log[0] = '\0';
  if (a != NULL) port_close(a);
  if (b != NULL && b != a) port_close(b);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

#endif
