/* uv_walk, and the listings that uv_print_all_handles and uv_print_active_handles write. */
#include "trace.h"

static uv_loop_t loop;
static uv_timer_t timers[5];
static int seen;

static void count(uv_handle_t* handle, void* arg) {
  CHECK_EQ(arg, &seen);
  CHECK_EQ(handle->loop, &loop);
  seen++;
}

static void init_timers(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  for (int i = 0; i < 5; i++) CHECK_EQ(uv_timer_init(&loop, &timers[i]), 0);
}

TEST(a_fresh_loop_shows_none_of_its_own) {
  uv_signal_t signal;
  CHECK_EQ(uv_loop_init(&loop), 0);
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 0);
  CHECK_EQ(uv_signal_init(&loop, &signal), 0); /* brings internal watchers */
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 1);
  check_close_loop(&loop);
}

TEST(every_handle_once) {
  init_timers();
  CHECK_EQ(uv_timer_start(&timers[0], trace_timer, 1000, 0), 0);
  uv_unref((uv_handle_t*) &timers[1]);
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 5); /* active or not, referenced or not */
  seen = 0;
  uv_close((uv_handle_t*) &timers[2], NULL);
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 5); /* closing ones too, until their callback has run */
  seen = 0;
  CHECK_EQ(uv_timer_stop(&timers[0]), 0);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 4);
  check_close_loop(&loop);
}

static uv_handle_t* order[8];

static void note(uv_handle_t* handle, void* arg) {
  (void) arg;
  order[seen++] = handle;
}

TEST(in_the_order_of_init) {
  init_timers();
  uv_walk(&loop, note, NULL);
  for (int i = 0; i < 5; i++) CHECK_EQ(order[i], &timers[i]);
  check_close_loop(&loop);
}

static void close_it(uv_handle_t* handle, void* arg) {
  seen++;
  uv_close(handle, arg);
}

static int closed;

static void count_closed(uv_handle_t* handle) {
  (void) handle;
  closed++;
}

TEST(the_callback_may_close) {
  init_timers();
  uv_walk(&loop, close_it, count_closed);
  CHECK_EQ(seen, 5);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(closed, 5);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static uv_timer_t born[8];

static void init_another(uv_handle_t* handle, void* arg) {
  (void) handle;
  (void) arg;
  CHECK(seen < 5); /* what the callback adds is not walked */
  CHECK_EQ(uv_timer_init(&loop, &born[seen++]), 0);
}

TEST(the_callback_may_add) {
  init_timers();
  uv_walk(&loop, init_another, NULL);
  CHECK_EQ(seen, 5);
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 15);
  check_close_loop(&loop);
}

static void walk_inside(uv_handle_t* handle, void* arg) {
  (void) handle;
  (void) arg;
  uv_walk(&loop, count, &seen);
}

TEST(the_callback_may_walk) {
  init_timers();
  uv_walk(&loop, walk_inside, NULL);
  CHECK(seen > 0);
  seen = 0;
  uv_walk(&loop, count, &seen);
  CHECK_EQ(seen, 5); /* nothing got lost */
  check_close_loop(&loop);
}

static char text[2048];

typedef void (*print)(uv_loop_t*, FILE*);

static void listing(print what, uv_loop_t* of) {
  FILE* file = fmemopen(text, sizeof(text), "w");
  CHECK(file != NULL);
  memset(text, 0, sizeof(text));
  what(of, file);
  fclose(file);
}

TEST(print_all_handles) {
  uv_prepare_t prepare;
  uv_async_t async;
  char line[64];
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timers[0]), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_prepare_start(&prepare, trace_prepare), 0);
  CHECK_EQ(uv_async_init(&loop, &async, NULL), 0);
  uv_unref((uv_handle_t*) &async);
  listing(uv_print_all_handles, &loop);
  snprintf(line, sizeof(line), "[R--] %-8s %p\n", "timer", (void*) &timers[0]);
  CHECK(strstr(text, line) != NULL);
  snprintf(line, sizeof(line), "[RA-] %-8s %p\n", "prepare", (void*) &prepare);
  CHECK(strstr(text, line) != NULL);
  snprintf(line, sizeof(line), "[-A-] %-8s %p\n", "async", (void*) &async);
  CHECK(strstr(text, line) != NULL);
  check_close_loop(&loop);
}

TEST(print_active_handles) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_timer_init(&loop, &timers[0]), 0);
  CHECK_EQ(uv_timer_init(&loop, &timers[1]), 0);
  CHECK_EQ(uv_timer_start(&timers[1], trace_timer, 1000, 0), 0);
  listing(uv_print_active_handles, &loop);
  CHECK(strstr(text, "[RA-] timer ") != NULL);
  CHECK(strstr(text, "[R--] ") == NULL);
  check_close_loop(&loop);
}

TEST(print_handles_of_the_default_loop) {
  CHECK_EQ(uv_timer_init(uv_default_loop(), &timers[0]), 0);
  listing(uv_print_all_handles, NULL);
  CHECK(strstr(text, "[R--] timer ") != NULL);
  check_close_loop(uv_default_loop());
}
