/* Files through uv_fs_*(), with callbacks.
 *
 *   chain [N] [watched]   open, fstat, read and close a cached file of 4 KiB; N (1) such chains in flight, while the loop watches a
 *                         silent descriptor, if asked
 *   read [N] [KIB]        one read after the other of an open, cached file, KIB (4) at a time
 *   stat [N]              uv_fs_stat() of a cached name
 *   cold [N]              reads of 4 KiB that are not in memory */
#include <fcntl.h>

#include "bench.h"

enum { COLD_SIZE = 64 << 20, PAGE = 4096 };

typedef struct {
  uv_fs_t request;
  uv_file file;
  char *memory;
} chain_t;

static bench_series_t series;
static uv_loop_t loop;
static uv_poll_t silent;
static unsigned in_flight;
static unsigned read_size = PAGE;
static uint32_t seed = 1;
static char path[] = "/var/tmp/uv-bench-XXXXXX";
static int file; /* the same, open */

static void start_chain(chain_t *chain);
static void read_on(chain_t *chain);
static void start_stat(chain_t *chain);
static void read_cold(chain_t *chain);

/* True while there is more to do. */
static int account_for_completion(void) {
  if (bench_completed(&series, NULL)) return 1;
  if (--in_flight == 0 && uv_is_active((uv_handle_t *)&silent)) uv_close((uv_handle_t *)&silent, NULL);
  return 0;
}

static ssize_t result_of(uv_fs_t *request) {
  ssize_t result = request->result;
  BENCH_CHECK(result >= 0);
  uv_fs_req_cleanup(request);
  return result;
}

static void closed(uv_fs_t *request) {
  result_of(request);
  if (account_for_completion()) start_chain((chain_t *)request);
}

static void was_read(uv_fs_t *request) {
  BENCH_CHECK(result_of(request) == PAGE);
  BENCH_CHECK(uv_fs_close(&loop, request, ((chain_t *)request)->file, closed) == 0);
}

static void asked(uv_fs_t *request) {
  chain_t *chain = (chain_t *)request;
  BENCH_CHECK(request->statbuf.st_size == PAGE);
  result_of(request);
  uv_buf_t piece = uv_buf_init(chain->memory, PAGE);
  BENCH_CHECK(uv_fs_read(&loop, request, chain->file, &piece, 1, 0, was_read) == 0);
}

static void opened(uv_fs_t *request) {
  chain_t *chain = (chain_t *)request;
  chain->file = (uv_file)result_of(request);
  BENCH_CHECK(uv_fs_fstat(&loop, request, chain->file, asked) == 0);
}

static void start_chain(chain_t *chain) {
  BENCH_CHECK(uv_fs_open(&loop, &chain->request, path, UV_FS_O_RDONLY, 0, opened) == 0);
}

static void read_more(uv_fs_t *request) {
  BENCH_CHECK(result_of(request) == read_size);
  if (account_for_completion()) read_on((chain_t *)request);
}

static void read_on(chain_t *chain) {
  uv_buf_t piece = uv_buf_init(chain->memory, read_size);
  BENCH_CHECK(uv_fs_read(&loop, &chain->request, file, &piece, 1, 0, read_more) == 0);
}

static void stat_done(uv_fs_t *request) {
  result_of(request);
  if (account_for_completion()) start_stat((chain_t *)request);
}

static void start_stat(chain_t *chain) {
  BENCH_CHECK(uv_fs_stat(&loop, &chain->request, path, stat_done) == 0);
}

static void cold_done(uv_fs_t *request) {
  BENCH_CHECK(result_of(request) == PAGE);
  if (account_for_completion()) read_cold((chain_t *)request);
}

static void read_cold(chain_t *chain) {
  int64_t offset = (int64_t)(bench_random(&seed) % (COLD_SIZE / PAGE)) * PAGE;
  uv_buf_t piece = uv_buf_init(chain->memory, PAGE);
  posix_fadvise(file, offset, PAGE, POSIX_FADV_DONTNEED);
  BENCH_CHECK(uv_fs_read(&loop, &chain->request, file, &piece, 1, offset, cold_done) == 0);
}

static void ignore(uv_poll_t *handle, int status, int events) {
  (void)handle, (void)status, (void)events;
}

static void make_file(size_t size) {
  char page[PAGE];
  memset(page, 'x', sizeof page);
  file = mkstemp(path);
  BENCH_CHECK(file >= 0);
  for (size_t written = 0; written < size; written += PAGE) BENCH_CHECK(write(file, page, PAGE) == PAGE);
  BENCH_CHECK(fsync(file) == 0); /* what is not on the disk stays in memory */
}

static void run_chains(const char *name, unsigned count, void (*start)(chain_t *), int watched) {
  int ends[2];
  chain_t *chains = calloc(count, sizeof *chains);
  BENCH_CHECK(chains != NULL && uv_loop_init(&loop) == 0 && pipe(ends) == 0);
  if (watched) {
    BENCH_CHECK(uv_poll_init(&loop, &silent, ends[0]) == 0);
    BENCH_CHECK(uv_poll_start(&silent, UV_READABLE, ignore) == 0);
  }
  in_flight = count;
  for (unsigned i = 0; i < count; i++) {
    BENCH_CHECK(posix_memalign((void **)&chains[i].memory, PAGE, read_size) == 0);
    start(&chains[i]);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_CHECK(uv_loop_close(&loop) == 0);
  unlink(path);
  for (unsigned i = 0; i < count; i++) free(chains[i].memory);
  free(chains);
  bench_print(name, &series.run, series.completed, "");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  unsigned count = bench_argument(argc, argv, 2, 1);
  char name[64];
  snprintf(name, sizeof name, "files_%s_%u", what, count);
  if (strcmp(what, "chain") == 0) {
    make_file(PAGE);
    int watched = argc > 3;
    if (watched) strcat(name, "_watched");
    run_chains(name, count, start_chain, watched);
  } else if (strcmp(what, "read") == 0) {
    unsigned kib = bench_argument(argc, argv, 3, 4);
    snprintf(name, sizeof name, "files_read_%u_%ukib", count, kib);
    read_size = kib << 10;
    make_file(read_size);
    run_chains(name, count, read_on, 0);
  } else if (strcmp(what, "stat") == 0) {
    make_file(PAGE);
    run_chains(name, count, start_stat, 0);
  } else if (strcmp(what, "cold") == 0) {
    make_file(COLD_SIZE);
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    run_chains(name, count, read_cold, 0);
  } else {
    return bench_usage("files chain [N] [watched] | read [N] [KIB] | stat [N] | cold [N]");
  }
  return 0;
}
