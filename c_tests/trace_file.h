/* For the tests of tracing: a folder for its files, a strict reader of JSON, and what is in a trace. */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "check.h"

#include <dirent.h>
#include <uvx.h>

#define SECONDS(n) ((uint64_t) (n) * 1000000000)

static char trace_folder[64];
static pid_t trace_owner;

static inline void trace_remove(void) {
  struct dirent* entry;
  if (getpid() != trace_owner) return;
  DIR* folder = opendir(trace_folder);
  while (folder != NULL && (entry = readdir(folder)) != NULL) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", trace_folder, entry->d_name);
    if (entry->d_name[0] != '.') remove(path);
  }
  if (folder != NULL) closedir(folder);
  rmdir(trace_folder);
}

/* "NAME" in a new folder, which goes with the process. */
static inline const char* trace_path(const char* name) {
  static char path[512];
  if (trace_owner == 0) {
    strcpy(trace_folder, "/tmp/uvx_trace_XXXXXX");
    CHECK(mkdtemp(trace_folder) != NULL);
    trace_owner = getpid();
    atexit(trace_remove);
  }
  snprintf(path, sizeof path, "%s/%s", trace_folder, name);
  return path;
}

/* Starts an agent that writes to "NAME" in the folder, by itself only when a buffer is full, and enables "test". */
static inline uvx_trace_agent_t* trace_start(const char* name, uvx_trace_options_t* options) {
  uvx_trace_options_t usual = {.flush_interval_ns = UVX_FOREVER};
  uvx_trace_agent_t* agent;
  if (options == NULL) options = &usual;
  options->size = sizeof *options;
  if (name != NULL) options->file = trace_path(name);
  CHECK_EQ(uvx_trace_agent_start(&agent, options), 0);
  CHECK_EQ(uvx_trace_enable(agent, NULL, "test"), 0);
  return agent;
}

static inline uvx_trace_stats_t trace_stats(uvx_trace_agent_t* agent) {
  uvx_trace_stats_t stats = {.size = sizeof stats};
  CHECK_EQ(uvx_trace_stats(agent, &stats), 0);
  return stats;
}

static inline int trace_mark(const uint8_t* category, const char* name) {
  return uvx_trace_event(category, 'i', name, 0, 0, NULL, 0);
}

static inline void trace_mark_many(int count, const char* name) {
  const uint8_t* category = uvx_trace_category("test");
  for (int i = 0; i < count; i++) CHECK_EQ(trace_mark(category, name), 0);
}

/* JSON, no more and no less (RFC 8259), all as text: each function moves `*at` behind what it reads, or fails the test. */

static const char* json_text;

static inline void json_fail(const char* at, const char* what) {
  CHECK_FAIL("no JSON at byte %ld: %s: %.80s", (long) (at - json_text), what, at);
}

static inline void json_space(const char** at) {
  while (**at == ' ' || **at == '\t' || **at == '\r' || **at == '\n') ++*at;
}

static inline void json_string(const char** at) {
  const unsigned char* p = (const unsigned char*) *at;
  if (*p++ != '"') json_fail(*at, "a string expected");
  while (*p != '"') {
    int more = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : -1;
    if (*p < 0x20 || more < 0) json_fail((const char*) p, "a character that may not be here");
    if (*p == '\\') {
      p++;
      if (*p == 'u')
        for (int i = 1; i < 5; i++)
          if (strchr("0123456789abcdefABCDEF", p[i]) == NULL || p[i] == 0) json_fail((const char*) p, "bad \\u");
      if (*p == 0 || strchr("\"\\/bfnrtu", *p) == NULL) json_fail((const char*) p, "a bad escape");
      p += *p == 'u' ? 4 : 0;
    }
    for (p++; more > 0; more--, p++)
      if ((*p & 0xc0) != 0x80) json_fail((const char*) p, "bad UTF-8");
  }
  *at = (const char*) p + 1;
}

static inline size_t json_digits(const char* p) {
  size_t count = 0;
  while (p[count] >= '0' && p[count] <= '9') count++;
  return count;
}

static inline void json_number(const char** at) {
  const char* p = *at;
  size_t digits;
  p += *p == '-';
  digits = json_digits(p);
  if (digits == 0 || (*p == '0' && digits > 1)) json_fail(p, "a number expected");
  p += digits;
  if (*p == '.') {
    digits = json_digits(++p);
    if (digits == 0) json_fail(p, "digits expected");
    p += digits;
  }
  if (*p == 'e' || *p == 'E') {
    p++;
    p += *p == '-' || *p == '+';
    digits = json_digits(p);
    if (digits == 0) json_fail(p, "digits expected");
    p += digits;
  }
  *at = p;
}

typedef void (*json_item_cb)(const char* key, const char* value);

static inline void json_value(const char** at, json_item_cb item);

static inline void json_items(const char** at, char end, json_item_cb item) {
  ++*at;
  json_space(at);
  if (**at == end) {
    ++*at;
    return;
  }
  for (;;) {
    const char *key = NULL, *value;
    if (end == '}') {
      key = *at;
      json_string(at);
      json_space(at);
      if (*(*at)++ != ':') json_fail(*at, "a colon expected");
      json_space(at);
    }
    value = *at;
    json_value(at, NULL);
    if (item != NULL) item(key, value);
    json_space(at);
    if (**at == end) break;
    if (*(*at)++ != ',') json_fail(*at, "a comma expected");
    json_space(at);
  }
  ++*at;
}

/* `item` gets the items of this value, not those of the values in it. */
static inline void json_value(const char** at, json_item_cb item) {
  static const char* words[] = {"true", "false", "null"};
  if (**at == '{' || **at == '[') {
    json_items(at, **at == '{' ? '}' : ']', item);
    return;
  }
  if (**at == '"') {
    json_string(at);
    return;
  }
  for (int i = 0; i < 3; i++)
    if (strncmp(*at, words[i], strlen(words[i])) == 0) {
      *at += strlen(words[i]);
      return;
    }
  json_number(at);
}

/* The text of the member of an object, as it stands there; "" if there is none. */
static const char* json_wanted;
static char json_found[4][4096];
static int json_next;

static inline void json_compare(const char* key, const char* value) {
  const char* end = value;
  size_t length = strlen(json_wanted);
  if (strncmp(key + 1, json_wanted, length) != 0 || key[1 + length] != '"') return;
  json_value(&end, NULL);
  CHECK((size_t) (end - value) < sizeof json_found[0]);
  memcpy(json_found[json_next], value, end - value);
  json_found[json_next][end - value] = 0;
}

static inline const char* json_get(const char* object, const char* key) {
  json_wanted = key;
  json_next = (json_next + 1) % 4;
  json_found[json_next][0] = 0;
  json_value(&object, json_compare);
  return json_found[json_next];
}

/* A trace as it was read: the events but those that give names (phase M). */
typedef struct {
  char* text;
  const char** events;
  size_t count, names;
} trace_t;

static trace_t* trace_loading;

static inline void trace_add(const char* key, const char* event) {
  trace_t* trace = trace_loading;
  (void) key;
  if (strcmp(json_get(event, "ph"), "\"M\"") == 0) {
    trace->names++;
    return;
  }
  if ((trace->count & (trace->count - 1)) == 0) /* 0 or a power of two */
    trace->events = realloc(trace->events, (trace->count * 2 + 1) * sizeof *trace->events);
  trace->events[trace->count++] = event;
}

static inline void trace_find(const char* key, const char* value) {
  if (strncmp(key, "\"traceEvents\"", 13) == 0) json_value(&value, trace_add);
}

static inline trace_t trace_parse(char* text) {
  trace_t trace = {.text = text};
  const char* at = text;
  json_text = text;
  trace_loading = &trace;
  json_space(&at);
  if (*at != '{') json_fail(at, "an object expected");
  json_value(&at, trace_find);
  json_space(&at);
  if (*at != 0) json_fail(at, "the end expected");
  return trace;
}

static inline char* trace_read(const char* path) {
  FILE* file = fopen(path, "r");
  char* text = NULL;
  size_t length = 0, room = 0, count;
  if (file == NULL) return NULL;
  do {
    if (room - length < 65536) text = realloc(text, room = room * 2 + 131072);
    count = fread(text + length, 1, room - length - 1, file);
    length += count;
  } while (count > 0);
  fclose(file);
  text[length] = 0;
  CHECK_EQ(strlen(text), length);
  return text;
}

/* Reads "NAME" in the folder; fails the test if that is no valid trace. */
static inline trace_t trace_load(const char* name) {
  char* text = trace_read(trace_path(name));
  if (text == NULL) CHECK_FAIL("no file %s", name);
  return trace_parse(text);
}

static inline void trace_free(trace_t* trace) {
  free(trace->text);
  free(trace->events);
}

/* How many events have this member, in quotes if it is a string. */
static inline size_t trace_count(const trace_t* trace, const char* key, const char* value) {
  size_t count = 0;
  for (size_t i = 0; i < trace->count; i++) count += strcmp(json_get(trace->events[i], key), value) == 0;
  return count;
}

/* The event of this name, given without quotes. */
static inline const char* trace_event(const trace_t* trace, const char* name) {
  char quoted[256];
  snprintf(quoted, sizeof quoted, "\"%s\"", name);
  for (size_t i = 0; i < trace->count; i++)
    if (strcmp(json_get(trace->events[i], "name"), quoted) == 0) return trace->events[i];
  CHECK_FAIL("no event %s", name);
}

static inline int trace_exists(const char* name) {
  return access(trace_path(name), F_OK) == 0;
}

/* A writer of the program's own, which can be held up. */
static struct {
  char* text;
  size_t length;
  unsigned begun, ended;
  uv_sem_t entered, leave; /* if `held` */
  int held, error;
} trace_sink;

static inline int trace_take(void* data, const char* text, size_t length, unsigned flags) {
  (void) data;
  if (trace_sink.held) {
    uv_sem_post(&trace_sink.entered);
    uv_sem_wait(&trace_sink.leave);
  }
  if (trace_sink.error != 0) return trace_sink.error;
  if (flags & UVX_TRACE_FILE_BEGINS) trace_sink.begun++;
  if (flags & UVX_TRACE_FILE_ENDS) trace_sink.ended++;
  trace_sink.text = realloc(trace_sink.text, trace_sink.length + length + 1);
  memcpy(trace_sink.text + trace_sink.length, text, length);
  trace_sink.length += length;
  trace_sink.text[trace_sink.length] = 0;
  return 0;
}

static inline void trace_hold(void) {
  CHECK_EQ(uv_sem_init(&trace_sink.entered, 0), 0);
  CHECK_EQ(uv_sem_init(&trace_sink.leave, 0), 0);
  trace_sink.held = 1;
}

/* The writer may go on, and is held up no more. */
static inline void trace_let_go(void) {
  trace_sink.held = 0;
  uv_sem_post(&trace_sink.leave);
}

#endif
