/* What the soak tests share: their size, a random source that can be replayed, and what must not grow.
 *
 * They run a fraction of their size, or all of it with UVOXIDE_SOAK=full. UVOXIDE_SEED replays a run. */
#ifndef SOAK_H
#define SOAK_H

#include "allocs.h"
#include "self.h"

static uv_loop_t loop;
static uint64_t soak_state;
static int soak_files_before;

/* To be called first; gives the size of the run. */
static inline long soak_begin(long full, long usual) {
  const char *seed = getenv("UVOXIDE_SEED"), *size = getenv("UVOXIDE_SOAK");
  allocs_install();
  soak_state = seed != NULL ? strtoull(seed, NULL, 10) : uv_hrtime() ^ (uint64_t) getpid() << 32;
  fprintf(stderr, "UVOXIDE_SEED=%llu\n", (unsigned long long) soak_state);
  signal(SIGPIPE, SIG_IGN);
  CHECK_EQ(uv_loop_init(&loop), 0); /* what is opened once and for all is open now */
  CHECK_EQ(uv_loop_close(&loop), 0);
  soak_files_before = self_open_files();
  return size != NULL && strcmp(size, "full") == 0 ? full : usual;
}

/* Below `bound`. */
static inline unsigned soak_random(unsigned bound) { /* splitmix64 */
  uint64_t z = soak_state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (unsigned) ((z ^ z >> 31) >> 32) % bound;
}

/* A server on loopback, and its address. */
static inline void soak_listen(uv_tcp_t* server, struct sockaddr_in* address, uv_connection_cb on_connection) {
  int length = sizeof(*address);
  CHECK_EQ(uv_ip4_addr("127.0.0.1", 0, address), 0);
  CHECK_EQ(uv_tcp_init(&loop, server), 0);
  CHECK_EQ(uv_tcp_bind(server, (const struct sockaddr*) address, 0), 0);
  CHECK_EQ(uv_listen((uv_stream_t*) server, 128, on_connection), 0);
  CHECK_EQ(uv_tcp_getsockname(server, (struct sockaddr*) address, &length), 0);
}

/* Waits for everything, and expects the loop to leave nothing behind. */
static inline void soak_end(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(uv_loop_close(&loop), 0);
  CHECK_EQ(self_open_files(), soak_files_before);
  CHECK_EQ(allocs_live(), 0);
}

#endif
