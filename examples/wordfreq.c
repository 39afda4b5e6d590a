/* Counts the words of files on worker threads that have loops of their own, over message ports.
 *
 *   cc -Iinclude examples/wordfreq.c -o wordfreq -luv -pthread && ./wordfreq [FILE..]
 *
 * The main loop reads the files chunk by chunk and hands each chunk to a worker: the memory moves, nothing is copied. The
 * channels are bounded, so nobody runs ahead: the main loop, which must not wait, gets UV_EAGAIN from a full one and is told
 * later that it can write again; a worker just waits. At the end each worker hands its table back, moved too. Ctrl-C ends
 * the reading; what was handed out is counted, and everything closes as usual. */
#define _GNU_SOURCE
#include "words.h"

#include <signal.h>
#include <uv.h>
#include <uvx.h>

enum { WORKERS_MOST = 16, UNREAD_MOST = 4 };

/* What a message is about: its tag. */
enum { COUNT_CHUNK, NO_MORE, CHUNK_COUNTED, TABLE };

typedef struct {
  uint64_t start;
  size_t length, got;
  char buffer[WORDS_BUFFER];
} chunk_t;

typedef struct {
  uv_thread_t thread;
  uvx_message_port_t *port, *far_end; /* the far end is the worker's once its thread runs */
  chunk_t *in_hand;                   /* read, but there was no room for it yet */
  int told_no_more;
} worker_t;

static struct {
  uv_loop_t loop;
  uv_signal_t interrupt;
  uv_timer_t progress;
  worker_t workers[WORKERS_MOST];
  unsigned count, closed;
  texts_t texts;
  size_t text; /* where the reading is */
  uint64_t offset, bytes_done;
  words_t all;
  int interrupted, failed;
} job;

static void check(int status, const char *what) {
  if (status == 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
  exit(1);
}

static void free_memory(void *base, size_t length, void *unused) {
  (void)length, (void)unused;
  free(base);
}

/* Posts a message that moves `memory`, if that is not NULL, waiting for room for `timeout` ns. */
static int post(uvx_message_port_t *port, uint64_t tag, void *memory, size_t length, uint64_t timeout) {
  uvx_xfer_t moved = {.type = UVX_XFER_MEM, .u.mem = {.base = memory, .len = length, .free_cb = free_memory}};
  uvx_message_desc_t message = {.size = sizeof message, .tag = tag};
  if (memory != NULL) message.xfers = &moved, message.nxfers = 1;
  return timeout > 0 ? uvx_message_port_post_wait(port, &message, timeout) : uvx_message_port_post(port, &message);
}

/* Takes the memory that a message brings: the caller's to free. */
static void *take(uvx_message_t *message) {
  uvx_xfer_t moved;
  check(uvx_message_take(message, 0, &moved), "uvx_message_take");
  return moved.u.mem.base;
}

/* On a worker */

static void on_order(uvx_message_port_t *port, uvx_message_t *message) {
  words_t *words = uvx_message_port_get_data(port);
  if (uvx_message_tag(message) == COUNT_CHUNK) {
    chunk_t *chunk = take(message);
    words_count_chunk(words, chunk->start, chunk->length, chunk->buffer, chunk->got);
    uvx_message_desc_t counted = {.size = sizeof counted, .tag = CHUNK_COUNTED};
    uv_buf_t length = uv_buf_init((char *)&chunk->length, sizeof chunk->length);
    counted.bufs = &length, counted.nbufs = 1;
    check(uvx_message_port_post_wait(port, &counted, UVX_FOREVER), "post");
    free(chunk);
  } else {
    check(post(port, TABLE, words, sizeof *words, UVX_FOREVER), "post");
    check(uvx_message_port_close(port, 0, NULL), "uvx_message_port_close");
  }
}

static void run_worker(void *argument) {
  worker_t *worker = argument;
  uv_loop_t loop;
  words_t *words = malloc(sizeof *words);
  if (words == NULL) words_die("words");
  words_init(words);
  check(uv_loop_init(&loop), "uv_loop_init");
  check(uvx_message_port_attach(&loop, worker->far_end, on_order, NULL), "uvx_message_port_attach");
  uvx_message_port_set_data(worker->far_end, words);
  check(uvx_message_port_start(worker->far_end), "uvx_message_port_start");
  uv_run(&loop, UV_RUN_DEFAULT);
  check(uv_loop_close(&loop), "uv_loop_close");
}

/* On the main loop */

/* The next chunk of the files, or NULL when there is none. */
static chunk_t *read_next(void) {
  while (!job.interrupted && job.text < job.texts.count) {
    const text_t *text = &job.texts.items[job.text];
    if (job.offset >= text->size) {
      job.text++, job.offset = 0;
      continue;
    }
    chunk_t *chunk = malloc(sizeof *chunk);
    if (chunk == NULL) words_die("chunk");
    chunk->start = job.offset;
    chunk->length = text->size - job.offset < WORDS_CHUNK ? (size_t)(text->size - job.offset) : WORDS_CHUNK;
    int error = words_read_chunk(text->path, chunk->start, chunk->length, chunk->buffer, &chunk->got);
    job.offset += chunk->length;
    if (error == 0) return chunk;
    fprintf(stderr, "\r%s: %s\n", text->path, strerror(error));
    free(chunk);
    job.failed = 1;
    job.text++, job.offset = 0;
  }
  return NULL;
}

/* Gives a worker chunks until its channel is full or the files are over. */
static void feed(uvx_message_port_t *port, int status) {
  worker_t *worker = uvx_message_port_get_data(port);
  if (status != 0 || worker->told_no_more) return;
  for (;;) {
    if (worker->in_hand == NULL) worker->in_hand = read_next();
    uint64_t order = worker->in_hand != NULL ? COUNT_CHUNK : NO_MORE;
    int posted = post(port, order, worker->in_hand, sizeof *worker->in_hand, 0);
    if (posted == UV_EAGAIN) { /* nothing has moved: the chunk is still ours */
      check(uvx_message_port_on_writable(port, feed), "uvx_message_port_on_writable");
      return;
    }
    check(posted, "post");
    if (worker->in_hand == NULL) {
      worker->told_no_more = 1;
      return;
    }
    worker->in_hand = NULL;
  }
}

static void on_answer(uvx_message_port_t *port, uvx_message_t *message) {
  (void)port;
  if (uvx_message_tag(message) == CHUNK_COUNTED) {
    job.bytes_done += *(size_t *)uvx_message_data(message)->base;
  } else {
    words_t *words = take(message);
    words_merge(&job.all, words);
    words_free(words);
    free(words);
  }
}

static void show_progress(uv_timer_t *unused) {
  (void)unused;
  words_print_progress(job.bytes_done, job.texts.bytes);
}

/* The worker has closed its end: all that it had to say has arrived. */
static void on_worker_closed(uvx_message_port_t *port, int status) {
  (void)status;
  check(uvx_message_port_close(port, 0, NULL), "uvx_message_port_close");
  if (++job.closed < job.count) return;
  show_progress(NULL);
  fputc('\n', stderr);
  uv_close((uv_handle_t *)&job.interrupt, NULL);
  uv_close((uv_handle_t *)&job.progress, NULL);
}

static void on_interrupt(uv_signal_t *unused, int signal_number) {
  (void)unused, (void)signal_number;
  job.interrupted = 1;
}

static void start_worker(worker_t *worker) {
  uvx_message_channel_options_t bounds = {.size = sizeof bounds, .max_messages = UNREAD_MOST};
  check(uvx_message_channel_create(&worker->port, &worker->far_end, &bounds), "uvx_message_channel_create");
  check(uvx_message_port_attach(&job.loop, worker->port, on_answer, on_worker_closed), "uvx_message_port_attach");
  uvx_message_port_set_data(worker->port, worker);
  check(uvx_message_port_start(worker->port), "uvx_message_port_start");
  feed(worker->port, 0); /* before there is a thread: messages wait */
  check(uv_thread_create(&worker->thread, run_worker, worker), "uv_thread_create");
}

int main(int argc, char **argv) {
  job.texts = texts_from_arguments(argc, argv);
  words_init(&job.all);
  job.count = uv_available_parallelism() < WORKERS_MOST ? uv_available_parallelism() : WORKERS_MOST;
  check(uv_loop_init(&job.loop), "uv_loop_init");
  check(uv_signal_init(&job.loop, &job.interrupt), "uv_signal_init");
  check(uv_signal_start_oneshot(&job.interrupt, on_interrupt, SIGINT), "uv_signal_start_oneshot");
  check(uv_timer_init(&job.loop, &job.progress), "uv_timer_init");
  check(uv_timer_start(&job.progress, show_progress, 0, 100), "uv_timer_start");

  uint64_t start = uv_hrtime();
  for (unsigned i = 0; i < job.count; i++) start_worker(&job.workers[i]);
  uv_run(&job.loop, UV_RUN_DEFAULT);
  double seconds = (double)(uv_hrtime() - start) / 1e9;
  for (unsigned i = 0; i < job.count; i++) check(uv_thread_join(&job.workers[i].thread), "uv_thread_join");

  words_print_top(&job.all);
  printf("%.1f MB of %zu files in %.3f s: %.1f MB/s, %u workers\n", (double)job.bytes_done / 1e6, job.texts.count, seconds,
         (double)job.bytes_done / 1e6 / seconds, job.count);
  if (job.interrupted) printf("interrupted: %.1f MB not counted\n", (double)(job.texts.bytes - job.bytes_done) / 1e6);

  check(uv_loop_close(&job.loop), "uv_loop_close");
  words_free(&job.all);
  texts_free(&job.texts);
  return job.interrupted ? 130 : job.failed;
}
