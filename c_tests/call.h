/* What the tests of posted calls share. */
#ifndef CALL_H
#define CALL_H

#include "port.h"

typedef uvx_mailbox_t mailbox_t;
typedef uvx_loop_call_t call_t;

static uv_loop_t loop;
static mailbox_t* mailbox;

static inline void set_up(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uvx_loop_mailbox(&loop, &mailbox), 0);
}

static inline void tear_down(void) {
  uvx_mailbox_release(mailbox);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Notes the number in `data`, with a c before it if it was cancelled. */
static inline void note(call_t* call, int status) {
  char text[32];
  CHECK(status == 0 || status == UV_ECANCELED);
  snprintf(text, sizeof text, "%s%d", status != 0 ? "c" : "", (int) (intptr_t) call->data);
  port_note(text);
}

static inline void note_copy(void* arg, int status) {
  call_t call;
  call.data = arg;
  note(&call, status);
}

static call_t calls[16];

static inline void post(int number, unsigned flags) {
  calls[number].data = (void*) (intptr_t) number;
  CHECK_EQ(uvx_mailbox_call(mailbox, &calls[number], note, flags), 0);
}

static uv_async_t keeper;

static inline void keep(uv_loop_t* on) {
  CHECK_EQ(uv_async_init(on, &keeper, NULL), 0);
}

#endif
