/* uvx-inspect: shows what the loops, workers, pools and locks of a process are doing, as its debug port tells it (docs/uvx/debug_port.md).
 *
 *     uvx-inspect [-1 | -j] [-n SECONDS] PID | PATH | [127.0.0.1]:PORT
 *
 *   -1   once, instead of every second
 *   -j   once, the JSON as it came
 *   -n   every so many seconds
 *
 * A process is looked for where its UVX_DEBUG_SOCKET says, then in the usual places. Exit status: 0, 1 without an answer, 2 for nonsense. */
#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int connect_to_path(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd;
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd == -1 || connect(fd, (struct sockaddr*) &address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static int connect_to_port(const char* digits) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short) atoi(digits))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd == -1 || connect(fd, (struct sockaddr*) &address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

static int is_number(const char* text) {
  return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* As the library does: "%p" stands for the number of the process. */
static void expand(const char* pattern, const char* pid, char* path, size_t size) {
  size_t used = 0;
  for (; *pattern != '\0' && used + 1 < size; pattern++) {
    if (pattern[0] == '%' && pattern[1] == 'p') {
      used += (size_t) snprintf(path + used, size - used, "%s", pid);
      if (used >= size) used = size - 1;
      pattern++;
    } else {
      path[used++] = *pattern;
    }
  }
  path[used] = '\0';
}

/* What the process's environment says, if it may be read. */
static int environment_of(const char* pid, const char* name, char* value, size_t size) {
  static char all[1 << 20];
  char path[64];
  size_t length, name_length = strlen(name);
  FILE* file;
  snprintf(path, sizeof path, "/proc/%s/environ", pid);
  file = fopen(path, "r");
  if (file == NULL) return 0;
  length = fread(all, 1, sizeof all - 1, file);
  fclose(file);
  all[length] = '\0';
  for (const char* at = all; at < all + length; at += strlen(at) + 1) {
    if (strncmp(at, name, name_length) != 0 || at[name_length] != '=') continue;
    snprintf(value, size, "%s", at + name_length + 1);
    return 1;
  }
  return 0;
}

static int connect_to_process(const char* pid) {
  char value[4096], path[4200];
  int fd;
  if (environment_of(pid, "UVX_DEBUG_SOCKET", value, sizeof value)) {
    expand(value, pid, path, sizeof path);
    fd = is_number(path) ? (atoi(path) != 0 ? connect_to_port(path) : -1) : connect_to_path(path);
    if (fd != -1) return fd;
  }
  if (environment_of(pid, "XDG_RUNTIME_DIR", value, sizeof value)) {
    snprintf(path, sizeof path, "%s/uvx-debug.%s", value, pid);
    if ((fd = connect_to_path(path)) != -1) return fd;
  }
  snprintf(path, sizeof path, "/tmp/uvx-debug.%s", pid);
  return connect_to_path(path);
}

static int connect_to(const char* target) {
  const char* colon = strrchr(target, ':');
  if (is_number(target)) return connect_to_process(target);
  if (colon != NULL && is_number(colon + 1) && (colon == target || strncmp(target, "127.0.0.1:", 10) == 0))
    return connect_to_port(colon + 1);
  return connect_to_path(target);
}

/* The whole answer, to be freed; NULL without one. */
static char* ask(const char* target) {
  char* text = NULL;
  size_t used = 0, room = 0;
  int fd = connect_to(target);
  if (fd == -1) {
    fprintf(stderr, "uvx-inspect: %s: %s\n", target, strerror(errno));
    return NULL;
  }
  for (;;) {
    if (room - used < 4096) {
      char* larger = realloc(text, room = room * 2 + 16384);
      if (larger == NULL) break;
      text = larger;
    }
    ssize_t count = read(fd, text + used, room - used - 1);
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) break;
    used += (size_t) count;
  }
  close(fd);
  if (text != NULL) text[used] = '\0';
  if (text == NULL || !json_is_whole(text) || json_get(json_space(text), "uvx_debug") == NULL) {
    fprintf(stderr, "uvx-inspect: %s: this is no debug port\n", target);
    free(text);
    return NULL;
  }
  return text;
}

/* A loop without a mailbox has null there. */
static void show_calls(const char* calls) {
  long long collected = json_number(json_get(calls, "collected"));
  const char* more = json_get(calls, "more");
  if (more == NULL) return;
  printf("  calls        ");
  if (collected > 0) printf("%lld to run%s", collected, *more == 't' ? ", and " : "");
  printf("%s\n", *more == 't' ? "some not looked at" : collected > 0 ? "" : "none");
}

/* The worker that has the loop, or NULL. */
static const char* worker_of(const char* text, long long loop) {
  const char *workers = json_get(text, "workers"), *worker;
  for (int i = 0; (worker = json_item(workers, i)) != NULL; i++)
    if (json_number(json_get(worker, "loop")) == loop) return worker;
  return NULL;
}

static void show_worker(const char* worker) {
  char name[64], state[32];
  json_string(json_get(worker, "name"), name, sizeof name);
  json_string(json_get(worker, "state"), state, sizeof state);
  printf("worker %lld (%s)  %s  thread %lld, loop %lld, started from loop %lld\n", json_number(json_get(worker, "id")), name,
         state, json_number(json_get(worker, "tid")), json_number(json_get(worker, "loop")),
         json_number(json_get(worker, "parent")));
}

static void show_pool(const char* pool) {
  char name[64], kind[32];
  const char* waiting = json_get(pool, "waiting");
  long long low = json_number(json_get(waiting, "low")), normal = json_number(json_get(waiting, "normal")),
            high = json_number(json_get(waiting, "high"));
  json_string(json_get(pool, "name"), name, sizeof name);
  json_string(json_get(pool, "kind"), kind, sizeof kind);
  printf("%s %lld (%s)  %lld of %lld threads, %lld running, %lld waiting", strcmp(kind, "pool") == 0 ? "pool" : "task runner",
         json_number(json_get(pool, "id")), name, json_number(json_get(pool, "threads")), json_number(json_get(pool, "size")),
         json_number(json_get(pool, "running")), low + normal + high);
  if (low + high > 0) printf(" (%lld high, %lld normal, %lld low)", high, normal, low);
  printf(", %lld delayed\n", json_number(json_get(pool, "delayed")));
  if (low + normal + high > 0) printf("  waiting      for %lld ms", json_number(json_get(pool, "oldest_ms")));
  else printf("  waiting      nothing");
  printf("; at most %lld ms ever\n", json_number(json_get(pool, "longest_ms")));
}

static void show_lock(const char* lock) {
  char name[256], mode[32], state[32];
  long long loop = json_number(json_get(lock, "loop"));
  json_string(json_get(lock, "name"), name, sizeof name);
  json_string(json_get(lock, "mode"), mode, sizeof mode);
  json_string(json_get(lock, "state"), state, sizeof state);
  printf("  %-12s %s, %s, ", name, state, mode);
  if (loop != 0) printf("loop %lld, ", loop);
  printf("thread %lld\n", json_number(json_get(lock, "tid")));
}

static void show_locks(const char* locks) {
  const char *first = json_get(locks, "first"), *lock;
  long long held = json_number(json_get(locks, "held")), waiting = json_number(json_get(locks, "waiting")), shown = 0;
  if (first == NULL || held + waiting == 0) return;
  printf("\nlocks  %lld names, %lld held, %lld waiting\n", json_number(json_get(locks, "names")), held, waiting);
  for (; (lock = json_item(first, (int) shown)) != NULL; shown++) show_lock(lock);
  if (shown < held + waiting) printf("  and %lld more\n", held + waiting - shown);
}

static void show_loop(const char* text, const char* loop) {
  const char* worker = worker_of(text, json_number(json_get(loop, "id")));
  char phase[32], thread[64];
  const char *handles = json_get(loop, "handles"), *timers = json_get(loop, "timers"), *ports = json_get(loop, "ports");
  const char *kind = NULL, *key = "", *next = json_get(timers, "next_ms");
  json_string(json_get(loop, "phase"), phase, sizeof phase);
  json_string(json_get(loop, "thread"), thread, sizeof thread);
  printf("loop %lld%s  thread %lld (%s)  %lld turns", json_number(json_get(loop, "id")),
         strncmp(json_get(loop, "default"), "true", 4) == 0 ? " (default)" : "", json_number(json_get(loop, "tid")), thread,
         json_number(json_get(loop, "turns")));
  if (worker != NULL) printf("  worker %lld", json_number(json_get(worker, "id")));
  printf("\n");
  printf("  %-12s %lld ms %s\n", phase, json_number(json_get(loop, "since_ms")),
         strcmp(phase, "outside") == 0 ? "since it last ran" : strcmp(phase, "poll") == 0 ? "asleep or about to be" : "busy");
  printf("  alive by     %lld handles and the like, %lld requests\n", json_number(json_get(loop, "active_handles")),
         json_number(json_get(loop, "requests")));
  printf("  timers       %lld", json_number(json_get(timers, "active")));
  if (next != NULL && *next == '-') printf(", the first %lld ms late", -json_number(next));
  else if (next != NULL && *next != 'n') printf(", the first due in %lld ms", json_number(next));
  printf("\n  ports        %lld, %lld messages, %lld bytes unread\n", json_number(json_get(ports, "count")),
         json_number(json_get(ports, "messages")), json_number(json_get(ports, "bytes")));
  show_calls(json_get(loop, "calls"));
  if (handles != NULL && json_next(handles, NULL, &key) != NULL) printf("  %-12s %8s %8s %8s\n", "handles", "all", "active", "ref'd");
  while (handles != NULL && (kind = json_next(handles, kind, &key)) != NULL)
    printf("    %-10.*s %8lld %8lld %8lld\n", (int) strcspn(key, "\""), key, json_number(json_get(kind, "count")),
           json_number(json_get(kind, "active")), json_number(json_get(kind, "referenced")));
}

static void show(const char* text) {
  const char *loops = json_get(text, "loops"), *workers = json_get(text, "workers"), *pool = json_get(text, "pool"),
             *pools = json_get(text, "pools"), *item;
  printf("process %lld\n", json_number(json_get(text, "pid")));
  for (int i = 0; (item = json_item(loops, i)) != NULL; i++) {
    printf("\n");
    show_loop(text, item);
  }
  if (json_item(workers, 0) != NULL) printf("\n");
  for (int i = 0; (item = json_item(workers, i)) != NULL; i++) show_worker(item);
  printf("\npool  %lld of %lld threads, %lld running, %lld waiting\n", json_number(json_get(pool, "threads")),
         json_number(json_get(pool, "size")), json_number(json_get(pool, "running")), json_number(json_get(pool, "waiting")));
  for (int i = 0; (item = json_item(pools, i)) != NULL; i++) show_pool(item);
  show_locks(json_get(text, "locks"));
  fflush(stdout);
}

static int usage(void) {
  fprintf(stderr, "usage: uvx-inspect [-1 | -j] [-n SECONDS] PID | PATH | [127.0.0.1]:PORT\n");
  return 2;
}

int main(int argc, char** argv) {
  int option, once = 0, raw = 0;
  double seconds = 1;
  while ((option = getopt(argc, argv, "1jn:")) != -1) {
    if (option == '1') once = 1;
    else if (option == 'j') once = raw = 1;
    else if (option == 'n') seconds = atof(optarg);
    else return usage();
  }
  if (optind + 1 != argc || !(seconds > 0)) return usage();
  for (;;) {
    char* text = ask(argv[optind]);
    if (text == NULL) return 1;
    if (raw) fputs(text, stdout);
    else {
      if (!once && isatty(1)) printf("\033[H\033[2J");
      show(json_space(text));
      if (!once && !isatty(1)) printf("\n");
    }
    free(text);
    if (once) return fflush(stdout) == 0 ? 0 : 1;
    struct timespec pause = {(time_t) seconds, (long) ((seconds - (double) (time_t) seconds) * 1e9)};
    nanosleep(&pause, NULL);
  }
}
