/* Groups without memory: UV_ENOMEM, nothing lost, nothing leaked, and nobody gets what not all can get. */
#include "broadcast.h"

#include "allocs.h"

static char bytes[1000];

/* The first of a group, the second, and the one for whom the list has to grow. */
static int members;

static int try_open(long n) {
  port_t *ports[8], *port = NULL;
  for (int i = 0; i < members; i++) ports[i] = join("open");
  allocs_fail_at(n);
  int result = uvx_broadcast_open(&port, "open", NULL);
  allocs_fail_at(0);
  for (int i = 0; i < members; i++) CHECK_EQ(port_post(ports[i], i), 0);
  for (int i = 1; i < members; i++) CHECK_EQ(port_receive(ports[i]), 0);
  if (result == 0) {
    if (members > 0) CHECK_EQ(port_receive(port), 0);
    port_close(port);
  }
  for (int i = 0; i < members; i++) port_close(ports[i]);
  return result;
}

TEST(opening) {
  allocs_install();
  members = 0;
  CHECK_EQ(allocs_exhaust(try_open), 4); /* port, group, two lists */
  members = 1;
  CHECK_EQ(allocs_exhaust(try_open), 1);
  members = 4;
  CHECK_EQ(allocs_exhaust(try_open), 3);
}

static int freed;

static void on_free(void* base, size_t len, void* arg) {
  (void) base, (void) len, (void) arg;
  freed++;
}

/* A long payload and a shared buffer for three, one of them bounded. */
static int try_post(long n) {
  port_t *a = join("post"), *b = join("post"), *c, *d = join("post");
  uvx_shared_buf_t* shared;
  uvx_xfer_t xfer;
  uvx_message_channel_options_t options;
  uv_buf_t buf = uv_buf_init(bytes, sizeof bytes);
  uvx_message_desc_t desc = port_tag(1);
  freed = 0;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.max_messages = 1;
  CHECK_EQ(uvx_broadcast_open(&c, "post", &options), 0);
  CHECK_EQ(uvx_shared_buf_wrap(&shared, bytes, 1, on_free, NULL), 0);
  memset(&xfer, 0, sizeof xfer);
  xfer.type = UVX_XFER_SHARED;
  xfer.u.shared = shared;
  desc.bufs = &buf;
  desc.nbufs = 1;
  desc.xfers = &xfer;
  desc.nxfers = 1;
  allocs_fail_at(n);
  int result = uvx_message_port_post(a, &desc);
  allocs_fail_at(0);
  uvx_shared_buf_unref(shared);
  CHECK_EQ(freed, result != 0);
  if (result != 0) CHECK_EQ(port_post(a, 1), 0); /* the room was given back */
  CHECK_EQ(port_post(a, 2), UV_EAGAIN);
  CHECK_EQ(port_receive(b), 1);
  CHECK_EQ(port_receive(b), UV_EAGAIN);
  CHECK_EQ(port_stats(b).posted, 1);
  CHECK_EQ(port_receive(c), 1);
  port_close(a);
  port_close(b);
  port_close(c);
  port_close(d);
  CHECK_EQ(freed, 1);
  return result;
}

static int try_post_to_nobody(long n) {
  port_t* a = join("nobody");
  uvx_xfer_t xfer = port_mem(bytes, 1, on_free, NULL);
  freed = 0;
  allocs_fail_at(n);
  int result = port_post_xfers(a, 1, &xfer, 1);
  allocs_fail_at(0);
  CHECK_EQ(freed, result == 0);
  port_close(a);
  return result;
}

TEST(posting) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(try_post), 7); /* the payload; for each a message and what is handed over */
  CHECK_EQ(allocs_exhaust(try_post_to_nobody), 1);
}

static void take_message(port_t* port, message_t* message) {
  (void) port, (void) message;
}

TEST(nothing_else_needs_memory) {
  uv_loop_t loop;
  port_t* ports[20];
  allocs_install();
  CHECK_EQ(uv_loop_init(&loop), 0);
  long before = allocs_live();
  for (int i = 0; i < 20; i++) ports[i] = join("close");
  CHECK_EQ(port_post_bytes(ports[0], 1, bytes, sizeof bytes), 0);
  allocs_fail_at(1);
  allocs.always = 1;
  for (int i = 0; i < 10; i++) {
    CHECK_EQ(uvx_message_port_attach(&loop, ports[2 * i], take_message, NULL), 0);
    if (i & 1) CHECK_EQ(uvx_message_port_start(ports[2 * i]), 0);
  }
  uv_run(&loop, UV_RUN_NOWAIT);
  for (int i = 0; i < 19; i++) {
    port_close(ports[(i * 7) % 20]);
    CHECK_EQ(port_post(ports[13], i), i < 18 ? UV_ENOMEM : 0); /* to nobody */
  }
  port_close(ports[13]);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  allocs.always = 0;
  allocs_fail_at(0);
  CHECK_EQ(allocs_live(), before);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

/* Memory for messages goes round among the members. */
TEST(memory_is_reused_and_bounded) {
  port_t* ports[4];
  allocs_install();
  for (int i = 0; i < 4; i++) ports[i] = join("reuse");
  long first = 0;
  for (int round = 0; round < 3000; round++) {
    int from = round < 1500 ? 0 : round % 4;
    for (int i = 0; i < 10; i++) CHECK_EQ(port_post(ports[from], i), 0);
    for (int to = 0; to < 4; to++)
      for (int i = 0; to != from && i < 10; i++) CHECK_EQ(port_receive(ports[to]), i);
    if (round == 100) first = allocs_live();
    if (round == 1499) CHECK(allocs_live() <= first + 64);
  }
  CHECK(allocs_live() < first + 4 * 2100);
  for (int i = 0; i < 4; i++) port_close(ports[i]);
  CHECK_EQ(allocs_live(), 0);
}
