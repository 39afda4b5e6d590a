/* Idle, prepare and check handles. The three behave alike, so each test is written once and made for each kind. */
#include "trace.h"

static uv_loop_t loop;
static int calls;

#define WATCHER_TESTS(kind)                                                                                          \
  static uv_##kind##_t kind##_a, kind##_b, kind##_c;                                                                 \
                                                                                                                     \
  static void kind##_init_all(void) {                                                                                \
    CHECK_EQ(uv_loop_init(&loop), 0);                                                                                \
    CHECK_EQ(uv_##kind##_init(&loop, &kind##_a), 0);                                                                 \
    CHECK_EQ(uv_##kind##_init(&loop, &kind##_b), 0);                                                                 \
    CHECK_EQ(uv_##kind##_init(&loop, &kind##_c), 0);                                                                 \
    kind##_a.data = "a", kind##_b.data = "b", kind##_c.data = "c";                                                   \
  }                                                                                                                  \
                                                                                                                     \
  TEST(kind##_states) {                                                                                              \
    kind##_init_all();                                                                                               \
    uv_handle_t* handle = (uv_handle_t*) &kind##_a;                                                                  \
    CHECK_EQ(uv_is_active(handle), 0);                                                                               \
    CHECK_EQ(uv_##kind##_stop(&kind##_a), 0);                                                                        \
    CHECK_EQ(uv_##kind##_start(&kind##_a, NULL), UV_EINVAL);                                                         \
    CHECK_EQ(uv_is_active(handle), 0);                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    CHECK(uv_is_active(handle));                                                                                     \
    CHECK_EQ(loop.active_handles, 1);                                                                                \
    CHECK_EQ(kind##_a.kind##_cb, trace_##kind);                                                                      \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    CHECK_EQ(loop.active_handles, 1);                                                                                \
    CHECK_EQ(uv_##kind##_stop(&kind##_a), 0);                                                                        \
    CHECK_EQ(uv_is_active(handle), 0);                                                                               \
    CHECK_EQ(loop.active_handles, 0);                                                                                \
    CHECK_EQ(uv_##kind##_stop(&kind##_a), 0);                                                                        \
    check_close_loop(&loop);                                                                                         \
  }                                                                                                                  \
                                                                                                                     \
  /* Last started, first run. */                                                                                     \
  TEST(kind##_order) {                                                                                               \
    kind##_init_all();                                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_b, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_c, trace_##kind), 0);                                                         \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("c b a");                                                                                            \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("c b a");                                                                                            \
    CHECK_EQ(uv_##kind##_stop(&kind##_b), 0);                                                                        \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("c a");                                                                                              \
    CHECK_EQ(uv_##kind##_start(&kind##_b, trace_##kind), 0);                                                         \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("b c a");                                                                                            \
    check_close_loop(&loop);                                                                                         \
  }                                                                                                                  \
                                                                                                                     \
  static void kind##_stop_others(uv_##kind##_t* handle) {                                                            \
    trace_##kind(handle);                                                                                            \
    CHECK_EQ(uv_##kind##_stop(&kind##_a), 0);                                                                        \
    CHECK_EQ(uv_##kind##_stop(&kind##_b), 0);                                                                        \
  }                                                                                                                  \
                                                                                                                     \
  TEST(kind##_stopped_by_an_earlier_one) {                                                                           \
    kind##_init_all();                                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_b, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_c, kind##_stop_others), 0);                                                   \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("c");                                                                                                \
    check_close_loop(&loop);                                                                                         \
  }                                                                                                                  \
                                                                                                                     \
  static void kind##_start_more(uv_##kind##_t* handle) {                                                             \
    trace_##kind(handle);                                                                                            \
    CHECK_EQ(uv_##kind##_start(&kind##_b, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_stop(handle), 0);                                                                           \
    CHECK_EQ(uv_##kind##_start(handle, trace_##kind), 0);                                                            \
  }                                                                                                                  \
                                                                                                                     \
  /* Not in the same turn, be it another or itself. */                                                               \
  TEST(kind##_started_in_its_own_phase) {                                                                            \
    kind##_init_all();                                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, kind##_start_more), 0);                                                    \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("a");                                                                                                \
    uv_run(&loop, UV_RUN_NOWAIT);                                                                                    \
    CHECK_TRACE("a b");                                                                                              \
    check_close_loop(&loop);                                                                                         \
  }                                                                                                                  \
                                                                                                                     \
  static void kind##_close_all(uv_##kind##_t* handle) {                                                              \
    trace_##kind(handle);                                                                                            \
    uv_close((uv_handle_t*) &kind##_a, trace_close);                                                                 \
    uv_close((uv_handle_t*) &kind##_b, trace_close);                                                                 \
    uv_close((uv_handle_t*) &kind##_c, trace_close);                                                                 \
  }                                                                                                                  \
                                                                                                                     \
  TEST(kind##_closed_by_an_earlier_one) {                                                                            \
    kind##_init_all();                                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_b, trace_##kind), 0);                                                         \
    CHECK_EQ(uv_##kind##_start(&kind##_c, kind##_close_all), 0);                                                     \
    CHECK_EQ(uv_run(&loop, UV_RUN_NOWAIT), 0);                                                                       \
    CHECK_TRACE("c c b a");                                                                                          \
    CHECK_EQ(uv_loop_close(&loop), 0);                                                                               \
  }                                                                                                                  \
                                                                                                                     \
  static void kind##_free(uv_handle_t* handle) {                                                                     \
    memset(handle, 0xa5, sizeof(uv_##kind##_t));                                                                     \
    free(handle);                                                                                                    \
  }                                                                                                                  \
                                                                                                                     \
  static void kind##_close_self(uv_##kind##_t* handle) {                                                             \
    calls++;                                                                                                         \
    uv_close((uv_handle_t*) handle, kind##_free);                                                                    \
  }                                                                                                                  \
                                                                                                                     \
  /* A loop of idle handles never blocks, so that the others get turns without a timer. */                           \
  TEST(kind##_freed_in_its_close_callback) {                                                                         \
    uv_idle_t spin;                                                                                                  \
    CHECK_EQ(uv_loop_init(&loop), 0);                                                                                \
    CHECK_EQ(uv_idle_init(&loop, &spin), 0);                                                                         \
    CHECK_EQ(uv_idle_start(&spin, trace_idle), 0);                                                                   \
    spin.data = "";                                                                                                  \
    for (int i = 0; i < 20; i++) {                                                                                   \
      uv_##kind##_t* handle = malloc(sizeof(*handle));                                                               \
      CHECK_EQ(uv_##kind##_init(&loop, handle), 0);                                                                  \
      CHECK_EQ(uv_##kind##_start(handle, kind##_close_self), 0);                                                     \
    }                                                                                                                \
    while (calls < 20) CHECK(uv_run(&loop, UV_RUN_NOWAIT) != 0);                                                     \
    check_close_loop(&loop);                                                                                         \
  }                                                                                                                  \
                                                                                                                     \
  TEST(kind##_unreferenced) {                                                                                        \
    kind##_init_all();                                                                                               \
    CHECK_EQ(uv_##kind##_start(&kind##_a, trace_##kind), 0);                                                         \
    uv_unref((uv_handle_t*) &kind##_a);                                                                              \
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);                                                                      \
    CHECK_TRACE("");                                                                                                 \
    check_close_loop(&loop);                                                                                         \
  }

WATCHER_TESTS(idle)
WATCHER_TESTS(prepare)
WATCHER_TESTS(check)

static void stop_after_three(uv_idle_t* handle) {
  if (++calls == 3) CHECK_EQ(uv_idle_stop(handle), 0);
}

TEST(idle_keeps_the_loop_from_blocking) {
  uv_idle_t idle;
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_idle_start(&idle, stop_after_three), 0);
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 1000000, 0), 0);
  uv_unref((uv_handle_t*) &timer);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 3);
  check_close_loop(&loop);
}

static void start_idle(uv_prepare_t* handle) {
  CHECK_EQ(uv_prepare_stop(handle), 0);
  CHECK_EQ(uv_idle_start(handle->data, stop_after_three), 0);
}

/* The turn in which the first idle handle is started blocks no more either. */
TEST(idle_started_in_prepare_keeps_the_loop_from_blocking) {
  uv_idle_t idle;
  uv_prepare_t prepare;
  uv_timer_t timer;
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_idle_init(&loop, &idle), 0);
  CHECK_EQ(uv_prepare_init(&loop, &prepare), 0);
  CHECK_EQ(uv_prepare_start(&prepare, start_idle), 0);
  prepare.data = &idle;
  CHECK_EQ(uv_timer_init(&loop, &timer), 0);
  CHECK_EQ(uv_timer_start(&timer, trace_timer, 1000000, 0), 0);
  uv_unref((uv_handle_t*) &timer);
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(calls, 3);
  check_close_loop(&loop);
}
