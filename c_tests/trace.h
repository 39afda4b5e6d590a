/* What ran, in which order: callbacks leave words, the test compares the sentence. */
#ifndef TRACE_H
#define TRACE_H

#include "check.h"

static char trace_text[4096];

static inline void trace(const char* word) {
  size_t used = strlen(trace_text);
  snprintf(trace_text + used, sizeof(trace_text) - used, "%s%s", used != 0 ? " " : "", word);
}

/* Compares and starts afresh. */
#define CHECK_TRACE(sentence)                                                                                        \
  do {                                                                                                               \
    CHECK_STR(trace_text, sentence);                                                                                 \
    trace_text[0] = '\0';                                                                                            \
  } while (0)

/* Callbacks that leave the word in `data`. */
static inline void trace_timer(uv_timer_t* handle) { trace(handle->data); }
static inline void trace_idle(uv_idle_t* handle) { trace(handle->data); }
static inline void trace_prepare(uv_prepare_t* handle) { trace(handle->data); }
static inline void trace_check(uv_check_t* handle) { trace(handle->data); }
static inline void trace_async(uv_async_t* handle) { trace(handle->data); }
static inline void trace_close(uv_handle_t* handle) { trace(handle->data); }

#endif
