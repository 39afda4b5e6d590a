/* People in threads of their own talk in one room: workers that broadcast to each other.
 *
 *   cc -Iinclude examples/chat.c -o chat -luv && ./chat [NAME..]
 *
 * Each person is a worker with a port in the group "room". Whoever enters greets the others, and is greeted by those who
 * are there; once all know each other, each says something, then goodbye, and leaves when the last of the others has
 * said goodbye. Nobody counts threads or knows who listens: this program's own thread is in the room, too, and prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uvx.h>

enum { HELLO, ANSWER, WORDS, GOODBYE, KINDS };
enum { MOST = 32 };

typedef struct {
  const char *name;
  int number, known, gone; /* how many others are here, and have said goodbye */
  int knows[MOST];
} person_t;

static uv_loop_t loop;
static person_t people[MOST];
static int count, left, heard[KINDS];
static uvx_message_port_t *listener;

static void check(int status, const char *what) {
  if (status == 0) return;
  fprintf(stderr, "chat: %s: %s\n", what, uv_strerror(status));
  exit(1);
}

/* A tag says who speaks and what it is; the text is the payload. */
static void say(uvx_message_port_t *room, const person_t *who, int kind, const char *text) {
  uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));
  uvx_message_desc_t desc = {.size = sizeof desc, .tag = (uint64_t)(who->number * KINDS + kind), .bufs = &buf, .nbufs = 1};
  check(uvx_message_port_post(room, &desc), "post");
}

/* On the threads of the workers */

static void on_word(uvx_message_port_t *room, uvx_message_t *message) {
  person_t *self = uvx_message_port_get_data(room);
  int who = (int)(uvx_message_tag(message) / KINDS), kind = (int)(uvx_message_tag(message) % KINDS);
  char text[64];
  if (!self->knows[who]) {
    self->knows[who] = 1;
    self->known++;
    if (self->known == count - 1) {
      snprintf(text, sizeof text, "all %d of us are here", count);
      say(room, self, WORDS, text);
      say(room, self, GOODBYE, "goodbye");
    }
  }
  if (kind == HELLO) {
    snprintf(text, sizeof text, "hello, %s", people[who].name);
    say(room, self, ANSWER, text);
  }
  if (kind == GOODBYE && ++self->gone == count - 1) uvx_message_port_close(room, 0, NULL); /* the worker ends with it */
}

static int enter(uvx_worker_ctx_t *ctx, void *data) {
  person_t *self = data;
  uvx_message_port_t *room;
  int status = uvx_broadcast_open(&room, "room", NULL);
  if (status != 0) return status;
  uvx_message_port_set_data(room, self);
  check(uvx_message_port_attach(uvx_worker_ctx_loop(ctx), room, on_word, NULL), "attach");
  check(uvx_message_port_start(room), "start");
  say(room, self, HELLO, "hello");
  return 0; /* the library runs the loop */
}

/* On the main thread */

static void print(uvx_message_port_t *room, uvx_message_t *message) {
  const uv_buf_t *text = uvx_message_data(message);
  int who = (int)(uvx_message_tag(message) / KINDS);
  (void)room;
  heard[uvx_message_tag(message) % KINDS]++;
  printf("%-8s %.*s\n", people[who].name, (int)text->len, text->base);
}

static void on_exit_of(uvx_worker_t *worker, const uvx_worker_exit_t *result) {
  (void)worker;
  check(result->uv_error, "a worker");
  if (--left > 0) return;
  check(uvx_message_port_close(listener, UVX_PORT_CLOSE_FLUSH, NULL), "close"); /* what was said last is printed first */
}

int main(int argc, char **argv) {
  static char *usual[] = {"ada", "grace", "edsger", "barbara"};
  char **names = argc > 1 ? argv + 1 : usual;
  count = argc > 1 ? argc - 1 : 4;
  if (count < 2 || count > MOST) {
    fprintf(stderr, "chat: between 2 and %d names\n", MOST);
    return 2;
  }
  check(uv_loop_init(&loop), "loop");
  check(uvx_broadcast_open(&listener, "room", NULL), "open");
  check(uvx_message_port_attach(&loop, listener, print, NULL), "attach");
  check(uvx_message_port_start(listener), "start");
  left = count;
  for (int i = 0; i < count; i++) people[i] = (person_t){.name = names[i], .number = i};
  for (int i = 0; i < count; i++) {
    uvx_worker_options_t options = {.size = sizeof options, .name = names[i], .data = &people[i]};
    uvx_worker_t *worker;
    check(uvx_worker_start(&loop, &worker, enter, &options, on_exit_of), "worker");
  }
  check(uv_run(&loop, UV_RUN_DEFAULT), "run");
  check(uv_loop_close(&loop), "close");
  printf("%d people, %d hellos, %d goodbyes\n", count, heard[HELLO], heard[GOODBYE]);
  return heard[HELLO] != count || heard[WORDS] != count || heard[GOODBYE] != count;
}
