/* Very many short TCP connections, ended by either side in each way there is, some before they are made. Every callback comes
 * exactly once; no descriptor and no memory is left. */
#include "soak.h"

#include <sys/socket.h>

enum { SERVERS = 8, AT_ONCE = 64 };

/* How a connection ends. */
enum way {
  CLIENT_AT_ONCE,    /* before it is made */
  CLIENT_CLOSES,     /* when it is made */
  CLIENT_RESETS,
  SERVER_CLOSES,     /* when it is accepted */
  SERVER_RESETS,
  SHUT_DOWN,         /* the client first, then the server */
  WRITTEN_TO,        /* the client writes and closes, the server reads to the end */
  WAYS
};

struct end {
  uv_tcp_t tcp;
  uv_connect_t connect;
  uv_shutdown_t shutdown;
  uv_write_t write;
  enum way way;
  int is_client, connects, shutdowns, writes;
};

static uv_tcp_t servers[SERVERS];
static struct sockaddr_in addresses[SERVERS];
static unsigned char way_of[SERVERS][65536]; /* by the server and the client's port */
static long wanted, started, accepted, client_closes, server_closes, connects, cancelled, ways[WAYS];
static char room[1024];

static void start_client(void);

static void on_close(uv_handle_t* handle) {
  struct end* end = (struct end*) handle;
  CHECK_EQ(end->connects, end->is_client);
  if (end->is_client && end->way == SHUT_DOWN) CHECK_EQ(end->shutdowns, 1);
  if (end->is_client && end->way == WRITTEN_TO) CHECK_EQ(end->writes, 1);
  if (end->is_client)
    client_closes++;
  else
    server_closes++;
  if (end->is_client) start_client();
  free(end);
  if (client_closes == wanted && server_closes == accepted && accepted == wanted)
    for (int i = 0; i < SERVERS; i++)
      if (!uv_is_closing((uv_handle_t*) &servers[i])) uv_close((uv_handle_t*) &servers[i], NULL);
}

static void finish(struct end* end, int reset) {
  if (!reset || uv_tcp_close_reset(&end->tcp, on_close) != 0) uv_close((uv_handle_t*) &end->tcp, on_close);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buf) {
  (void) handle;
  (void) suggested;
  *buf = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t* stream, ssize_t nread, const uv_buf_t* buf) {
  struct end* end = (struct end*) stream;
  (void) buf;
  if (nread >= 0) return;
  CHECK(nread == UV_EOF || nread == UV_ECONNRESET);
  if (end->way == SHUT_DOWN || end->way == WRITTEN_TO) CHECK_EQ(nread, UV_EOF);
  finish(end, 0);
}

static void read_to_the_end(struct end* end) {
  CHECK_EQ(uv_read_start((uv_stream_t*) &end->tcp, on_alloc, on_read), 0);
}

static void on_shutdown(uv_shutdown_t* req, int status) {
  struct end* end = (struct end*) req->handle;
  CHECK_EQ(status, 0);
  end->shutdowns++;
  read_to_the_end(end);
}

static void on_write(uv_write_t* req, int status) {
  struct end* end = (struct end*) req->handle;
  CHECK_EQ(status, 0);
  end->writes++;
  finish(end, 0);
}

static void on_connect(uv_connect_t* req, int status) {
  struct end* end = (struct end*) req->handle;
  end->connects++;
  if (end->way == CLIENT_AT_ONCE) {
    CHECK_EQ(status, UV_ECANCELED);
    cancelled++;
    return;
  }
  if (end->way != SERVER_RESETS || status != UV_ECONNRESET) CHECK_EQ(status, 0);
  connects++;
  if (end->way == CLIENT_CLOSES || end->way == CLIENT_RESETS || status != 0) {
    finish(end, end->way == CLIENT_RESETS);
  } else if (end->way == SHUT_DOWN) {
    CHECK_EQ(uv_shutdown(&end->shutdown, (uv_stream_t*) &end->tcp, on_shutdown), 0);
  } else if (end->way == WRITTEN_TO) {
    uv_buf_t bytes = uv_buf_init(room, 100);
    CHECK_EQ(uv_write(&end->write, (uv_stream_t*) &end->tcp, &bytes, 1, on_write), 0);
  } else {
    read_to_the_end(end);
  }
}

static struct end* new_end(enum way way, int is_client) {
  struct end* end = calloc(1, sizeof(*end));
  CHECK(end != NULL);
  CHECK_EQ(uv_tcp_init(&loop, &end->tcp), 0);
  end->way = way;
  end->is_client = is_client;
  return end;
}

static void start_client(void) {
  const struct sockaddr* address = (const struct sockaddr*) &addresses[started % SERVERS];
  struct sockaddr_in own;
  int length = sizeof(own);
  struct end* end;
  if (started == wanted) return;
  end = new_end(soak_random(WAYS), 1);
  ways[end->way]++;
  CHECK_EQ(uv_tcp_connect(&end->connect, &end->tcp, address, on_connect), 0);
  CHECK_EQ(uv_tcp_getsockname(&end->tcp, (struct sockaddr*) &own, &length), 0);
  way_of[started % SERVERS][ntohs(own.sin_port)] = (unsigned char) end->way;
  started++;
  if (end->way == CLIENT_AT_ONCE) finish(end, 0);
}

static void on_connection(uv_stream_t* server, int status) {
  struct sockaddr_in peer;
  int length = sizeof(peer);
  struct end* end = new_end(CLIENT_RESETS, 0);
  CHECK_EQ(status, 0);
  CHECK_EQ(uv_accept(server, (uv_stream_t*) &end->tcp), 0);
  accepted++;
  if (uv_tcp_getpeername(&end->tcp, (struct sockaddr*) &peer, &length) == 0) /* else it is reset already */
    end->way = way_of[(uv_tcp_t*) server - servers][ntohs(peer.sin_port)];
  if (end->way == SERVER_CLOSES || end->way == SERVER_RESETS)
    finish(end, end->way == SERVER_RESETS);
  else
    read_to_the_end(end);
}

TEST(short_connections) {
  wanted = soak_begin(100000, 5000);
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < SERVERS; i++) soak_listen(&servers[i], &addresses[i], on_connection);
  for (int i = 0; i < AT_ONCE; i++) start_client();
  soak_end();
  fprintf(stderr, "%ld connections: %ld connected, %ld given up, %ld accepted; ", started, connects, cancelled, accepted);
  for (int i = 0; i < WAYS; i++) fprintf(stderr, "%ld%s", ways[i], i + 1 < WAYS ? " + " : "\n");
  CHECK_EQ(connects + cancelled, wanted);
  CHECK_EQ(client_closes, wanted);
  CHECK_EQ(server_closes, accepted);
  CHECK_EQ(accepted, wanted);
}
