/* Thousands of TCP connections that do, in random order, everything a stream can do, and end in every way a connection can
 * end. Each request and each close is called back exactly once, writes in their order; no byte is lost, repeated or changed;
 * no descriptor and no memory is left. */
#include "soak.h"

#include <sys/socket.h>

enum { SERVERS = 8, MOST_ENDS = 200, MOST_WRITES = 8, PERIOD = 251, LARGEST = 300000 };

struct connection;

/* One end of a connection. Lives on the heap until its close callback, so that a memory checker sees later uses. */
struct end {
  uv_tcp_t tcp;
  struct end *next, *prev; /* of those that are open */
  int is_client, connected, connecting, closing, shut, reading, ended;
  int steps;               /* what it still does before it closes */
  long started, finished;  /* writes */
  int shutdowns_started, shutdowns_finished;
  uv_shutdown_t shutdown;
  uv_connect_t connect;
  size_t queued, received;
  struct connection* connection;
};

/* What one end has to know of the other; outlives both. */
struct connection {
  size_t sent[2]; /* all that an end has sent, once its shutdown was done */
  int complete[2];
  int torn; /* reset, or closed without having been read to its end, for which the kernel resets it */
};

struct write {
  uv_write_t req;
  long number;
};

static struct {
  long started, connected, refused, accepted, closed, writes, writes_failed, partial, shutdowns, resets, eofs, read_errors;
  size_t bytes;
} sum;

static uv_tcp_t servers[SERVERS];
static struct sockaddr_in addresses[SERVERS];
static struct connection *connections, *by_port[SERVERS][65536];
static struct end open_ends = {.next = &open_ends, .prev = &open_ends};
static long wanted, alive;
static uv_idle_t driver;
static char pattern[PERIOD + LARGEST], room[65536];

static void act(struct end* end);

static struct end* new_end(int is_client) {
  struct end* end = calloc(1, sizeof(*end));
  CHECK(end != NULL);
  CHECK_EQ(uv_tcp_init(&loop, &end->tcp), 0);
  end->is_client = is_client;
  end->steps = (int) soak_random(20);
  end->next = &open_ends;
  end->prev = open_ends.prev;
  open_ends.prev = end->prev->next = end;
  alive++;
  return end;
}

static void on_close(uv_handle_t* handle) {
  struct end* end = (struct end*) handle;
  CHECK(end->closing);
  CHECK(!end->connecting);
  CHECK_EQ(end->started, end->finished);
  CHECK_EQ(end->shutdowns_started, end->shutdowns_finished);
  CHECK_EQ(end->tcp.write_queue_size, 0);
  end->next->prev = end->prev;
  end->prev->next = end->next;
  sum.closed++;
  alive--;
  free(end);
}

static void finish(struct end* end) {
  if (end->closing) return;
  end->closing = 1;
  if (end->connection != NULL && !end->ended) end->connection->torn = 1;
  if (soak_random(3) == 0 && uv_tcp_close_reset(&end->tcp, on_close) == 0) {
    if (end->connection != NULL) end->connection->torn = 1;
    sum.resets++;
    return;
  }
  CHECK(!uv_is_closing((uv_handle_t*) &end->tcp));
  uv_close((uv_handle_t*) &end->tcp, on_close);
}

static void on_write(uv_write_t* req, int status) {
  struct write* write = (struct write*) req;
  struct end* end = (struct end*) req->handle;
  CHECK_EQ(write->number, end->finished); /* in order, each once */
  end->finished++;
  sum.writes++;
  sum.writes_failed += status != 0;
  CHECK(status == 0 || status == UV_ECANCELED || status == UV_EPIPE || status == UV_ECONNRESET);
  if (status == UV_ECANCELED) CHECK(end->closing || !end->connected);
  free(write);
  act(end);
}

/* One buffer, or a few of random sizes, of the bytes that follow those sent before. */
static unsigned fill(struct end* end, uv_buf_t* bufs, size_t bytes) {
  unsigned count = 1 + soak_random(7);
  char* from = pattern + end->queued % PERIOD;
  for (unsigned i = 0; i < count; i++) {
    size_t part = i == count - 1 ? bytes : bytes / 2;
    bufs[i] = uv_buf_init(from, (unsigned) part);
    from += part;
    bytes -= part;
  }
  return count;
}

static size_t random_size(void) {
  return soak_random(4) == 0 ? soak_random(LARGEST) : soak_random(2000);
}

static void write_some(struct end* end) {
  uv_buf_t bufs[8];
  size_t bytes = random_size();
  unsigned count = fill(end, bufs, bytes);
  struct write* write;
  int result;
  if (end->started - end->finished >= MOST_WRITES || end->shut) return;
  write = malloc(sizeof(*write));
  CHECK(write != NULL);
  write->number = end->started;
  result = uv_write(&write->req, (uv_stream_t*) &end->tcp, bufs, count, on_write);
  if (result != 0) {
    CHECK(result == UV_EPIPE || result == UV_EBADF); /* the other end is gone, and reading has found out */
    free(write);
    return;
  }
  if (end->tcp.write_queue_size > 0 && end->tcp.write_queue_size < bytes) sum.partial++;
  end->started++;
  end->queued += bytes;
  sum.bytes += bytes;
}

static void try_write_some(struct end* end) {
  uv_buf_t bufs[8];
  size_t bytes = random_size();
  int result = uv_try_write((uv_stream_t*) &end->tcp, bufs, fill(end, bufs, bytes));
  if (result > 0) {
    CHECK((size_t) result <= bytes);
    CHECK(!end->shut);
    end->queued += (size_t) result;
    sum.bytes += (size_t) result;
  } else {
    CHECK(result == 0 || result == UV_EAGAIN || result == UV_EPIPE || result == UV_ECONNRESET || result == UV_EBADF);
  }
}

static void on_shutdown(uv_shutdown_t* req, int status) {
  struct end* end = (struct end*) req->handle;
  end->shutdowns_finished++;
  CHECK_EQ(end->shutdowns_finished, 1);
  if (status == 0) CHECK_EQ(end->tcp.write_queue_size, 0); /* all is out, if not called back yet */
  CHECK(status == 0 || status == UV_ECANCELED || status == UV_ENOTCONN || status == UV_EPIPE || status == UV_ECONNRESET);
  sum.shutdowns++;
  if (status == 0 && end->connection != NULL) {
    end->connection->sent[end->is_client] = end->queued;
    end->connection->complete[end->is_client] = 1;
  }
  act(end);
}

static void shut_down(struct end* end) {
  int result;
  if (end->shut) return;
  result = uv_shutdown(&end->shutdown, (uv_stream_t*) &end->tcp, on_shutdown);
  CHECK(result == 0 || result == UV_ENOTCONN);
  if (result != 0) return;
  end->shut = 1;
  end->shutdowns_started++;
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  (void) suggested;
  CHECK(!((struct end*) handle)->closing);
  *buf = uv_buf_init(room, 1 + soak_random(soak_random(2) ? 100 : sizeof(room)));
}

static void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  struct end* end = (struct end*) stream;
  CHECK(!end->closing);
  if (nread > 0) {
    CHECK(memcmp(buf->base, pattern + end->received % PERIOD, (size_t) nread) == 0);
    end->received += (size_t) nread;
  } else if (nread == UV_EOF) {
    struct connection* connection = end->connection;
    sum.eofs++;
    end->reading = 0;
    end->ended = 1;
    if (connection != NULL && connection->complete[!end->is_client] && !connection->torn)
      CHECK_EQ(end->received, connection->sent[!end->is_client]);
  } else if (nread < 0) {
    CHECK_EQ(nread, UV_ECONNRESET);
    sum.read_errors++;
    finish(end);
    return;
  }
  act(end);
}

static void toggle_reading(struct end* end) {
  int result;
  if (end->reading) {
    CHECK_EQ(uv_read_stop((uv_stream_t*) &end->tcp), 0);
    end->reading = 0;
    return;
  }
  result = uv_read_start((uv_stream_t*) &end->tcp, on_alloc, on_read);
  CHECK(result == 0 || result == UV_ENOTCONN);
  end->reading = result == 0;
}

/* The next thing that this end does, in whatever callback it is. */
static void act(struct end* end) {
  if (end->closing) return;
  if (end->steps-- <= 0) {
    finish(end);
    return;
  }
  if (!end->connected) { /* a client that still connects may do these already */
    if (soak_random(4) == 0) write_some(end);
    return;
  }
  switch (soak_random(10)) {
    case 0: case 1: case 2: write_some(end); break;
    case 3: write_some(end); write_some(end); write_some(end); break;
    case 4: try_write_some(end); break;
    case 5: case 6: toggle_reading(end); break;
    case 7: shut_down(end); break;
    case 8: if (soak_random(5) == 0) finish(end); break;
    default: if (!end->reading) toggle_reading(end); break;
  }
}

static void on_connect(uv_connect_t* req, int status) {
  struct end* end = (struct end*) req->handle;
  CHECK(end->connecting);
  end->connecting = 0;
  if (status != 0) {
    CHECK_EQ(status, end->closing ? UV_ECANCELED : UV_ECONNRESET); /* the server may be done with it already */
    sum.refused++;
    finish(end);
    return;
  }
  end->connected = 1;
  sum.connected++;
  act(end);
}

static int port_of(struct end* end, int (*ask)(const uv_tcp_t*, struct sockaddr*, int*)) {
  struct sockaddr_in address;
  int length = sizeof(address);
  return ask(&end->tcp, (struct sockaddr*) &address, &length) == 0 ? ntohs(address.sin_port) : -1;
}

static void squeeze(struct end* end) {
  int bytes = 4096 << soak_random(4);
  if (soak_random(2)) uv_send_buffer_size((uv_handle_t*) &end->tcp, &bytes);
  if (soak_random(2)) uv_recv_buffer_size((uv_handle_t*) &end->tcp, &bytes);
}

static void start_client(void) {
  struct end* end = new_end(1);
  end->connecting = 1;
  CHECK_EQ(uv_tcp_connect(&end->connect, &end->tcp, (const struct sockaddr*) &addresses[sum.started % SERVERS], on_connect),
           0);
  end->connection = &connections[sum.started];
  by_port[sum.started % SERVERS][port_of(end, uv_tcp_getsockname)] = end->connection;
  squeeze(end);
  sum.started++;
  act(end);
}

static void on_connection(uv_stream_t* server, int status) {
  struct end* end = new_end(0);
  int port;
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_accept(server, (uv_stream_t*) &end->tcp), 0);
  sum.accepted++;
  end->connected = 1;
  port = port_of(end, uv_tcp_getpeername); /* unknown if the client is gone already */
  if (port >= 0) end->connection = by_port[(uv_tcp_t*) server - servers][port];
  squeeze(end);
  act(end);
}

/* Each turn new clients begin, and somebody does something, so that nobody waits for ever. */
static void on_turn(uv_idle_t* idle) {
  struct end* end;
  while (alive < MOST_ENDS && sum.started < wanted) start_client();
  end = open_ends.next;
  if (end == &open_ends && sum.started == wanted) {
    uv_close((uv_handle_t*) idle, NULL);
    for (int i = 0; i < SERVERS; i++) uv_close((uv_handle_t*) &servers[i], NULL);
    return;
  }
  for (unsigned skip = soak_random(16); skip > 0 && end->next != &open_ends; skip--) end = end->next;
  if (end != &open_ends) act(end);
}

static void serve(void) {
  for (int i = 0; i < PERIOD + LARGEST; i++) pattern[i] = (char) (i % PERIOD);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < SERVERS; i++) soak_listen(&servers[i], &addresses[i], on_connection);
  CHECK_EQ(uv_idle_init(&loop, &driver), 0);
}

static void report(void) {
  fprintf(stderr, "%ld connections, %ld connected, %ld given up, %ld accepted; %ld writes, %ld failed, %ld partial; "
                  "%ld shutdowns, %ld resets, %ld ends, %ld errors; %zu bytes\n",
          sum.started, sum.connected, sum.refused, sum.accepted, sum.writes, sum.writes_failed, sum.partial, sum.shutdowns,
          sum.resets, sum.eofs, sum.read_errors, sum.bytes);
  CHECK_EQ(sum.started, wanted);
  CHECK_EQ(sum.connected + sum.refused, wanted);
  CHECK_EQ(sum.closed, sum.started + sum.accepted);
  CHECK_EQ(alive, 0);
  free(connections);
}

TEST(connections_do_everything_in_random_order) {
  wanted = soak_begin(50000, 2000);
  connections = calloc((size_t) wanted, sizeof(*connections));
  serve();
  CHECK_EQ(uv_idle_start(&driver, on_turn), 0);
  soak_end();
  report();
}
