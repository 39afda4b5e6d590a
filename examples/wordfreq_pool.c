/* Counts the words of files on libuv's thread pool, and shows how work is cancelled.
 *
 *   cc -Iinclude examples/wordfreq_pool.c -o wordfreq_pool -luv && ./wordfreq_pool [FILE..]
 *
 * Every chunk of every file is one uv_queue_work() request. A worker borrows a table for the chunk it counts, so there
 * are as many tables as workers that ever ran at once, and the loop merges them when all is done. Ctrl-C takes back
 * what no worker has begun; the rest finishes and the loop closes cleanly. */
#define _GNU_SOURCE
#include "words.h"

#include <signal.h>
#include <uv.h>

typedef struct counter {
  struct counter *next;
  words_t words;
  char buffer[WORDS_BUFFER];
} counter_t;

typedef struct {
  uv_work_t request;
  const text_t *text;
  uint64_t start;
  size_t length;
  int error, finished;
} chunk_t;

static struct {
  uv_loop_t loop;
  uv_signal_t interrupt;
  uv_timer_t progress;
  uv_mutex_t mutex; /* guards counters */
  counter_t *counters;
  texts_t texts;
  chunk_t *chunks;
  size_t count, done, cancelled, failed;
  uint64_t bytes_done;
  int interrupted;
} job;

static void check(int status, const char *what) {
  if (status == 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
  exit(1);
}

/* On a worker */

static counter_t *borrow_counter(void) {
  uv_mutex_lock(&job.mutex);
  counter_t *counter = job.counters;
  if (counter != NULL) job.counters = counter->next;
  uv_mutex_unlock(&job.mutex);
  if (counter != NULL) return counter;
  counter = malloc(sizeof *counter);
  if (counter == NULL) words_die("counter");
  words_init(&counter->words);
  return counter;
}

static void return_counter(counter_t *counter) {
  uv_mutex_lock(&job.mutex);
  counter->next = job.counters;
  job.counters = counter;
  uv_mutex_unlock(&job.mutex);
}

static void count_chunk(uv_work_t *request) {
  chunk_t *chunk = request->data;
  counter_t *counter = borrow_counter();
  chunk->error = words_count_file(&counter->words, chunk->text->path, chunk->start, chunk->length, counter->buffer);
  return_counter(counter);
}

/* On the loop */

static void show_progress(uv_timer_t *unused) {
  (void)unused;
  words_print_progress(job.bytes_done, job.texts.bytes);
}

static void on_chunk_done(uv_work_t *request, int status) {
  chunk_t *chunk = request->data;
  chunk->finished = 1;
  job.done++;
  if (status == UV_ECANCELED) {
    job.cancelled++;
  } else if (chunk->error != 0) {
    job.failed++;
    fprintf(stderr, "\r%s: %s\n", chunk->text->path, strerror(chunk->error));
  } else {
    job.bytes_done += chunk->length;
  }
  if (job.done < job.count) return;
  show_progress(NULL);
  fputc('\n', stderr);
  uv_close((uv_handle_t *)&job.interrupt, NULL);
  uv_close((uv_handle_t *)&job.progress, NULL);
}

static void on_interrupt(uv_signal_t *unused, int signal_number) {
  (void)unused, (void)signal_number;
  job.interrupted = 1;
  for (size_t i = 0; i < job.count; i++)
    if (!job.chunks[i].finished) uv_cancel((uv_req_t *)&job.chunks[i].request); /* UV_EBUSY: a worker is at it */
}

static void queue_chunks(void) {
  for (size_t i = 0; i < job.texts.count; i++) job.count += (job.texts.items[i].size + WORDS_CHUNK - 1) / WORDS_CHUNK;
  job.chunks = calloc(job.count, sizeof *job.chunks);
  if (job.chunks == NULL) words_die("chunks");
  chunk_t *chunk = job.chunks;
  for (size_t i = 0; i < job.texts.count; i++) {
    const text_t *text = &job.texts.items[i];
    for (uint64_t start = 0; start < text->size; start += WORDS_CHUNK, chunk++) {
      chunk->text = text;
      chunk->start = start;
      chunk->length = text->size - start < WORDS_CHUNK ? (size_t)(text->size - start) : WORDS_CHUNK;
      chunk->request.data = chunk;
      check(uv_queue_work(&job.loop, &chunk->request, count_chunk, on_chunk_done), "uv_queue_work");
    }
  }
}

static void print_result(double seconds) {
  words_t all;
  size_t tables = 0;
  words_init(&all);
  while (job.counters != NULL) {
    counter_t *counter = job.counters;
    job.counters = counter->next;
    words_merge(&all, &counter->words);
    words_free(&counter->words);
    free(counter);
    tables++;
  }
  words_print_top(&all);
  words_free(&all);
  printf("%.1f MB of %zu files in %.3f s: %.1f MB/s, %zu tables\n", (double)job.bytes_done / 1e6, job.texts.count, seconds,
         (double)job.bytes_done / 1e6 / seconds, tables);
  if (job.interrupted) printf("interrupted: %zu of %zu chunks cancelled\n", job.cancelled, job.count);
}

int main(int argc, char **argv) {
  job.texts = texts_from_arguments(argc, argv);
  check(uv_loop_init(&job.loop), "uv_loop_init");
  check(uv_mutex_init(&job.mutex), "uv_mutex_init");
  check(uv_signal_init(&job.loop, &job.interrupt), "uv_signal_init");
  check(uv_signal_start_oneshot(&job.interrupt, on_interrupt, SIGINT), "uv_signal_start_oneshot");
  check(uv_timer_init(&job.loop, &job.progress), "uv_timer_init");
  check(uv_timer_start(&job.progress, show_progress, 0, 100), "uv_timer_start");

  uint64_t start = uv_hrtime();
  queue_chunks();
  uv_run(&job.loop, UV_RUN_DEFAULT);
  print_result((double)(uv_hrtime() - start) / 1e9);

  check(uv_loop_close(&job.loop), "uv_loop_close");
  uv_mutex_destroy(&job.mutex);
  free(job.chunks);
  texts_free(&job.texts);
  if (job.interrupted) return 130;
  return job.failed > 0;
}
