/* Tracing a busy program: a pool, timers and ports, in a file for a trace viewer.
 *
 *   trace [FILE]        FILE (trace.json) opens in ui.perfetto.dev, about:tracing, or any other viewer of that format
 *
 * The program reads numbers in "pages", adds them up on the pool, and sends the sums to a reporter on another loop. Its own events are in the
 * category "app"; "uv" is what the library says of itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uvx.h>

enum { PAGES = 24, NUMBERS = 200000 };

#define CHECK(call)                                                                          \
  do {                                                                                       \
    int result_ = (call);                                                                    \
    if (result_ < 0) {                                                                       \
      fprintf(stderr, "%s: %s\n", #call, uv_strerror(result_));                              \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

typedef struct {
  uv_work_t work;
  unsigned number;
  uint64_t sum;
} page_t;

static const uint8_t *app;
static uvx_message_port_t *to_reporter;
static uv_timer_t ticker;
static unsigned left = PAGES;

static void add_up(uv_work_t *work) {
  page_t *page = work->data;
  uint64_t start = uv_hrtime();
  for (uint32_t i = 0, x = page->number + 1; i < NUMBERS; i++) {
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    page->sum += x;
  }
  if (UVX_TRACE_ON(app)) {
    uvx_trace_arg_t args[] = {{"page", UVX_TRACE_UINT, {.u = page->number}}, {"sum", UVX_TRACE_UINT, {.u = page->sum}}};
    uvx_trace_complete(app, "add up", start, 2, args, 0);
  }
}

static void added_up(uv_work_t *work, int status) {
  page_t *page = work->data;
  uvx_message_desc_t message = {.size = sizeof message, .tag = page->sum};
  CHECK(status);
  CHECK(uvx_message_port_post(to_reporter, &message));
  if (--left == 0) {
    CHECK(uvx_message_port_close(to_reporter, 0, NULL));
    uv_close((uv_handle_t *)&ticker, NULL);
  }
}

static void on_tick(uv_timer_t *timer) {
  uvx_trace_arg_t pages = {"left", UVX_TRACE_UINT, {.u = left}};
  (void)timer;
  if (UVX_TRACE_ON(app)) uvx_trace_event(app, 'C', "pages", 0, 1, &pages, 0);
}

static void on_sum(uvx_message_port_t *port, uvx_message_t *message) {
  uint64_t *total = uvx_message_port_get_data(port);
  *total += uvx_message_tag(message);
  if (UVX_TRACE_ON(app)) uvx_trace_event(app, 'i', "sum", 0, 0, NULL, 0);
}

static void on_end(uvx_message_port_t *port, int status) {
  (void)status;
  CHECK(uvx_message_port_close(port, 0, NULL));
}

static int report(uvx_worker_ctx_t *ctx, void *port) {
  (void)ctx;
  CHECK(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), port, on_sum, on_end));
  return uvx_message_port_start(port);
}

int main(int argc, char **argv) {
  static page_t pages[PAGES];
  uint64_t total = 0;
  uvx_message_port_t *reports;
  uvx_worker_t *reporter;
  uvx_trace_agent_t *agent;
  uvx_trace_options_t tracing = {.size = sizeof tracing, .file = argc > 1 ? argv[1] : "trace.json"};
  uvx_trace_stats_t stats = {.size = sizeof stats};
  uv_loop_t *loop = uv_default_loop();

  app = uvx_trace_category("app");
  CHECK(uvx_trace_agent_start(&agent, &tracing));
  CHECK(uvx_trace_enable(agent, NULL, "app,uv"));

  CHECK(uvx_message_channel_create(&to_reporter, &reports, NULL));
  uvx_message_port_set_data(reports, &total);
  uvx_worker_options_t options = {.size = sizeof options, .name = "reporter", .data = reports};
  CHECK(uvx_worker_start(loop, &reporter, report, &options, NULL));
  CHECK(uv_timer_init(loop, &ticker));
  CHECK(uv_timer_start(&ticker, on_tick, 1, 1));
  for (unsigned i = 0; i < PAGES; i++) {
    pages[i].number = i;
    pages[i].work.data = &pages[i];
    CHECK(uv_queue_work(loop, &pages[i].work, add_up, added_up));
  }
  CHECK(uv_run(loop, UV_RUN_DEFAULT));

  CHECK(uvx_trace_flush(agent, UVX_FOREVER));
  CHECK(uvx_trace_stats(agent, &stats));
  CHECK(uvx_trace_agent_stop(agent, UVX_FOREVER));
  printf("the sum is %" PRIu64 "; %" PRIu64 " events in %s\n", total, stats.written, tracing.file);
  CHECK(uv_loop_close(loop));
  return 0;
}
