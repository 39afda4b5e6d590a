/* Tracing: categories, clients, and events as they come out. */
#include "trace_file.h"

TEST(a_category_has_one_byte_which_is_off_at_first) {
  OURS_ONLY("tracing");
  const uint8_t* category = uvx_trace_category("one");
  CHECK_EQ(UVX_TRACE_ON(category), 0);
  CHECK(uvx_trace_category("one") == category);
  CHECK(uvx_trace_category("two") != category);
  CHECK_EQ(trace_mark(category, "nobody"), 0);
  CHECK_EQ(UVX_TRACE_ON(uvx_trace_category(NULL)), 0);
}

TEST(enabling_is_counted_for_each_client) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", NULL);
  const uint8_t *a = uvx_trace_category("a"), *b = uvx_trace_category("b");
  int one, two;
  CHECK_EQ(uvx_trace_enable(agent, &one, "a,b"), 0);
  CHECK_EQ(uvx_trace_enable(agent, &one, " a "), 0);
  CHECK_EQ(uvx_trace_enable(agent, &two, "b"), 0);
  CHECK(UVX_TRACE_ON(a) && UVX_TRACE_ON(b));
  CHECK_EQ(uvx_trace_disable(agent, &two, "a"), UV_ENOENT);
  CHECK_EQ(uvx_trace_disable(agent, &one, "a"), 0);
  CHECK(UVX_TRACE_ON(a));
  CHECK_EQ(uvx_trace_disable(agent, &one, "a,b,a"), UV_ENOENT);
  CHECK(UVX_TRACE_ON(a));
  CHECK_EQ(uvx_trace_disable(agent, &one, "b,a"), 0);
  CHECK(!UVX_TRACE_ON(a) && UVX_TRACE_ON(b));
  CHECK_EQ(uvx_trace_disable(agent, &one, NULL), UV_ENOENT);
  CHECK_EQ(uvx_trace_disable(agent, &two, NULL), 0);
  CHECK(!UVX_TRACE_ON(b));
  CHECK_EQ(uvx_trace_enable(agent, &one, ", ,"), UV_EINVAL);
  CHECK_EQ(uvx_trace_enable(agent, &one, NULL), UV_EINVAL);
  CHECK_EQ(uvx_trace_disable(agent, &one, ", ,"), UV_EINVAL);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(patterns_and_groups) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", NULL);
  const uint8_t* early = uvx_trace_category("app.net");
  CHECK_EQ(uvx_trace_enable(agent, NULL, "app.*"), 0);
  CHECK(UVX_TRACE_ON(early));
  CHECK(UVX_TRACE_ON(uvx_trace_category("app.disk"))); /* made later */
  CHECK(!UVX_TRACE_ON(uvx_trace_category("app")));
  CHECK(UVX_TRACE_ON(uvx_trace_category("other,app.x")));
  CHECK(!UVX_TRACE_ON(uvx_trace_category("other,another")));
  CHECK_EQ(uvx_trace_enable(agent, NULL, "*"), 0);
  CHECK(UVX_TRACE_ON(uvx_trace_category("other,another")));
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK(!UVX_TRACE_ON(early));
}

TEST(what_is_enabled_is_listed_once_each) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.${rotation}", NULL);
  char text[32];
  size_t size = sizeof text;
  int client;
  CHECK_EQ(uvx_trace_enable(agent, &client, "b,a*,test,b"), 0);
  CHECK_EQ(uvx_trace_enabled(agent, text, &size), 0);
  CHECK_STR(text, "test,b,a*");
  CHECK_EQ(size, strlen(text));
  CHECK_EQ(uvx_trace_enabled(agent, text, &size), UV_ENOBUFS);
  CHECK_EQ(size, strlen("test,b,a*") + 1);
  CHECK_EQ(uvx_trace_disable(agent, &client, NULL), 0);
  CHECK_EQ(uvx_trace_disable(agent, NULL, "test"), 0);
  CHECK_EQ(uvx_trace_enabled(agent, text, &size), 0);
  CHECK_STR(text, "");
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(an_event_comes_out_as_it_went_in) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  const uint8_t* category = uvx_trace_category("test");
  uvx_trace_arg_t args[] = {
      {"bool", UVX_TRACE_BOOL, {.u = 7}},           {"int", UVX_TRACE_INT, {.i = INT64_MIN}},
      {"uint", UVX_TRACE_UINT, {.u = UINT64_MAX}},  {"double", UVX_TRACE_DOUBLE, {.d = -0.25}},
      {"string", UVX_TRACE_STRING, {.s = "text"}},  {"null", UVX_TRACE_STRING, {.s = NULL}},
      {"pointer", UVX_TRACE_POINTER, {.p = (void*) 0xbeef}}, {"nan", UVX_TRACE_DOUBLE, {.d = 0.0 / 0.0}},
      {"big", UVX_TRACE_DOUBLE, {.d = 1e300}},
  };
  uint64_t before = uv_hrtime(), after;
  CHECK_EQ(uvx_trace_event(category, 'b', "begin", 0x1234, 9, args, 0), 0);
  after = uv_hrtime();
  CHECK_EQ(uvx_trace_complete(category, "span", before, 0, NULL, 0), 0);
  CHECK_EQ(uvx_trace_event(category, 'i', "process", 0, 0, NULL, UVX_TRACE_PROCESS), 0);
  CHECK_EQ(uvx_trace_event(category, 'i', "global", 0, 0, NULL, UVX_TRACE_GLOBAL), 0);
  CHECK_EQ(trace_mark(category, "thread"), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);

  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 5);
  const char* begin = trace_event(&trace, "begin");
  CHECK_STR(json_get(begin, "ph"), "\"b\"");
  CHECK_STR(json_get(begin, "cat"), "\"test\"");
  CHECK_STR(json_get(begin, "id"), "\"0x1234\"");
  CHECK_STR(json_get(begin, "tts"), "");
  CHECK_EQ(atoi(json_get(begin, "pid")), getpid());
  CHECK_EQ(atoi(json_get(begin, "tid")), getpid());
  double ts = atof(json_get(begin, "ts"));
  CHECK(ts >= before / 1e3 - 1 && ts <= after / 1e3 + 1);
  CHECK_STR(json_get(begin, "args"),
            "{\"bool\":true,\"int\":-9223372036854775808,\"uint\":18446744073709551615,\"double\":-0.25,\"string\":\"text\","
            "\"null\":null,\"pointer\":\"0xbeef\",\"nan\":\"NaN\",\"big\":1e300}");
  const char* span = trace_event(&trace, "span");
  CHECK_STR(json_get(span, "ph"), "\"X\"");
  CHECK(atof(json_get(span, "ts")) <= ts);
  CHECK(atof(json_get(span, "ts")) + atof(json_get(span, "dur")) >= ts);
  CHECK_STR(json_get(span, "args"), "{}");
  CHECK_STR(json_get(trace_event(&trace, "process"), "s"), "\"p\"");
  CHECK_STR(json_get(trace_event(&trace, "global"), "s"), "\"g\"");
  CHECK_STR(json_get(trace_event(&trace, "thread"), "s"), "\"t\"");
  trace_free(&trace);
}

TEST(an_argument_without_a_name_has_an_empty_one) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  const uint8_t* category = uvx_trace_category("test");
  uvx_trace_arg_t arg = {NULL, UVX_TRACE_INT, {.i = 1}};
  CHECK_EQ(uvx_trace_event(category, 'i', "x", 0, 1, &arg, 0), 0);
  CHECK_EQ(uvx_trace_event(category, 'i', "y", 0, 1, &arg, UVX_TRACE_COPY), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_STR(json_get(trace_event(&trace, "x"), "args"), "{\"\":1}");
  CHECK_STR(json_get(trace_event(&trace, "y"), "args"), "{\"\":1}");
  trace_free(&trace);
}

TEST(whatever_strings_hold_the_file_is_json) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  const char* nasty[] = {"\"", "\\", "a\nb\tc\rd\be\ff", "\x01\x1f\x7f", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                         "\xff\xc3(", "\xed\xa0\x80", "\xf4\x90\x80\x80", "", "</script>"};
  size_t count = sizeof nasty / sizeof *nasty;
  for (size_t i = 0; i < count; i++) {
    char name[64];
    snprintf(name, sizeof name, "test,%s", nasty[i]);
    uvx_trace_arg_t arg = {nasty[i], UVX_TRACE_STRING, {.s = nasty[i]}};
    CHECK_EQ(uvx_trace_event(uvx_trace_category(name), 'i', nasty[i], 0, 1, &arg, 0), 0);
  }
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, count);
  CHECK_STR(json_get(trace.events[0], "name"), "\"\\\"\"");
  CHECK_STR(json_get(trace.events[4], "name"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  CHECK_STR(json_get(trace.events[5], "name"), "\"\xef\xbf\xbd\xef\xbf\xbd(\"");
  trace_free(&trace);
  if (system("python3 -m json.tool /dev/null >/dev/null 2>&1; test $? -eq 1") == 0) {
    char command[600];
    snprintf(command, sizeof command, "python3 -m json.tool %s >/dev/null", trace_path("t.1"));
    CHECK_EQ(system(command), 0);
  }
}

/* Any bits as numbers of any type, any bytes as names and strings. */
TEST(whatever_arguments_hold_the_file_is_json) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  const uint8_t* category = uvx_trace_category("test");
  const char* phases = "BEbneistfCNODRSTpF";
  unsigned seed = 1;
  for (int i = 0; i < 5000; i++) {
    char text[40] = {0};
    uvx_trace_arg_t args[4];
    for (int n = 0; n < 4; n++) {
      uint64_t bits = (uint64_t) rand_r(&seed) << 42 ^ (uint64_t) rand_r(&seed) << 21 ^ (uint64_t) rand_r(&seed);
      if (i % 10 == 0) bits |= (uint64_t) 0x7ff << 52;    /* infinite, or no number */
      if (i % 10 == 1) bits &= ~((uint64_t) 0x7ff << 52); /* denormal */
      if (i % 10 == 2) bits &= (uint64_t) 1 << 63;
      for (int at = 0; at < 39; at++) text[at] = (char) (rand_r(&seed) % 255 + 1);
      args[n] = (uvx_trace_arg_t) {text, (unsigned) rand_r(&seed) % (UVX_TRACE_POINTER + 1), {.u = bits}};
      if (args[n].type == UVX_TRACE_STRING) args[n].value.s = bits % 4 == 0 ? NULL : text;
    }
    unsigned flags = UVX_TRACE_COPY | (i & (UVX_TRACE_PROCESS | UVX_TRACE_GLOBAL));
    CHECK_EQ(uvx_trace_event(category, phases[i % 18], text, args[0].value.u, 4, args, flags), 0);
    if (i % 100 == 0) CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  }
  CHECK_EQ(uvx_trace_complete(category, "from the future", UINT64_MAX, 0, NULL, 0), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_EQ(trace.count, 5001);
  CHECK_STR(json_get(trace_event(&trace, "from the future"), "dur"), "0.000");
  trace_free(&trace);
}

TEST(copied_strings_may_change) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t* agent = trace_start("t.1", NULL);
  const uint8_t* category = uvx_trace_category("test");
  char name[8] = "name", key[8] = "key", value[8] = "value";
  uvx_trace_arg_t args[] = {{key, UVX_TRACE_STRING, {.s = value}}, {"n", UVX_TRACE_STRING, {.s = NULL}}};
  CHECK_EQ(uvx_trace_event(category, 'B', name, 0, 2, args, UVX_TRACE_COPY), 0);
  name[0] = key[0] = value[0] = 'X';
  CHECK_EQ(uvx_trace_event(category, 'E', name, 0, 0, NULL, UVX_TRACE_COPY), 0);
  memset(name, '-', sizeof name - 1);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK_STR(json_get(trace_event(&trace, "name"), "args"), "{\"key\":\"value\",\"n\":null}");
  CHECK_STR(json_get(trace_event(&trace, "Xame"), "ph"), "\"E\"");
  trace_free(&trace);
}

TEST(what_is_no_event_is_refused) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.max_args = 2, .buffer_bytes = 4096, .flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent = trace_start("t.1", &options);
  const uint8_t* category = uvx_trace_category("test");
  uvx_trace_arg_t args[3] = {{"a", UVX_TRACE_INT, {.i = 1}}, {"b", UVX_TRACE_INT, {.i = 2}}, {"c", UVX_TRACE_INT, {.i = 3}}};
  char large[5000];
  memset(large, 'x', sizeof large - 1);
  large[sizeof large - 1] = 0;
  CHECK_EQ(uvx_trace_event(category, 'i', NULL, 0, 0, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, 'X', "x", 0, 0, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, '"', "x", 0, 0, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, 0, "x", 0, 0, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, 'i', "x", 0, 0, NULL, 8), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, 'i', "x", 0, 1, NULL, 0), UV_EINVAL);
  CHECK_EQ(uvx_trace_event(category, 'i', "x", 0, 3, args, 0), UV_E2BIG);
  CHECK_EQ(uvx_trace_event(category, 'i', large, 0, 0, NULL, UVX_TRACE_COPY), UV_E2BIG);
  CHECK_EQ(uvx_trace_event(category, 'i', large, 0, 0, NULL, 0), 0); /* not copied, so of any length */
  CHECK_EQ(uvx_trace_event(category, 'i', "x", 0, 2, args, 0), 0);
  CHECK_EQ(uvx_trace_flush(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_stats(agent).written, 2);
  CHECK_EQ(trace_stats(agent).dropped, 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(options_that_make_no_sense_are_refused) {
  OURS_ONLY("tracing");
  uvx_trace_agent_t *agent, *other;
  uvx_trace_options_t good = {.size = sizeof good, .file = trace_path("t.${rotation}")}, bad = good;
  bad.size--;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.flags = 4;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.overflow = 3;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.buffer_bytes = 4095;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.max_args = 256;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.file = "one", bad.events_per_file = 10;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  bad = good, bad.file = "one", bad.bytes_per_file = 10;
  CHECK_EQ(uvx_trace_agent_start(&agent, &bad), UV_EINVAL);
  CHECK_EQ(uvx_trace_agent_start(&agent, &good), 0);
  CHECK_EQ(uvx_trace_agent_start(&other, &good), UV_EBUSY);
  uvx_trace_stats_t stats = {.size = 8};
  CHECK_EQ(uvx_trace_stats(agent, &stats), UV_EINVAL);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK_EQ(uvx_trace_agent_start(&agent, &good), 0); /* after the first, another */
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
}

TEST(cpu_time_if_it_is_asked_for) {
  OURS_ONLY("tracing");
  uvx_trace_options_t options = {.flags = UVX_TRACE_TTS | UVX_TRACE_FSYNC};
  uvx_trace_agent_t* agent = trace_start("t.1", &options);
  const uint8_t* category = uvx_trace_category("test");
  CHECK_EQ(trace_mark(category, "a"), 0);
  CHECK_EQ(uvx_trace_event(category, 'b', "b", 1, 0, NULL, 0), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t trace = trace_load("t.1");
  CHECK(strlen(json_get(trace.events[0], "tts")) > 0);
  CHECK(atof(json_get(trace.events[1], "tts")) >= atof(json_get(trace.events[0], "tts")));
  CHECK_STR(json_get(trace.events[1], "id"), "\"0x1\"");
  trace_free(&trace);
}

TEST(two_agents_one_after_the_other) {
  OURS_ONLY("tracing");
  const uint8_t* category = uvx_trace_category("test");
  uvx_trace_agent_t* agent = trace_start("a", NULL);
  CHECK_EQ(trace_mark(category, "first"), 0);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  CHECK_EQ(trace_mark(category, "between"), 0);
  uvx_trace_options_t options = {.buffer_bytes = 4096};
  agent = trace_start("b", &options);
  CHECK_EQ(trace_stats(agent).threads, 0);
  CHECK_EQ(trace_mark(category, "second"), 0);
  CHECK_EQ(trace_stats(agent).threads, 1);
  CHECK_EQ(uvx_trace_agent_stop(agent, UVX_FOREVER), 0);
  trace_t a = trace_load("a"), b = trace_load("b");
  CHECK_EQ(a.count, 1);
  CHECK_EQ(b.count, 1);
  trace_event(&a, "first");
  trace_event(&b, "second");
  trace_free(&a);
  trace_free(&b);
}
