/* What the tests of handing over share: two channels, a loop, memory that counts how often it is freed. */
#ifndef PORT_TRANSFER_H
#define PORT_TRANSFER_H

#include "port.h"

static port_t *a, *b, *c, *d;

static uv_loop_t loop;

static inline void set_up(void) {
  port_channel(&a, &b);
  port_channel(&c, &d);
}

static inline void tear_down(void) {
  port_t* all[] = {a, b, c, d};
  for (int i = 0; i < 4; i++)
    if (all[i] != NULL) port_close(all[i]);
}

static int freed;
static char memory[1 << 20];

static inline void on_free(void* base, size_t len, void* arg) {
  CHECK(base == memory && len == sizeof memory && arg == &freed);
  freed++;
}

static inline uvx_xfer_t some_memory(void) {
  return port_mem(memory, sizeof memory, on_free, &freed);
}

static inline uvx_xfer_t xfer_of(uvx_xfer_type type, void* thing, int fd) {
  uvx_xfer_t xfer;
  memset(&xfer, 0, sizeof xfer);
  xfer.type = type;
  if (type == UVX_XFER_PORT) xfer.u.port = thing;
  if (type == UVX_XFER_SHARED) xfer.u.shared = thing;
  if (type == UVX_XFER_FD) xfer.u.fd = fd;
  return xfer;
}

#endif
