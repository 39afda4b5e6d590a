/* The extension: message ports, posted calls, workers, watchdogs and more. Made by tools/headers.sh from src/abi/uvx_*.rs and
 * src/ffi/uvx_*.rs.
 *
 * Message ports. A channel has two ports: what is posted to one arrives at the other, in order. Any
 * thread may post, without waiting and without a system call unless the reader sleeps. A port
 * belongs to one owner at a time: the loop that it is attached to, or the thread that uses it. It
 * can be handed over to another thread inside a message, with all that is unread, while others go
 * on posting to it.
 *
 *     static void on_message(uvx_message_port_t* port, uvx_message_t* message) {
 *       const uv_buf_t* data = uvx_message_data(message);
 *       printf("%.*s\n", (int) data->len, data->base);
 *     }
 *
 *     static void on_close(uvx_message_port_t* port, int status) {  // the other end is closed, and everything was read
 *       uvx_message_port_close(port, 0, NULL);
 *     }
 *
 *     static void reader(void* port) {                              // a thread with a loop
 *       uv_loop_t loop;
 *       uv_loop_init(&loop);
 *       uvx_message_port_attach(&loop, port, on_message, on_close);
 *       uvx_message_port_start(port);
 *       uv_run(&loop, UV_RUN_DEFAULT);
 *       uv_loop_close(&loop);
 *     }
 *
 *     uvx_message_port_t *here, *there;
 *     uv_thread_t thread;
 *     uvx_message_channel_create(&here, &there, NULL);
 *     uv_thread_create(&thread, reader, there);
 *     uv_buf_t text = uv_buf_init("hello", 5);
 *     uvx_message_desc_t message = {.size = sizeof message, .bufs = &text, .nbufs = 1};
 *     uvx_message_port_post(here, &message);                        // copied; may be posted before the loop exists
 *     uvx_message_port_close(here, 0, NULL);                        // "there" reads it, and then hears of the end
 *     uv_thread_join(&thread);
 *
 * Groups. A port may also belong to a group, which has a name: what is posted to one port of the
 * group arrives at all others, in whatever threads they are. A long payload is copied once, for all
 * of them.
 *
 *     uvx_message_port_t* news;                                     // in each thread that wants to hear, or to tell
 *     uvx_broadcast_open(&news, "news", NULL);
 *     uvx_message_port_attach(&loop, news, on_message, NULL);
 *     uvx_message_port_start(news);
 *     uvx_message_port_post(news, &message);                        // everybody else gets it
 *
 * Posted calls. Any thread that has a loop's mailbox can have the loop run a function. The mailbox
 * outlives the loop: after uv_loop_close calls are refused, so nobody has to know how long a loop
 * lives.
 *
 *     uvx_mailbox_t* mailbox;
 *     uvx_loop_mailbox(&loop, &mailbox);                            // on the loop's thread; then hand it to others
 *
 *     static void on_turn(uvx_loop_call_t* call, int status) {      // on the loop's thread; exactly once
 *       struct job* job = call->data;                               // status is UV_ECANCELED if the loop was closed
 *       free(job);
 *     }
 *
 *     job->call.data = job;                                         // any thread; "call" is a uvx_loop_call_t
 *     if (uvx_mailbox_call(mailbox, &job->call, on_turn, UVX_CALL_REF) != 0) free(job);
 *     uvx_mailbox_release(mailbox);
 *
 * Workers. A worker is a thread with a loop, a mailbox and a channel to the loop that started it.
 * It ends when nothing keeps its loop alive, when it says so, or when it is stopped; the loop that
 * started it then hears of it, after all the worker's messages.
 *
 *     static void on_question(uvx_message_port_t* port, uvx_message_t* message) {
 *       uvx_message_desc_t answer = {.size = sizeof answer, .tag = uvx_message_tag(message) * 2};
 *       uvx_message_port_post(port, &answer);
 *     }
 *
 *     static int entry(uvx_worker_ctx_t* ctx, void* data) {         // on the worker's thread
 *       uvx_message_port_attach(uvx_worker_ctx_loop(ctx), uvx_worker_ctx_port(ctx), on_question, NULL);
 *       return uvx_message_port_start(uvx_worker_ctx_port(ctx));    // the library runs the loop
 *     }
 *
 *     static void on_answer(uvx_message_port_t* port, uvx_message_t* message) {
 *       printf("%d\n", (int) uvx_message_tag(message));
 *       uvx_worker_stop(uvx_message_port_get_data(port), 0);
 *     }
 *
 *     static void on_worker_exit(uvx_worker_t* worker, const uvx_worker_exit_t* result) {
 *       printf("worker ended: %d\n", result->code);
 *     }
 *
 *     uvx_worker_t* worker;
 *     uvx_worker_start(&loop, &worker, entry, NULL, on_worker_exit);
 *     uvx_message_port_set_data(uvx_worker_port(worker), worker);
 *     uvx_message_port_attach(&loop, uvx_worker_port(worker), on_answer, NULL);
 *     uvx_message_port_start(uvx_worker_port(worker));
 *     uvx_message_desc_t question = {.size = sizeof question, .tag = 21};
 *     uvx_message_port_post(uvx_worker_port(worker), &question);    // may be posted before the thread runs
 *     uv_run(&loop, UV_RUN_DEFAULT);                                // until on_worker_exit has returned
 *
 * Named locks. A lock has a name that holds for the whole process: any loop can ask for it, for
 * itself alone or shared, and any thread can wait for it.
 *
 *     static void granted(uvx_lock_t* lock, int status) {           // on the loop that asked
 *       if (status != 0) return;
 *       write_the_cache(lock->data);
 *       uvx_lock_release(lock);                                     // now or later: whoever is next has it
 *     }
 *
 *     uvx_lock_request(&loop, &job->lock, "cache", 0, granted, NULL);  // "lock" is a uvx_lock_t
 *
 *     uvx_lock_t lock;                                              // without a loop
 *     uvx_lock_wait(&lock, "cache", UVX_LOCK_SHARED, UVX_FOREVER);
 *     read_the_cache();
 *     uvx_lock_release(&lock);
 *
 * docs/uvx/README.md says which of these to use when, and has programs. C99 or later, C++11 or
 * later; with -std=c99 and the like, uv.h needs _GNU_SOURCE or _XOPEN_SOURCE=600 to be defined.
 *
 * Functions return 0 or a negative UV_E* code. After an error nothing has changed. All structs that
 * the program fills in begin with their size, so that programs and libraries of different age
 * understand each other; what is not set has to be 0. Times are in ns (UVX_MS), none is early.
 *
 * Threads: what the comments call "any thread" may be called from all threads at once (not from
 * signal handlers), as long as the object is alive. "The loop's thread" is the one that runs the
 * loop, or has run it last; before its first run, the one that prepares it. A port is alive until
 * its close callback has returned, or if it is not attached, until uvx_message_port_close is
 * called: a thread that cannot know uses a sender of its own. All else is for the port's owner: the
 * thread of the loop that it is attached to, or if it is not attached, one thread at a time,
 * whichever. The functions say UV_EBUSY when another thread has the port, but cannot tell with a
 * loop that has not run yet. To have another thread's port closed, started or stopped, post a call
 * to its loop. A mailbox is alive as long as the caller has a reference; a worker until its exit
 * callback has returned, or longer for who has called uvx_worker_retain. After fork(2) the child
 * must not use the parent's ports, mailboxes, workers and pools; a loop that went through
 * uv_loop_fork has none of them, and no locks.
 *
 * Watchdogs, signal wakes and SIGINT watchdogs call back on a thread of the library's, beside all
 * loops (docs/uvx/watchdog.md). A thread with a loop serves others without belonging to one of them
 * (uvx_io_thread_start). The debug port tells what the loops of the process are doing, if somebody
 * asks for it (uvx_debug_start, docs/uvx/debug_port.md).
 *
 * Attached ports, workers and locks are no handles: uv_walk does not show them. uv_loop_close says
 * UV_EBUSY while a port is attached, a worker has not exited, a lock is held or asked for, or a
 * call with UVX_CALL_REF waits. Ports that are only in each other's inboxes cannot be reached any
 * more, and are never freed.
 */

#ifndef UVX_H
#define UVX_H

#include "uv.h"

/* ms as ns, in which all times of this header are. */
#define UVX_MS(ms) ((uint64_t) (ms) * 1000000)

/* Whether events of a category (uvx_trace_category) are wanted: one load. */
#define UVX_TRACE_ON(category) __atomic_load_n((category), __ATOMIC_RELAXED)

/**
 * The loop stays alive until the call has run. Without it the call needs something else that does,
 * such as an active handle: uv_run returns from a loop that nothing keeps alive without running
 * what waits, which is cancelled if the loop is closed then.
 */
#define UVX_CALL_REF 1

/**
 * The call comes before all those without this flag, triggers the loop's interrupt hook, and is run
 * by uvx_loop_run_interrupts too.
 */
#define UVX_CALL_INTERRUPT 2

/**
 * Others may hold the lock at the same time, if they share it too. Without it: nobody else.
 */
#define UVX_LOCK_SHARED 1

/**
 * Only if the lock can be had at once: else the request ends with UV_EAGAIN.
 */
#define UVX_LOCK_IF_AVAILABLE 2

/**
 * Takes the lock from all who hold it, before all who wait. Not together with other flags.
 */
#define UVX_LOCK_STEAL 4

/**
 * The most things that one message can hand over.
 */
#define UVX_XFER_MAX 1024

/**
 * What is listed in `xfers` is consumed also when the post fails because one of the two ports is
 * closed or moved away: then the error is UV_EPIPE, and with every other error nothing was moved.
 */
#define UVX_POST_CONSUME 1

/**
 * With uvx_message_port_close: what is in the inbox is delivered before the port is closed.
 */
#define UVX_PORT_CLOSE_FLUSH 1

/**
 * With uvx_message_port_close: the other end hears of it at once, before what it has not read yet,
 * and even while it is stopped.
 */
#define UVX_PORT_CLOSE_NOW 2

/**
 * A timeout that is never over.
 */
#define UVX_FOREVER UINT64_MAX

/**
 * With uvx_trace_event: the names and strings of this event are copied; otherwise they have to stay
 * until the event is written, as literals do.
 */
#define UVX_TRACE_COPY 1

/**
 * With the phase 'i': the event stands for the whole process, not for its thread.
 */
#define UVX_TRACE_PROCESS 2

/**
 * With the phase 'i': the event stands for everything.
 */
#define UVX_TRACE_GLOBAL 4

/**
 * With uvx_trace_options_t: events tell the CPU time of their thread ("tts"), which takes half a
 * microsecond to read.
 */
#define UVX_TRACE_TTS 1

/**
 * With uvx_trace_options_t: a flush waits until the file is on the disk (fdatasync).
 */
#define UVX_TRACE_FSYNC 2

/**
 * With uvx_trace_write_cb: a file begins with this text.
 */
#define UVX_TRACE_FILE_BEGINS 1

/**
 * With uvx_trace_write_cb: a file ends with this text.
 */
#define UVX_TRACE_FILE_ENDS 2

/**
 * The signal is dealt with.
 */
#define UVX_SIGINT_STOP 0

/**
 * Others are to see the signal, too.
 */
#define UVX_SIGINT_CONTINUE 1

/**
 * The worker's loop measures its idle time, for uvx_worker_info (as UV_METRICS_IDLE_TIME does).
 */
#define UVX_WORKER_METRICS 1

/**
 * A thread with a loop of its own that serves other threads. On the heap; what it is made of is not
 * public.
 */
typedef struct uvx_io_thread_t uvx_io_thread_t;

/**
 * The way to a loop for other threads: they post calls to it, which the loop runs. Counted; it
 * outlives its loop. What it is made of is not public.
 */
typedef struct uvx_mailbox_t uvx_mailbox_t;

/**
 * One end of a channel. On the heap; what it is made of is not public.
 */
typedef struct uvx_message_port_t uvx_message_port_t;

/**
 * Posts to a port, from any thread.
 */
typedef struct uvx_message_sender_t uvx_message_sender_t;

/**
 * A message as it arrives.
 */
typedef struct uvx_message_t uvx_message_t;

/**
 * A pool of threads. Counted; what it is made of is not public.
 */
typedef struct uvx_pool_t uvx_pool_t;

/**
 * Counted, shared memory.
 */
typedef struct uvx_shared_buf_t uvx_shared_buf_t;

/**
 * What calls back on the service thread when a signal comes or when it is posted. On the heap; what
 * it is made of is not public.
 */
typedef struct uvx_sigwake_t uvx_sigwake_t;

/**
 * A pool with tasks that may be delayed, and that can be waited for. Counted; what it is made of is
 * not public.
 */
typedef struct uvx_task_runner_t uvx_task_runner_t;

/**
 * What collects the events of the process and writes them. What it is made of is not public.
 */
typedef struct uvx_trace_agent_t uvx_trace_agent_t;

/**
 * A worker as it sees itself: for its own thread.
 */
typedef struct uvx_worker_ctx_t uvx_worker_ctx_t;

/**
 * A worker as those see it who started it. On the heap; what it is made of is not public.
 */
typedef struct uvx_worker_t uvx_worker_t;

/**
 * A posted call. The caller's memory, which is the library's from the post until the last callback
 * of the call begins; that may free it or post it again.
 */
typedef struct uvx_loop_call_t {
  /**
   * The program's own.
   */
  void *data;
  /**
   * The library's. Needs no initialisation.
   */
  void *reserved[6];
} uvx_loop_call_t;

/**
 * A call's turn: `status` is 0, or UV_ECANCELED if the loop, or its mailbox, was closed before;
 * then this runs on the thread that closed it. Exactly once for each call that was accepted.
 */
typedef void (*uvx_loop_call_cb)(struct uvx_loop_call_t *call, int status);

/**
 * The same for calls that need no struct of the caller's.
 */
typedef void (*uvx_call_fn)(void *arg, int status);

/**
 * Makes a busy thread look at what was posted to it, for instance by having a virtual machine break
 * in. It runs on the thread that posted, with a lock held: it must be quick, must not wait, and
 * must not call functions of this library for the same loop.
 */
typedef void (*uvx_interrupt_hook)(void *arg);

/**
 * Where and when the debug port is to listen. Zeroed but for `size`: now, on a Unix socket in the
 * usual place.
 */
typedef struct uvx_debug_options_t {
  /**
   * sizeof(uvx_debug_options_t).
   */
  size_t size;
  /**
   * The path of the Unix socket, copied; "%p" in it stands for the process's number. NULL: "uvx-debug." and the process's number in
   * XDG_RUNTIME_DIR or, without that, in /tmp, where uvx-inspect looks for it. Not with `port`.
   */
  const char *path;
  /**
   * Above 0: this TCP port of 127.0.0.1 instead, to which every user of the machine has access; -1: any that is free.
   */
  int port;
  /**
   * Not 0: does nothing yet, but listens when this signal comes (as uvx_sigwake_install says).
   */
  int signum;
} uvx_debug_options_t;

/**
 * Sets the thread up: the first to run on it. The loop is this thread's. 0 or more: it is ready,
 * and uvx_io_thread_start returns 0. A negative result is what uvx_io_thread_start returns; handles
 * that were opened are closed then, without a callback.
 */
typedef int (*uvx_io_thread_init)(uv_loop_t *loop, void *arg);

/**
 * How a thread with a loop is to end.
 */
typedef unsigned int uvx_io_thread_mode;

/**
 * The thread is to end. Runs on it, once for each mode that it is told (only for UVX_IO_THREAD_KILL
 * if that comes before it has begun to drain), after the calls that were posted before: the place
 * to close listeners (UVX_IO_THREAD_DRAIN), or everything (UVX_IO_THREAD_KILL). What is still open
 * at the end is closed without a callback; its memory is the program's all the same.
 */
typedef void (*uvx_io_thread_stop_cb)(uv_loop_t *loop, void *arg, uvx_io_thread_mode mode);

/**
 * What can be said of a thread with a loop. Zeroed but for `size`: the defaults.
 */
typedef struct uvx_io_thread_options_t {
  /**
   * sizeof(uvx_io_thread_options_t).
   */
  size_t size;
  /**
   * The thread's name, copied; of which the system shows 15 bytes. NULL: "uvx-io".
   */
  const char *name;
  /**
   * In bytes; 0: what the system gives (RLIMIT_STACK). Rounded up to whole pages, and to what the system and the library need at least.
   */
  size_t stack_size;
  /**
   * May be NULL.
   */
  uvx_io_thread_stop_cb stop_cb;
} uvx_io_thread_options_t;

/**
 * A named lock: a request for it, and then the lock itself. The caller's memory, which is the
 * library's from a request that succeeds until it is over: until uvx_lock_release has returned, or
 * the callback begins that says that the lock is not, or no longer, there. Then it may be freed or
 * used for the next request.
 */
typedef struct uvx_lock_t {
  /**
   * The program's own.
   */
  void *data;
  /**
   * The library's. Needs no initialisation.
   */
  void *reserved[15];
} uvx_lock_t;

/**
 * What became of a request (`granted`), or of a lock (`lost`); see uvx_lock_request.
 */
typedef void (*uvx_lock_cb)(struct uvx_lock_t *lock, int status);

/**
 * Somebody who holds a lock, or waits for it.
 */
typedef struct uvx_lock_info_t {
  /**
   * The name. It goes with the list.
   */
  const char *name;
  /**
   * Whose request it is: this loop's, or with NULL a thread's in uvx_lock_wait. Only to compare it: it may be closed by now.
   */
  uv_loop_t *loop;
  /**
   * The system's number (gettid) of the thread that called uvx_lock_wait, or that runs the loop, or ran it last; 0: none has.
   */
  int tid;
  /**
   * 1: shared; 0: exclusive.
   */
  int shared;
  /**
   * 1: holds the lock; 0: waits for it.
   */
  int held;
  /**
   * 0.
   */
  int reserved[5];
} uvx_lock_info_t;

/**
 * What kind of thing is handed over.
 */
typedef unsigned int uvx_xfer_type;

/**
 * Gives memory back that was moved into a message or wrapped in a shared buffer: exactly once, with
 * the values it was given with. It runs on whichever thread drops the memory last, with no lock
 * held.
 */
typedef void (*uvx_free_cb)(void *base, size_t len, void *arg);

/**
 * For memory that moves.
 */
typedef struct uvx_xfer_mem_t {
  void *base;
  size_t len;
  /**
   * May be NULL.
   */
  uvx_free_cb free_cb;
  void *arg;
} uvx_xfer_mem_t;

/**
 * The thing itself, by `type`.
 */
typedef union uvx_xfer_value_t {
  struct uvx_message_port_t *port;
  struct uvx_xfer_mem_t mem;
  struct uvx_shared_buf_t *shared;
  uv_os_fd_t fd;
} uvx_xfer_value_t;

/**
 * Something that is handed over with a message instead of being copied.
 */
typedef struct uvx_xfer_t {
  uvx_xfer_type type;
  /**
   * 0.
   */
  unsigned int flags;
  union uvx_xfer_value_t u;
} uvx_xfer_t;

/**
 * What can be said of a pool. Zeroed but for `size`: the defaults.
 */
typedef struct uvx_pool_options_t {
  /**
   * sizeof(uvx_pool_options_t).
   */
  size_t size;
  /**
   * 0.
   */
  unsigned int flags;
  /**
   * How many threads, 1 to 1024; 0: as uv_available_parallelism says.
   */
  unsigned int threads;
  /**
   * The threads' name, copied; of which the system shows 15 bytes. NULL: "uvx-pool".
   */
  const char *name;
  /**
   * In bytes; 0: 8 MiB. Rounded up to whole pages, and to what the system (PTHREAD_STACK_MIN) and the library need at least.
   */
  size_t stack_size;
  /**
   * One of UV_THREAD_PRIORITY_*, set by each thread for itself as by uv_thread_setpriority.
   */
  int thread_priority;
} uvx_pool_options_t;

/**
 * Work for a pool. The caller's memory, which is the library's from the moment it is queued until
 * its last callback begins; that may free it or queue it again.
 */
typedef struct uvx_pool_work_t {
  /**
   * The program's own.
   */
  void *data;
  /**
   * The library's. Needs no initialisation.
   */
  void *reserved[15];
} uvx_pool_work_t;

/**
 * Runs on one of the pool's threads. It must return: pthread_exit, longjmp out of it and
 * cancellation are not allowed.
 */
typedef void (*uvx_pool_work_cb)(struct uvx_pool_work_t *work);

/**
 * How urgent work is: of what waits in a pool the most urgent is next, and among equals what was
 * queued first. What was overtaken 32 times in a row while it was the first of its priority is next
 * in any case, so nothing waits for ever.
 */
typedef int uvx_priority;

/**
 * The work is over: `status` is 0, or UV_ECANCELED if it did not run. Exactly once for all that was
 * queued.
 */
typedef void (*uvx_pool_done_cb)(struct uvx_pool_work_t *work, int status);

/**
 * What uvx_pool_stats says. Counts and times are those since the pool was made. A wait is the time
 * between queueing and the beginning of the work, for delayed tasks from when they were due; times
 * in ns.
 */
typedef struct uvx_pool_stats_t {
  /**
   * sizeof(uvx_pool_stats_t).
   */
  size_t size;
  /**
   * How many threads there are to be, how many there are, and how many of these are running work.
   */
  unsigned int threads;
  unsigned int started;
  unsigned int busy;
  /**
   * The most that were running work at a time.
   */
  unsigned int most_busy;
  /**
   * What waits for a thread now, of each priority, the lowest first.
   */
  size_t waiting[3];
  /**
   * Tasks whose time has not come.
   */
  size_t delayed;
  /**
   * The most that were waiting at a time.
   */
  size_t most_waiting;
  /**
   * All that was queued, that was begun, that ran to its end, and that was cancelled.
   */
  uint64_t queued;
  uint64_t begun;
  uint64_t done;
  uint64_t cancelled;
  /**
   * Of all that was begun. Divided by `begun`: the mean.
   */
  uint64_t wait_total_ns;
  uint64_t wait_max_ns;
  /**
   * Half of all, and 99 of a hundred, waited less than this; up to a quarter too much.
   */
  uint64_t wait_p50_ns;
  uint64_t wait_p99_ns;
  /**
   * How long what waits longest among the first of each priority has waited; 0: nothing waits.
   */
  uint64_t oldest_ns;
} uvx_pool_stats_t;

/**
 * How a pool is shut down.
 */
typedef int uvx_shutdown_mode;

/**
 * How a channel is made; the bounds are for each direction of its own. Zeroed but for `size`: no
 * bounds.
 */
typedef struct uvx_message_channel_options_t {
  /**
   * sizeof(uvx_message_channel_options_t).
   */
  size_t size;
  /**
   * 0.
   */
  unsigned int flags;
  /**
   * The most unread messages; 0: no bound.
   */
  size_t max_messages;
  /**
   * The most unread bytes of payload, not counting what is handed over; 0: no bound.
   */
  size_t max_bytes;
  /**
   * After the channel was full, writers are told when fewer unread messages than this are left. 0 stands for half of
   * `max_messages`; at most `max_messages`. Of `max_bytes` it is always half.
   */
  size_t low_water;
} uvx_message_channel_options_t;

/**
 * A message to be posted. Zeroed but for `size`, it is an empty message.
 */
typedef struct uvx_message_desc_t {
  /**
   * sizeof(uvx_message_desc_t).
   */
  size_t size;
  /**
   * A word for the program's own use. A message of only a tag needs no memory of its own.
   */
  uint64_t tag;
  /**
   * Copied one after the other, so that they arrive in one piece. NULL if `nbufs` is 0.
   */
  const uv_buf_t *bufs;
  unsigned int nbufs;
  /**
   * Handed over, at most UVX_XFER_MAX. NULL if `nxfers` is 0.
   */
  const struct uvx_xfer_t *xfers;
  unsigned int nxfers;
  /**
   * 0 or UVX_POST_CONSUME.
   */
  unsigned int flags;
} uvx_message_desc_t;

/**
 * Something happened to a port: `status` is 0 or an error code.
 */
typedef void (*uvx_message_port_event_cb)(struct uvx_message_port_t *port, int status);

/**
 * What went through a port's inbox.
 */
typedef struct uvx_message_port_stats_t {
  /**
   * sizeof(uvx_message_port_stats_t).
   */
  size_t size;
  /**
   * Messages that wait, and their payload in bytes.
   */
  uint64_t depth;
  uint64_t bytes;
  /**
   * Messages that were ever posted to this port, read from it, and destroyed unread.
   */
  uint64_t posted;
  uint64_t received;
  uint64_t dropped;
  /**
   * How often its reader had to be told that there is something to read.
   */
  uint64_t wakes;
} uvx_message_port_stats_t;

/**
 * A message for an attached port. It is the library's again when the callback returns:
 * uvx_message_ref keeps it longer.
 */
typedef void (*uvx_message_cb)(struct uvx_message_port_t *port, struct uvx_message_t *message);

/**
 * `n` messages at once, in order. As for uvx_message_cb; the array goes when the callback returns,
 * too.
 */
typedef void (*uvx_message_batch_cb)(struct uvx_message_port_t *port, struct uvx_message_t **messages, size_t n);

/**
 * Somebody who wants to know of SIGINT. The program's memory, as for uvx_watchdog_t.
 */
typedef struct uvx_sigint_watchdog_t {
  /**
   * The library's.
   */
  void *reserved[4];
} uvx_sigint_watchdog_t;

/**
 * SIGINT came. Runs on the service thread: as for uvx_watchdog_cb. UVX_SIGINT_STOP: it is dealt
 * with. UVX_SIGINT_CONTINUE: the watchdog that was started before this one is to see it, too.
 */
typedef int (*uvx_sigint_cb)(struct uvx_sigint_watchdog_t *watchdog, void *arg);

/**
 * The signal came, or uvx_sigwake_post was called, once or more often since the last time. Runs on
 * the service thread: as for uvx_watchdog_cb. The threads that are busy go on; this one may have
 * them look (uvx_mailbox_call with UVX_CALL_INTERRUPT).
 */
typedef void (*uvx_sigwake_cb)(struct uvx_sigwake_t *wake, void *arg);

/**
 * A task. The caller's memory, which is the library's from the post until its callback begins; that
 * may free it or post it again.
 */
typedef struct uvx_task_t {
  /**
   * The program's own.
   */
  void *data;
  /**
   * The library's. Needs no initialisation.
   */
  void *reserved[15];
} uvx_task_t;

/**
 * The task itself, on one of the runner's threads, with 0; or, with UV_ECANCELED, all that comes of
 * it: on the thread that cancels it or shuts the runner down. Exactly once for each task that was
 * posted. It must return, as uvx_pool_work_cb.
 */
typedef void (*uvx_task_cb)(struct uvx_task_t *task, int status);

/**
 * The type of an argument's value.
 */
typedef unsigned int uvx_trace_type;

/**
 * The value itself, by `type`.
 */
typedef union uvx_trace_value_t {
  int64_t i;
  uint64_t u;
  double d;
  const char *s;
  const void *p;
} uvx_trace_value_t;

/**
 * An argument of an event.
 */
typedef struct uvx_trace_arg_t {
  /**
   * NULL is written as an empty one.
   */
  const char *name;
  uvx_trace_type type;
  union uvx_trace_value_t value;
} uvx_trace_arg_t;

/**
 * What happens to an event for which a thread has no room, because the writer is late.
 */
typedef unsigned int uvx_trace_overflow;

/**
 * Something could not be written; the events in it are lost, and counted. `file` is the file's
 * name, NULL with a writer of the program's own. Runs on the agent's thread, once for each attempt
 * that fails; it may trace nothing, and must not call functions that wait for the agent.
 */
typedef void (*uvx_trace_error_cb)(void *data, int error, const char *file);

/**
 * Takes `length` bytes of JSON. What comes from UVX_TRACE_FILE_BEGINS to UVX_TRACE_FILE_ENDS is one
 * valid text. Returns 0, or a negative UV_E* code: then the events of this call are lost, the file
 * has ended here, and the next call begins another. Runs on the agent's thread, as
 * uvx_trace_error_cb.
 */
typedef int (*uvx_trace_write_cb)(void *data, const char *text, size_t length, unsigned int flags);

/**
 * How the agent is to work. Zeroed but for `size`: the defaults.
 */
typedef struct uvx_trace_options_t {
  /**
   * sizeof(uvx_trace_options_t).
   */
  size_t size;
  /**
   * 0 or UVX_TRACE_TTS, UVX_TRACE_FSYNC.
   */
  unsigned int flags;
  uvx_trace_overflow overflow;
  /**
   * The name of the files, copied; ${pid} stands for the process, ${rotation} for the number of the file, from 1. NULL:
   * "uvx_trace.${rotation}.json". A file is made for the first event in it, and replaces an older one.
   */
  const char *file;
  /**
   * A file with so many events is full; 0: 524288, UINT64_MAX: any number. A name without ${rotation} stands for one file, for which there
   * may be no bounds: this and the next have to be 0 or UINT64_MAX.
   */
  uint64_t events_per_file;
  /**
   * A file is not larger than that, unless by a single event; 0: any size.
   */
  uint64_t bytes_per_file;
  /**
   * Bytes of each of a thread's two buffers, of which an event takes 32 and 24 for each argument; 0: 2 MiB. At least 4096. Pages
   * that are not used cost nothing.
   */
  size_t buffer_bytes;
  /**
   * Events with more arguments are refused, at most 255; 0: 16.
   */
  unsigned int max_args;
  /**
   * What was traced is written after so many ns at the latest; 0: a second. UVX_FOREVER: only when a buffer is full and with
   * uvx_trace_flush.
   */
  uint64_t flush_interval_ns;
  /**
   * May be NULL.
   */
  uvx_trace_error_cb on_error;
  /**
   * Gets the text instead of files. NULL: none.
   */
  uvx_trace_write_cb write_cb;
  /**
   * For the two callbacks.
   */
  void *data;
} uvx_trace_options_t;

/**
 * What uvx_trace_stats says, all since the agent was started.
 */
typedef struct uvx_trace_stats_t {
  /**
   * sizeof(uvx_trace_stats_t).
   */
  size_t size;
  /**
   * Events that were written.
   */
  uint64_t written;
  /**
   * Events that found both buffers of their thread full, or that were in a buffer when it was dropped (UVX_TRACE_DROP_OLD), or that had
   * no memory.
   */
  uint64_t dropped;
  /**
   * Events that could not be written.
   */
  uint64_t lost;
  /**
   * How often a thread had to wait for room (UVX_TRACE_BLOCK).
   */
  uint64_t blocked;
  /**
   * Bytes that were written.
   */
  uint64_t bytes;
  /**
   * Files that were begun.
   */
  uint64_t files;
  /**
   * Threads that have buffers now.
   */
  uint64_t threads;
} uvx_trace_stats_t;

/**
 * A watchdog: calls back if it is not stopped in time. The program's memory, on the stack for
 * instance; it must stay in place from uvx_watchdog_start to uvx_watchdog_stop. Needs no
 * initialisation, no memory beside it, and no close.
 */
typedef struct uvx_watchdog_t {
  /**
   * The library's.
   */
  void *reserved[8];
} uvx_watchdog_t;

/**
 * The time is over. Runs on the library's service thread, with all signals blocked: there is one
 * such thread for the process, so a callback that takes long makes others late. It may use any
 * function for any thread, and all functions for watchdogs.
 */
typedef void (*uvx_watchdog_cb)(struct uvx_watchdog_t *watchdog, void *arg);

/**
 * The worker's function, the first to run on its thread. `data` is that of the options. Its loop
 * (uvx_worker_ctx_loop) and its port (uvx_worker_ctx_port) are there. It may set things up and
 * return, or do all its work and return.
 *
 * When it returns 0 or more, the library runs the loop until nothing keeps it alive; the worker
 * then exits by itself, with what was returned as its exit code. A negative result says that the
 * worker could not begin: it exits as UVX_WORKER_FAILED. It must return: pthread_exit, longjmp out
 * of it and cancellation are not allowed.
 */
typedef int (*uvx_worker_entry)(struct uvx_worker_ctx_t *ctx, void *data);

/**
 * Something for the worker's thread to do at its end; `data` is that of the options.
 */
typedef void (*uvx_worker_hook)(struct uvx_worker_ctx_t *ctx, void *data);

/**
 * What can be said of a worker beyond its function. Zeroed but for `size`: the defaults.
 */
typedef struct uvx_worker_options_t {
  /**
   * sizeof(uvx_worker_options_t).
   */
  size_t size;
  /**
   * 0 or UVX_WORKER_METRICS.
   */
  unsigned int flags;
  /**
   * The thread's name, copied; of which the system shows 15 bytes. NULL: "WorkerThread".
   */
  const char *name;
  /**
   * In bytes; 0: 4 MiB. Rounded up to whole pages, and to what the system (PTHREAD_STACK_MIN) and the library need at least.
   */
  size_t stack_size;
  /**
   * For the entry and the hooks.
   */
  void *data;
  /**
   * Posted to the worker before it starts, so that it is the first message it reads. NULL: none. If the start fails, what it lists
   * is the caller's as before.
   */
  const struct uvx_message_desc_t *first_message;
  /**
   * Runs on the worker's thread when nothing keeps its loop alive any more. It may begin new things, and then runs again after those.
   * Not if the worker was stopped or has called uvx_worker_exit.
   */
  uvx_worker_hook before_exit;
  /**
   * Runs on the worker's thread once, at its end, however it came: the place to close handles and to free memory. The loop then
   * runs until all that was closed here has had its callbacks. Handles and ports that are still open after that are closed
   * without a callback; their memory is the program's all the same.
   */
  uvx_worker_hook cleanup;
  /**
   * Has a busy worker look: runs when the worker is stopped or interrupted (uvx_interrupt_hook), with `data`. Not any more once
   * `cleanup` has begun.
   */
  uvx_interrupt_hook interrupt_hook;
  /**
   * The bounds of the channel between the worker and the loop that starts it. NULL: none. A worker that waits for room
   * (uvx_message_port_post_wait) goes on when its parent reads, closes its end, or stops the worker.
   */
  const struct uvx_message_channel_options_t *channel;
} uvx_worker_options_t;

/**
 * Why a worker has ended.
 */
typedef unsigned int uvx_worker_reason;

/**
 * How a worker has ended.
 */
typedef struct uvx_worker_exit_t {
  int code;
  uvx_worker_reason reason;
  /**
   * 0 but for UVX_WORKER_FAILED.
   */
  int uv_error;
} uvx_worker_exit_t;

/**
 * A worker has ended: its thread is gone, its loop closed, and all messages that it posted to an
 * attached port have been delivered. Runs on the loop that started it. When it returns, the
 * worker's port is closed (unless it was taken) and `worker` is freed (unless it is retained).
 */
typedef void (*uvx_worker_exit_cb)(struct uvx_worker_t *worker, const struct uvx_worker_exit_t *result);

/**
 * Where a worker is in its life.
 */
typedef unsigned int uvx_worker_state;

/**
 * What uvx_worker_info says.
 */
typedef struct uvx_worker_info_t {
  /**
   * sizeof(uvx_worker_info_t).
   */
  size_t size;
  /**
   * No other worker of the process has or had it. The first is 1.
   */
  uint64_t id;
  uvx_worker_state state;
  /**
   * The system's number for the thread; -1 unless the thread is running.
   */
  int tid;
  /**
   * The thread's name.
   */
  char name[16];
  /**
   * In bytes.
   */
  size_t stack_size;
  /**
   * When its entry was called, as uv_hrtime says it; 0: not yet.
   */
  uint64_t started_ns;
  /**
   * How long its loop has waited for events, in ns. UINT64_MAX: not measured (UVX_WORKER_METRICS), or its loop is closed.
   */
  uint64_t idle_ns;
  /**
   * CPU time of the thread, in ns. UINT64_MAX unless the thread is running.
   */
  uint64_t cpu_ns;
  /**
   * How it ends, as soon as that is decided.
   */
  struct uvx_worker_exit_t exit;
} uvx_worker_info_t;

/**
 * Begins nothing new, and ends when nothing keeps its loop alive any more. Calls that were posted
 * before run.
 */
#define UVX_IO_THREAD_DRAIN 1

/**
 * Ends now, whatever is open. Calls that were posted and have not run get UV_ECANCELED.
 */
#define UVX_IO_THREAD_KILL 2

/**
 * For what nobody waits for.
 */
#define UVX_PRIORITY_LOW -1

/**
 * The usual.
 */
#define UVX_PRIORITY_NORMAL 0

/**
 * For what somebody is waiting for right now.
 */
#define UVX_PRIORITY_HIGH 1

/**
 * What waits is cancelled.
 */
#define UVX_SHUTDOWN_DROP 0

/**
 * What waits for a thread runs. Delayed tasks that are not due yet are cancelled.
 */
#define UVX_SHUTDOWN_RUN_ALL 1

/**
 * A port that nobody else uses: the sender's no more, the receiver's when it is taken.
 */
#define UVX_XFER_PORT 0

/**
 * Memory with the function that frees it. Nothing is copied.
 */
#define UVX_XFER_MEM 1

/**
 * A shared buffer: the message gets a reference of its own.
 */
#define UVX_XFER_SHARED 2

/**
 * A file descriptor: the message's to close, from the post on.
 */
#define UVX_XFER_FD 3

/**
 * `u`: 0 is false, all else true.
 */
#define UVX_TRACE_BOOL 0

/**
 * `i`.
 */
#define UVX_TRACE_INT 1

/**
 * `u`.
 */
#define UVX_TRACE_UINT 2

/**
 * `d`.
 */
#define UVX_TRACE_DOUBLE 3

/**
 * `s`; NULL is written as null, what is no UTF-8 with replacement characters.
 */
#define UVX_TRACE_STRING 4

/**
 * `p`; written as a string of hexadecimal digits.
 */
#define UVX_TRACE_POINTER 5

/**
 * It is dropped.
 */
#define UVX_TRACE_DROP_NEW 0

/**
 * The thread's older buffer is dropped with all that is unread in it; if the writer is just reading
 * it, the event is.
 */
#define UVX_TRACE_DROP_OLD 1

/**
 * The thread waits until the writer has made room.
 */
#define UVX_TRACE_BLOCK 2

/**
 * It has not.
 */
#define UVX_WORKER_NOT_ENDED 0

/**
 * Nothing was left to do. The code is what its entry returned.
 */
#define UVX_WORKER_RETURNED 1

/**
 * It called uvx_worker_exit. The code is the one given there.
 */
#define UVX_WORKER_EXITED 2

/**
 * uvx_worker_stop was called, if only before it began. The code is the one given there.
 */
#define UVX_WORKER_STOPPED 3

/**
 * Its entry returned an error, which is `uv_error`. The code is 1.
 */
#define UVX_WORKER_FAILED 4

/**
 * Its thread has been created, and has not run yet.
 */
#define UVX_WORKER_STARTING 0

/**
 * Its entry has been called.
 */
#define UVX_WORKER_ONLINE 1

/**
 * It has been stopped or ends by itself, and is not through yet.
 */
#define UVX_WORKER_STOPPING 2

/**
 * Its thread has ended; the exit callback is to come.
 */
#define UVX_WORKER_ENDED 3

/**
 * The exit callback has been called.
 */
#define UVX_WORKER_GONE 4

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Gives the loop's mailbox, with one more reference, which is the caller's: uvx_mailbox_release. A
 * loop has one mailbox; it is made by the first call of this. The loop's thread. UV_ENOMEM.
 * UV_ESHUTDOWN after uvx_mailbox_close.
 */
UV_EXTERN int uvx_loop_mailbox(uv_loop_t* loop, struct uvx_mailbox_t** mailbox);

/**
 * One more reference. Any thread that has one.
 */
UV_EXTERN void uvx_mailbox_ref(struct uvx_mailbox_t* mailbox);

/**
 * Gives up a reference. The loop is not touched, and what was posted stays posted. NULL is fine.
 * Any thread.
 */
UV_EXTERN void uvx_mailbox_release(struct uvx_mailbox_t* mailbox);

/**
 * Has the loop run `cb` with `call`, in a turn to come; needs no memory, takes no lock, never
 * waits. Calls run in the order in which they were posted; what is posted while the loop runs some
 * waits for its next turn. `flags`: 0 or UVX_CALL_REF, UVX_CALL_INTERRUPT.
 *
 * `call` needs no initialisation but for `data`, which is the program's. It must not be posted
 * again before its callback has begun. Before uv_run, during it, and between two of them: the call
 * waits for the loop to run. uv_loop_close says UV_EBUSY while calls with UVX_CALL_REF wait, and
 * cancels others: their callbacks run inside of it with UV_ECANCELED.
 *
 * Any thread, the loop's own too. UV_ESHUTDOWN: the loop or the mailbox is closed; `cb` will not
 * run. UV_EINVAL: no callback, or unknown flags.
 */
UV_EXTERN int uvx_mailbox_call(struct uvx_mailbox_t* mailbox,
                               struct uvx_loop_call_t* call,
                               uvx_loop_call_cb cb,
                               unsigned int flags);

/**
 * A call there and back: `cb` runs on the mailbox's loop with status 0, then `reply_cb` on the loop
 * of `home`, with the same `call`. If the mailbox is closed first, `cb` does not run and `reply_cb`
 * gets UV_ECANCELED. `call` is the caller's again when `reply_cb` begins, which it does exactly
 * once: if `home` is closed, on the mailbox's thread and with UV_ESHUTDOWN, else with UV_ECANCELED
 * when `home` is closed later. `flags` are for the way there; the way back keeps no loop alive, so
 * that of `home` needs something else that does, such as an active handle, until the reply is
 * there. Otherwise as uvx_mailbox_call.
 */
UV_EXTERN int uvx_mailbox_call_reply(struct uvx_mailbox_t* mailbox,
                                     struct uvx_loop_call_t* call,
                                     uvx_loop_call_cb cb,
                                     struct uvx_mailbox_t* home,
                                     uvx_loop_call_cb reply_cb,
                                     unsigned int flags);

/**
 * As uvx_mailbox_call, with memory of its own: has the loop run `fn` with `arg` and 0, or with
 * UV_ECANCELED if it is closed first. Any thread. UV_ENOMEM too.
 */
UV_EXTERN int uvx_mailbox_call_copy(struct uvx_mailbox_t* mailbox,
                                    uvx_call_fn fn,
                                    void* arg,
                                    unsigned int flags);

/**
 * Has the loop run `fn` with `arg` and 0, and returns 0 after that. What `arg` leads to may lie on
 * the caller's stack. The loop stays alive for it.
 *
 * UV_ETIMEDOUT: the loop has not begun `fn` for `timeout_ns` (UVX_FOREVER: no limit), and never
 * will; once begun, it is waited for. UV_ECANCELED: the mailbox was closed first; UV_ESHUTDOWN: it
 * was closed before. `fn` has not run then, nor with any other error. UV_ENOMEM, UV_EINVAL.
 *
 * Any thread. On the loop's own thread `fn` runs at once, before calls that were posted earlier.
 * Two loops that wait for each other wait until their time is over.
 */
UV_EXTERN int uvx_mailbox_call_sync(struct uvx_mailbox_t* mailbox,
                                    uvx_call_fn fn,
                                    void* arg,
                                    uint64_t timeout_ns);

/**
 * Closes the mailbox: calls are refused with UV_ESHUTDOWN from now on. Those that wait have their
 * callbacks inside of this: with 0 if `run_pending` is not 0, else with UV_ECANCELED. References
 * stay valid, and have to be given up. uv_loop_close does this by itself. The thread of the
 * mailbox's loop: others get UV_EBUSY. UV_ESHUTDOWN: it was closed before.
 */
UV_EXTERN int uvx_mailbox_close(struct uvx_mailbox_t* mailbox, int run_pending);

/**
 * Sets what makes a busy loop look: `hook` runs with `arg`, on the thread that posts, when a call
 * with UVX_CALL_INTERRUPT comes; then not again until the loop has looked. NULL takes it away: when
 * this returns, the old one does not run any more. The loop's thread. UV_ENOMEM. UV_ESHUTDOWN: its
 * mailbox was closed.
 */
UV_EXTERN int uvx_loop_interrupt_hook(uv_loop_t* loop, uvx_interrupt_hook hook, void* arg);

/**
 * Runs the calls with UVX_CALL_INTERRUPT that wait, inside of this: for code that keeps its loop
 * busy for long. Says how many that were. The loop's thread.
 */
UV_EXTERN size_t uvx_loop_run_interrupts(uv_loop_t* loop);

/**
 * Opens the debug port: a thread of its own listens on a Unix socket (mode 0600) or a TCP port of
 * 127.0.0.1, and answers each connection with one JSON object about the loops, workers, pools and
 * locks of the process, also while those are busy or stuck. It takes no commands.
 * docs/uvx/debug_port.md has the fields; the program uvx-inspect shows them. `options` may be NULL.
 *
 * Without this call there is a port only if the environment says so when the first loop is made:
 * UVX_DEBUG_SOCKET is a path ("%p" in it stands for the process's number) or a port number (0:
 * any).
 *
 * Any thread. UV_EALREADY: there is a port, or it waits for its signal. UV_EADDRINUSE: somebody
 * listens there. UV_ENAMETOOLONG, UV_EINVAL, and what the system or uvx_io_thread_start says. After
 * fork(2) the child has no port, and may open its own.
 */
UV_EXTERN int uvx_debug_start(const struct uvx_debug_options_t* options);

/**
 * Closes the debug port, or no longer waits for its signal. Waits for an answer that is being sent,
 * a second at most. Any thread.
 */
UV_EXTERN void uvx_debug_stop(void);

/**
 * Where the debug port listens, as a string: a path, or "127.0.0.1:PORT". `size` is in bytes: in,
 * the room at `buffer`; out, the length without NUL, with UV_ENOBUFS what is needed with it.
 * UV_ENOENT: it does not listen. Any thread.
 */
UV_EXTERN int uvx_debug_address(char* buffer, size_t* size);

/**
 * Puts a value under a name, for the current environment: that of the worker whose thread this is,
 * or the common one of all other threads. A worker begins with a copy of the environment that
 * starts it, as it is then; what either sets later the other does not see. The name is copied; of
 * `value` a reference is taken; NULL takes away what is there. Any thread. UV_EINVAL without a
 * name, UV_ENOMEM.
 */
UV_EXTERN int uvx_env_data_set(const char* key, struct uvx_shared_buf_t* value);

/**
 * The value under a name in the current environment, with a reference for the caller:
 * uvx_shared_buf_unref. NULL: there is none. Any thread.
 */
UV_EXTERN struct uvx_shared_buf_t* uvx_env_data_get(const char* key);

/**
 * Starts a thread with a loop of its own, and waits until `init` has run there with `arg`. 0: the
 * thread runs its loop, also with nothing open on it, until uvx_io_thread_stop. All signals are
 * blocked on it. `options` may be NULL.
 *
 * On error there is no thread: what `init` returned. UV_EINVAL: no `init`, or options that make no
 * sense. UV_ENOMEM, UV_EMFILE, UV_ENFILE: no memory or descriptors for its loop. UV_EAGAIN: the
 * system has no more threads. Any thread. After fork(2) the child must not use it.
 */
UV_EXTERN int uvx_io_thread_start(struct uvx_io_thread_t** thread,
                                  uvx_io_thread_init init,
                                  void* arg,
                                  const struct uvx_io_thread_options_t* options);

/**
 * Has the thread run `fn` with `arg` and 0, or with UV_ECANCELED if it is killed first; in the
 * order of the calls. Any thread, the thread itself too. UV_ESHUTDOWN: uvx_io_thread_stop was
 * called; `fn` will not run. UV_EINVAL: no function. UV_ENOMEM.
 */
UV_EXTERN int uvx_io_thread_call(struct uvx_io_thread_t* thread, uvx_call_fn fn, void* arg);

/**
 * The mailbox of the thread's loop, for calls that need no memory, that wait, or that interrupt. It
 * is the thread's: who wants it longer takes a reference (uvx_mailbox_ref). Any thread.
 */
UV_EXTERN struct uvx_mailbox_t* uvx_io_thread_mailbox(struct uvx_io_thread_t* thread);

/**
 * Ends the thread in the way that `mode` says. A second call may turn UVX_IO_THREAD_DRAIN into
 * UVX_IO_THREAD_KILL. Does not wait; any thread, the thread itself too. UV_EALREADY: it was told so
 * before. UV_EINVAL: no such mode.
 */
UV_EXTERN int uvx_io_thread_stop(struct uvx_io_thread_t* thread, uvx_io_thread_mode mode);

/**
 * Waits until the thread has ended, for at most `timeout_ns` (UVX_FOREVER: without end), and frees
 * it. It does not end by itself: uvx_io_thread_stop. To be called once with success, by any thread
 * but itself (UV_EINVAL). UV_ETIMEDOUT: it is still there.
 */
UV_EXTERN int uvx_io_thread_join(struct uvx_io_thread_t* thread, uint64_t timeout_ns);

/**
 * Asks for the lock with that name, which holds for the whole process: one loop or thread has it,
 * or several that share it. Who asks first has it first. `flags`: 0, or UVX_LOCK_SHARED,
 * UVX_LOCK_IF_AVAILABLE, or UVX_LOCK_STEAL alone. The name is any string, and is copied.
 *
 * `granted` runs once, on the loop, never inside of this. 0: the lock is held, until
 * uvx_lock_release. UV_EAGAIN: it is not available, and UVX_LOCK_IF_AVAILABLE was asked for.
 * UV_ECANCELED: uvx_lock_cancel was called, the worker that has the loop ends, or the lock was
 * stolen before this could tell that it was there. With an error the lock is over.
 *
 * `lost` runs once, on the loop, with UV_ECANCELED, when somebody has stolen a lock that is held;
 * it is over then, and there is nothing to release. If that is called before `lost` has begun, that
 * does not run. It may be NULL: then a lock that was stolen is released like any other.
 *
 * The loop stays alive until `granted` has run; a lock that is held does not keep it alive. It
 * cannot be closed before the lock is over; a worker that ends cancels and releases all of its own.
 * The loop's thread.
 *
 * UV_EINVAL: no name, no `granted`, or flags that make no sense. UV_ESHUTDOWN: the worker that has
 * the loop ends. UV_ENOMEM.
 */
UV_EXTERN int uvx_lock_request(uv_loop_t* loop,
                               struct uvx_lock_t* lock,
                               const char* name,
                               unsigned int flags,
                               uvx_lock_cb granted,
                               uvx_lock_cb lost);

/**
 * As uvx_lock_request, for a thread without a loop: returns 0 when the lock is held. Nobody tells
 * such a thread that its lock was stolen: uvx_lock_is_held does. `flags`: 0, UVX_LOCK_SHARED or
 * UVX_LOCK_STEAL.
 *
 * UV_ETIMEDOUT: it was not to be had for `timeout_ns` (UVX_FOREVER: no limit; 0: this does not
 * wait). UV_EINVAL: no name, or flags that make no sense. UV_ENOMEM. With an error `lock` is the
 * caller's again.
 *
 * Any thread. One that waits for a lock that it holds itself, by another request or by its loop,
 * waits until its time is over.
 */
UV_EXTERN int uvx_lock_wait(struct uvx_lock_t* lock,
                            const char* name,
                            unsigned int flags,
                            uint64_t timeout_ns);

/**
 * Gives up a lock that is held: whoever is next has it. Then `lock` is the caller's again, and no
 * callback of it runs. 0 also if it was stolen, as long as `lost` has not begun. The loop's thread;
 * any thread for a lock of uvx_lock_wait.
 *
 * UV_EINVAL: it is not held: not yet granted, released before, lost, or the parent's in the child
 * after fork(2).
 */
UV_EXTERN int uvx_lock_release(struct uvx_lock_t* lock);

/**
 * Takes a request back: its `granted` runs with UV_ECANCELED, on the loop. This can be done until
 * `granted` begins; also if the lock has been granted by then: the next one gets it. The loop's
 * thread.
 *
 * UV_EBUSY: the lock is held. UV_EINVAL: it is over; it is not a loop's; or it is the parent's in
 * the child after fork(2).
 */
UV_EXTERN int uvx_lock_cancel(struct uvx_lock_t* lock);

/**
 * 1: the lock is held, which can change at any time if others steal; 0: it is not, or not yet. Any
 * thread, as long as the lock's memory is there.
 */
UV_EXTERN int uvx_lock_is_held(const struct uvx_lock_t* lock);

/**
 * Who holds the locks of the process, and who waits for them, at one moment: name by name, for each
 * name those who hold it and then those who wait, the next one first. A list of `count` entries, to
 * be given back by uvx_locks_free. Any thread. UV_ENOMEM.
 */
UV_EXTERN int uvx_locks_query(struct uvx_lock_info_t** list, size_t* count);

/**
 * Frees a list of uvx_locks_query. NULL is fine. Any thread.
 */
UV_EXTERN void uvx_locks_free(struct uvx_lock_info_t* list, size_t count);

/**
 * The sender's tag. Any thread that has a reference, or that was called back with the message; so
 * for the others below.
 */
UV_EXTERN uint64_t uvx_message_tag(const struct uvx_message_t* message);

/**
 * The payload, in one piece, at 16-byte alignment; alive as long as the message. It may be written
 * to by whoever has the message alone, unless it came through a group: then others may be reading
 * the same bytes.
 */
UV_EXTERN const uv_buf_t* uvx_message_data(const struct uvx_message_t* message);

/**
 * How many things were handed over with the message, taken ones included.
 */
UV_EXTERN int uvx_message_xfer_count(const struct uvx_message_t* message);

/**
 * Takes thing number `i`, counted from 0, out of the message: it is the caller's from now on, with
 * what that brings: a port has to be closed, memory given to its `free_cb` (unless that is NULL), a
 * shared buffer unreferenced, a descriptor closed. What nobody takes goes with the message.
 * UV_EINVAL if there are not so many, UV_EALREADY if it was taken. Nothing is written to `out`
 * then.
 */
UV_EXTERN int uvx_message_take(struct uvx_message_t* message,
                               unsigned int i,
                               struct uvx_xfer_t* out);

/**
 * One more reference: the message stays beyond its callback, or for another thread.
 */
UV_EXTERN void uvx_message_ref(struct uvx_message_t* message);

/**
 * Gives up a reference. With the last one goes the message, and all that was not taken from it.
 * NULL is fine.
 */
UV_EXTERN void uvx_message_unref(struct uvx_message_t* message);

/**
 * Makes a pool and starts its threads. `options` may be NULL. The caller has a reference to the
 * pool: uvx_pool_release, after uvx_pool_shutdown. Any thread.
 *
 * On error there is no pool, and no thread of it. UV_EINVAL: the options make no sense. UV_ENOMEM.
 * UV_EAGAIN: the system has no more threads. UV_EACCES, UV_EPERM: not with that priority.
 */
UV_EXTERN int uvx_pool_create(struct uvx_pool_t** pool, const struct uvx_pool_options_t* options);

/**
 * One more reference. Any thread that has one.
 */
UV_EXTERN void uvx_pool_ref(struct uvx_pool_t* pool);

/**
 * Gives up a reference. Does not end the threads: a pool that was not shut down keeps them, and
 * itself, until the process ends. NULL is fine. Any thread.
 */
UV_EXTERN void uvx_pool_release(struct uvx_pool_t* pool);

/**
 * Runs `work_cb` on a thread of the pool, then `done_cb`, which may be NULL, on the loop of `home`.
 * The loop stays alive until then, and cannot be closed. If `home` is NULL, no loop takes part:
 * `done_cb` runs on the pool's thread after `work_cb`, or, cancelled, on the thread that cancels.
 *
 * Any thread, also the pool's own. Waits for no work, nor for threads that are being started. On
 * error nothing was queued: UV_ESHUTDOWN: the pool is shut down, or the mailbox or its loop is
 * closed. UV_EINVAL: no `work_cb`, or no such priority.
 */
UV_EXTERN int uvx_pool_queue(struct uvx_pool_t* pool,
                             struct uvx_pool_work_t* work,
                             uvx_pool_work_cb work_cb,
                             uvx_priority priority,
                             struct uvx_mailbox_t* home,
                             uvx_pool_done_cb done_cb);

/**
 * Takes back work that no thread has begun: its `done_cb` runs with UV_ECANCELED, on its loop, or
 * without one inside of this. UV_EBUSY: it runs, or its `done_cb` does that has no loop.
 * UV_EALREADY: it ran, or was cancelled before. UV_EINVAL: it was queued to another pool. Any
 * thread. The memory of `work` must still be there.
 */
UV_EXTERN int uvx_pool_cancel(struct uvx_pool_t* pool, struct uvx_pool_work_t* work);

/**
 * How many threads the pool is to have, 1 to 1024. New ones are there when this returns; those that
 * are too many end when they have done what they are doing. Any thread. On error nothing has
 * changed: UV_EINVAL, UV_ESHUTDOWN, and as for uvx_pool_create.
 */
UV_EXTERN int uvx_pool_set_size(struct uvx_pool_t* pool, unsigned int threads);

/**
 * What the pool does and has done. Any thread. UV_EINVAL if `stats->size` is too small.
 */
UV_EXTERN int uvx_pool_stats(struct uvx_pool_t* pool, struct uvx_pool_stats_t* stats);

/**
 * Ends the pool: it takes nothing any more, what waits runs or is cancelled, as `mode` says, and
 * its threads end. 0: they have. What is cancelled and has no loop gets its UV_ECANCELED inside of
 * this.
 *
 * UV_ETIMEDOUT: threads are still busy after `timeout_ns` (UVX_FOREVER: no limit; 0: this does not
 * wait). The pool ends all the same when they are through; this can be called again, to wait longer
 * or, after UVX_SHUTDOWN_RUN_ALL, to drop what still waits.
 *
 * Any thread but the pool's own. UV_EINVAL: this is one of those, or there is no such mode; nothing
 * has changed.
 */
UV_EXTERN int uvx_pool_shutdown(struct uvx_pool_t* pool,
                                uvx_shutdown_mode mode,
                                uint64_t timeout_ns);

/**
 * As uv_queue_work, from any thread, such as in a `work_cb`: for the loop of `home`, which stays
 * alive until `after_work_cb` has run, and cannot be closed. uv_cancel is for the loop's thread as
 * ever. UV_ESHUTDOWN: the mailbox or its loop is closed. Else as uv_queue_work.
 */
UV_EXTERN int uvx_queue_work_from(struct uvx_mailbox_t* home,
                                  uv_work_t* req,
                                  uv_work_cb work_cb,
                                  uv_after_work_cb after_work_cb);

/**
 * Makes a channel and gives its two ports to the caller. What is posted to one is received from the
 * other. `options` may be NULL. Any thread. UV_EINVAL for options that make no sense, UV_ENOMEM.
 */
UV_EXTERN int uvx_message_channel_create(struct uvx_message_port_t** a,
                                         struct uvx_message_port_t** b,
                                         const struct uvx_message_channel_options_t* options);

/**
 * Posts a message to the other end, or to all others of its group (uvx_broadcast_open); never
 * waits. The payload is copied; what `xfers` lists belongs to the message from then on. On error
 * nothing was moved, and all is the caller's as before (see UVX_POST_CONSUME). A listed port leaves
 * its loop by itself, if this is the loop's thread; its unread messages go with it, while others go
 * on to post to it.
 *
 * Any thread. UV_EAGAIN: the channel is full. UV_EMSGSIZE: the payload never fits. UV_EPIPE: the
 * other end is closed. UV_EBADF: this port is closed, or a descriptor is none. UV_EALREADY: this
 * port, or a listed one, is inside a message already. UV_EINVAL: the description makes no sense, or
 * lists this port itself. UV_ELOOP: it lists the other end. UV_EEXIST: it lists something twice.
 * UV_EBUSY: another thread uses a listed port. UV_EPERM: a listed port must not be handed over.
 * UV_E2BIG: more than UVX_XFER_MAX things. UV_ENOTSUP: several ports of a group cannot all have
 * what is listed. UV_ENOMEM.
 */
UV_EXTERN int uvx_message_port_post(struct uvx_message_port_t* port,
                                    const struct uvx_message_desc_t* desc);

/**
 * Posts `n` messages, in order, with a single hand-over (in a group, one after the other). Ends at
 * the first that fails, with its error; those before it are posted. How many that are goes to
 * `done`, unless it is NULL; those behind the one that failed were not looked at. All descriptions
 * have the size of the first. Any thread.
 */
UV_EXTERN int uvx_message_port_post_many(struct uvx_message_port_t* port,
                                         const struct uvx_message_desc_t* descs,
                                         size_t n,
                                         size_t* done);

/**
 * Posts a message; while the channel is full, waits until fewer than `low_water` messages are left.
 * UV_ETIMEDOUT after `timeout_ns` (UVX_FOREVER: never). UV_EINTR: it is the port of a worker that
 * was stopped, and would have to wait. Not on the thread that has to read the messages. Any thread.
 */
UV_EXTERN int uvx_message_port_post_wait(struct uvx_message_port_t* port,
                                         const struct uvx_message_desc_t* desc,
                                         uint64_t timeout_ns);

/**
 * Takes the oldest message from the port's inbox; it goes to `out`, and its reference is the
 * caller's: uvx_message_unref. Waits for one for at most `timeout_ns`; 0: not at all, UVX_FOREVER:
 * without end. Works on stopped and on started ports, inside callbacks too. A thread must not wait
 * for what its own loop would have to post.
 *
 * The port's owner. UV_EAGAIN: nothing is there (timeout 0). UV_ETIMEDOUT. UV_EINTR:
 * uvx_message_port_interrupt was called. UV_EOF: the other end is closed, and all was read, or does
 * not matter (UVX_PORT_CLOSE_NOW). UV_EBADF: this port is closed. UV_EBUSY: another thread has the
 * port.
 */
UV_EXTERN int uvx_message_port_receive(struct uvx_message_port_t* port,
                                       struct uvx_message_t** out,
                                       uint64_t timeout_ns);

/**
 * Makes the running uvx_message_port_receive return UV_EINTR, or if there is none, the next one.
 * Any thread. Always 0.
 */
UV_EXTERN int uvx_message_port_interrupt(struct uvx_message_port_t* port);

/**
 * Closes the port. The other end receives all that was posted to it, and then hears UV_EOF; a group
 * goes on without the port. What is unread here is destroyed, unless `flags` has
 * UVX_PORT_CLOSE_FLUSH. `cb`, which may be NULL, gets 0; the port is gone when it returns.
 *
 * For an attached port `cb` runs on its loop after this call, and until then other threads may
 * still call functions of the port, most of which say UV_EBADF. A port that is not attached is gone
 * when this returns; `cb` runs before.
 *
 * The port's owner. UV_EBADF: it is closed already. UV_EBUSY: another thread has it. UV_EALREADY:
 * it is inside a message. UV_EINVAL: unknown flags, or UVX_PORT_CLOSE_FLUSH without a callback that
 * could get the messages.
 */
UV_EXTERN int uvx_message_port_close(struct uvx_message_port_t* port,
                                     unsigned int flags,
                                     uvx_message_port_event_cb cb);

/**
 * What went through the port's inbox. Any thread. UV_EINVAL if `stats->size` is too small.
 */
UV_EXTERN int uvx_message_port_stats(struct uvx_message_port_t* port,
                                     struct uvx_message_port_stats_t* stats);

/**
 * The port cannot be handed over any more: a post that lists it says UV_EPERM. The port's owner.
 * UV_EBUSY: another thread has it. UV_EBADF, UV_EALREADY as for uvx_message_port_close.
 */
UV_EXTERN int uvx_message_port_forbid_transfer(struct uvx_message_port_t* port);

/**
 * Sets a pointer for the program's own use; it is NULL at first, and again for a port that was
 * taken out of a message. Any thread.
 */
UV_EXTERN void uvx_message_port_set_data(struct uvx_message_port_t* port, void* data);

/**
 * The pointer of uvx_message_port_set_data. Any thread.
 */
UV_EXTERN void* uvx_message_port_get_data(const struct uvx_message_port_t* port);

/**
 * The loop that the port is attached to, or NULL. The port's owner.
 */
UV_EXTERN uv_loop_t* uvx_message_port_loop(const struct uvx_message_port_t* port);

/**
 * Opens a port in the group called `name`, which begins with its first port and is gone with its
 * last: what is posted to one port of the group arrives at all others that are open then, whatever
 * thread they belong to. In every other respect it is a port like that of a channel, and is closed
 * in the same way; the others do not hear of that, so there is no end, and no UV_EOF. Names are
 * those of the process. `options` may be NULL; they bound what is unread at this port alone.
 *
 * What one thread posts from a port arrives in that order everywhere; what different threads or
 * ports post may arrive in different orders. A post to a group without other ports succeeds, and
 * what it hands over is destroyed. With several other ports it can hand over shared buffers only,
 * of which each gets a reference: UV_ENOTSUP. If one of them is full, the post fails with UV_EAGAIN
 * and none gets the message: who opens a port with bounds can hold the others up. Each thread
 * should have a port of its own: posts from one port wait for each other, and for ports that are
 * being opened and closed.
 *
 * Any thread. UV_EINVAL: no name, or options that make no sense. UV_ENOMEM.
 */
UV_EXTERN int uvx_broadcast_open(struct uvx_message_port_t** port,
                                 const char* name,
                                 const struct uvx_message_channel_options_t* options);

/**
 * Attaches the port to a loop: from now on its messages go to `message_cb`, once it is started.
 * `on_close`, which may be NULL, gets UV_EOF when the other end is closed (and all senders are
 * released) and all that was posted before has been delivered; the port then no longer keeps the
 * loop alive, and still has to be closed. A stopped port hears it when nothing is left to read.
 * `message_cb` may be NULL until a batch callback is set; without either the port cannot be
 * started.
 *
 * The loop's thread. UV_EBUSY: the port is attached already, or another thread has it. UV_EBADF: it
 * is closed. UV_EALREADY: it is inside a message.
 */
UV_EXTERN int uvx_message_port_attach(uv_loop_t* loop,
                                      struct uvx_message_port_t* port,
                                      uvx_message_cb message_cb,
                                      uvx_message_port_event_cb on_close);

/**
 * Takes the port from its loop, with all that is unread: any thread may attach it or receive from
 * it next. Callbacks are forgotten. UV_EINVAL: it is not attached. UV_EBUSY, UV_EBADF, UV_EALREADY
 * as for uvx_message_port_attach; so for all functions below.
 */
UV_EXTERN int uvx_message_port_detach(struct uvx_message_port_t* port);

/**
 * Messages are delivered from now on, beginning with those that wait. While it is started and
 * referenced, the port keeps its loop alive. UV_EINVAL: it is not attached, or has no callback.
 */
UV_EXTERN int uvx_message_port_start(struct uvx_message_port_t* port);

/**
 * No further message is delivered, not even the next of a batch; they wait. UV_EINVAL: the port is
 * not attached.
 */
UV_EXTERN int uvx_message_port_stop(struct uvx_message_port_t* port);

/**
 * The port keeps its loop alive while it is started; a port that was just attached does. UV_EINVAL:
 * it is not attached.
 */
UV_EXTERN int uvx_message_port_ref(struct uvx_message_port_t* port);

/**
 * The port does not keep its loop alive. UV_EINVAL: it is not attached.
 */
UV_EXTERN int uvx_message_port_unref(struct uvx_message_port_t* port);

/**
 * 1 if the port is attached and referenced, else 0.
 */
UV_EXTERN int uvx_message_port_has_ref(const struct uvx_message_port_t* port);

/**
 * How much one turn of the loop delivers at most: so many messages, and no more after so many ns; 0
 * stands for no bound. Without this call, a turn delivers what waits at its beginning, and up to
 * 1000 messages if that is more. UV_EINVAL: not attached.
 */
UV_EXTERN int uvx_message_port_set_budget(struct uvx_message_port_t* port,
                                          size_t max_messages,
                                          uint64_t max_ns);

/**
 * Messages go to `cb` from now on, up to 64 at a time, instead of the message callback; NULL: to
 * that one again. UV_EINVAL: the port is not attached, or would be left without a callback while it
 * is started.
 */
UV_EXTERN int uvx_message_port_set_batch_cb(struct uvx_message_port_t* port,
                                            uvx_message_batch_cb cb);

/**
 * Delivers all messages that wait now, before it returns, even if the port is stopped, whatever its
 * budget, and if the other end was closed with UVX_PORT_CLOSE_NOW. UV_EINVAL: the port is not
 * attached, or has no callback.
 */
UV_EXTERN int uvx_message_port_drain(struct uvx_message_port_t* port);

/**
 * Calls `cb` once, on the port's loop, when fewer than `low_water` messages wait at the other end:
 * with status 0, or with UV_EPIPE if the other end is closed; in a group, when there is such room
 * at every other port. Soon, if that is so already, unless a message was refused and the other end
 * has read none since. Another call replaces the callback, NULL takes it back. The port need not be
 * started. While the callback is to come, a referenced port keeps its loop alive. UV_EINVAL: the
 * port is not attached.
 */
UV_EXTERN int uvx_message_port_on_writable(struct uvx_message_port_t* port,
                                           uvx_message_port_event_cb cb);

/**
 * Makes a sender that posts to `port` itself (what its owner receives). It stays valid when the
 * port moves, and when it is closed. As long as a sender of it is left, a port does not hear that
 * its peer was closed: more may come. Each thread should have one of its own, which is faster than
 * sharing. Any thread that knows the port to be alive. UV_EBADF if it is closed, UV_EALREADY if it
 * is inside a message, UV_EPIPE if nobody is left who could post to it, UV_ENOMEM.
 */
UV_EXTERN int uvx_message_sender_create(struct uvx_message_port_t* port,
                                        struct uvx_message_sender_t** sender);

/**
 * Posts to the sender's port, as uvx_message_port_post does. Any thread, also several at once.
 * UV_EPIPE after the port was closed.
 */
UV_EXTERN int uvx_message_sender_post(struct uvx_message_sender_t* sender,
                                      const struct uvx_message_desc_t* desc);

/**
 * Gives up the sender. NULL is fine. Any thread, once nobody posts with it any more.
 */
UV_EXTERN void uvx_message_sender_release(struct uvx_message_sender_t* sender);

/**
 * Makes a shared buffer of `len` bytes of undefined content, at 16-byte alignment, with one
 * reference: the caller's. Any thread. UV_ENOMEM.
 */
UV_EXTERN int uvx_shared_buf_create(struct uvx_shared_buf_t** buf, size_t len);

/**
 * Makes a shared buffer of memory that is there already, with one reference: the caller's. `cb`,
 * which may be NULL, runs when the last one goes. UV_EINVAL if `base` is NULL and `len` is not 0.
 * UV_ENOMEM; then `cb` will not run. Any thread.
 */
UV_EXTERN int uvx_shared_buf_wrap(struct uvx_shared_buf_t** buf,
                                  void* base,
                                  size_t len,
                                  uvx_free_cb cb,
                                  void* arg);

/**
 * The memory; its length goes to `len` unless that is NULL. Who writes while others read has to
 * agree with them. Any thread.
 */
UV_EXTERN void* uvx_shared_buf_data(struct uvx_shared_buf_t* buf, size_t* len);

/**
 * One more reference. Any thread that has one.
 */
UV_EXTERN void uvx_shared_buf_ref(struct uvx_shared_buf_t* buf);

/**
 * Gives up a reference; with the last one goes the memory. NULL is fine. Any thread.
 */
UV_EXTERN void uvx_shared_buf_unref(struct uvx_shared_buf_t* buf);

/**
 * Starts a SIGINT watchdog: when SIGINT comes, `cb` runs with `arg` on the service thread, however
 * busy all other threads are. The watchdog that was started last is the first to see it; those
 * before it only if its callback returns UVX_SIGINT_CONTINUE. Without callback (NULL) a watchdog
 * only keeps the signal from ending the program, and lets it pass.
 *
 * The first watchdog installs the signal's handler (as uvx_sigwake_install does), the last one that
 * stops brings the disposition from before back. Any thread. UV_ENOMEM. UV_EAGAIN: the service
 * thread could not be started. After fork(2) the child has no watchdogs; stopping its copies is
 * allowed.
 */
UV_EXTERN int uvx_sigint_watchdog_start(struct uvx_sigint_watchdog_t* watchdog,
                                        uvx_sigint_cb cb,
                                        void* arg);

/**
 * Stops a SIGINT watchdog. Returns 1 if a SIGINT came that no callback has dealt with: there was
 * none, or all of them said UVX_SIGINT_CONTINUE, or it came too late for them. That is told once,
 * to whoever stops first after it came; the program may want to end, or to raise the signal again
 * when all are stopped. After this returns, the callback does not run and will not run: one that
 * runs is waited for, but not in the callback of a watchdog.
 *
 * Any thread, in any order. 0 for one that is not started.
 */
UV_EXTERN int uvx_sigint_watchdog_stop(struct uvx_sigint_watchdog_t* watchdog);

/**
 * Has `cb` run with `arg` on the service thread whenever `signum` comes, however busy all other
 * threads are. `signum` 0: only when uvx_sigwake_post is called. Several wakes and signal handles
 * (uv_signal_t) may have the same signal, and all are called.
 *
 * The signal's handler only makes a note; the thread that it interrupts goes on (SA_RESTART). What
 * the program had installed before is not called meanwhile, and comes back when the last wake is
 * removed, unless the program has installed something else since.
 *
 * When the handler is in place, the signal is unblocked on the calling thread. So a program that
 * must not die of an early signal blocks it first of all: one that came before is delivered now.
 *
 * Any thread. UV_EINVAL: no callback, or a signal that cannot be caught. UV_ENOMEM. UV_EAGAIN: the
 * service thread could not be started. On error nothing has changed: a blocked signal stays
 * blocked. After fork(2) the child has no wakes, and the dispositions from before; removing its
 * copies is allowed.
 */
UV_EXTERN int uvx_sigwake_install(int signum,
                                  uvx_sigwake_cb cb,
                                  void* arg,
                                  struct uvx_sigwake_t** wake);

/**
 * Removes a wake and frees it; NULL is fine. Returns 1 if a signal or a post came for which the
 * callback has not run and will not run, else 0. A callback that runs is waited for, but not in the
 * callback itself. Any thread; nobody may post to it meanwhile.
 */
UV_EXTERN int uvx_sigwake_remove(struct uvx_sigwake_t* wake);

/**
 * Has the wake's callback run. Any thread, and signal handlers: takes no lock, keeps errno. Several
 * posts may become one call, but a post that comes after the callback has begun is followed by
 * another one, which sees what the poster wrote before.
 */
UV_EXTERN void uvx_sigwake_post(struct uvx_sigwake_t* wake);

/**
 * Makes a task runner and starts its threads, as uvx_pool_create.
 */
UV_EXTERN int uvx_task_runner_create(struct uvx_task_runner_t** runner,
                                     const struct uvx_pool_options_t* options);

/**
 * One more reference. Any thread that has one.
 */
UV_EXTERN void uvx_task_runner_ref(struct uvx_task_runner_t* runner);

/**
 * Gives up a reference, as uvx_pool_release.
 */
UV_EXTERN void uvx_task_runner_release(struct uvx_task_runner_t* runner);

/**
 * The runner's pool, for uvx_pool_set_size, uvx_pool_stats and work of its own. It is the runner's:
 * whoever wants it longer takes a reference.
 */
UV_EXTERN struct uvx_pool_t* uvx_task_runner_pool(struct uvx_task_runner_t* runner);

/**
 * Runs `cb` on one of the runner's threads: before tasks of lower priority, after those of the same
 * that were posted before. Any thread, also the runner's own. Never waits. On error nothing was
 * posted: UV_ESHUTDOWN: the runner is shut down. UV_EINVAL: no `cb`, or no such priority.
 */
UV_EXTERN int uvx_task_runner_post(struct uvx_task_runner_t* runner,
                                   struct uvx_task_t* task,
                                   uvx_priority priority,
                                   uvx_task_cb cb);

/**
 * As uvx_task_runner_post, but the task is posted in `delay_ns`, not earlier. Tasks that are due at
 * the same time run in the order of the posts. 0: now.
 */
UV_EXTERN int uvx_task_runner_post_delayed(struct uvx_task_runner_t* runner,
                                           struct uvx_task_t* task,
                                           uvx_priority priority,
                                           uint64_t delay_ns,
                                           uvx_task_cb cb);

/**
 * Takes back a task that no thread has begun: its callback runs inside of this, with UV_ECANCELED.
 * UV_EBUSY: it runs, maybe right here. UV_EALREADY: it ran, or was cancelled before. UV_EINVAL: it
 * was posted to another runner. Any thread. The task's memory must still be there.
 */
UV_EXTERN int uvx_task_runner_cancel(struct uvx_task_runner_t* runner, struct uvx_task_t* task);

/**
 * Waits until no task of the priority `at_least` or above waits or runs, those included that are
 * posted meanwhile. Tasks that are not due yet do not count.
 *
 * If `pump` is not NULL, that loop runs turns meanwhile, as if in uv_run, so that tasks may wait
 * for what they post to it; the wait is then over when also no posted call (uvx_mailbox_call) waits
 * for the loop. On the loop's thread, and not inside of one of its callbacks. UV_EINTR: uv_stop was
 * called; it also ends the uv_run to come.
 *
 * Any thread but the runner's own. UV_ETIMEDOUT: after `timeout_ns` (UVX_FOREVER: no limit; 0: this
 * only looks). UV_EINVAL: this is a thread of the runner, or there is no such priority.
 */
UV_EXTERN int uvx_task_runner_drain(struct uvx_task_runner_t* runner,
                                    uvx_priority at_least,
                                    uint64_t timeout_ns,
                                    uv_loop_t* pump);

/**
 * Ends the runner, as uvx_pool_shutdown: tasks that are dropped get their UV_ECANCELED inside of
 * this, once each; so do delayed tasks that are not due yet, whatever the mode.
 */
UV_EXTERN int uvx_task_runner_shutdown(struct uvx_task_runner_t* runner,
                                       uvx_shutdown_mode mode,
                                       uint64_t timeout_ns);

/**
 * The byte of a category: not 0 while somebody wants its events. Programs keep the address, which
 * stays valid for good, and look at the byte before they do anything for an event (UVX_TRACE_ON).
 * `name` is copied; with commas in it, it stands for several names, and is on when one of them is.
 * The library's own category is "uv".
 *
 * Any thread. Without memory, and for NULL, this is a byte that is always 0.
 */
UV_EXTERN const uint8_t* uvx_trace_category(const char* name);

/**
 * Adds an event of now to the calling thread's buffer; does nothing if the category is off. Takes
 * no lock, does not wait (but with UVX_TRACE_BLOCK), and needs memory for a thread's first event
 * only.
 *
 * `category` comes from uvx_trace_category. `phase` is what the Chrome trace format calls so: 'B'
 * and 'E' for the beginning and the end of something on this thread; 'b', 'n' and 'e' for something
 * with an `id` that may go from thread to thread; 's', 't', 'f' for an arrow; 'i' for a moment; 'C'
 * for counters, whose values are the arguments; 'N', 'O', 'D' for the life of an object; 'R' for a
 * mark; 'S', 'T', 'p', 'F'. An `id` of 0 is none. `args` are copied, but the strings that `name`
 * and they lead to are not: those have to stay until they are written, unless `flags` says
 * UVX_TRACE_COPY.
 *
 * Any thread, no signal handler. UV_EAGAIN: the event was dropped, for lack of room or because this
 * is the agent's thread; it was counted. UV_ENOMEM: the same for lack of memory. UV_E2BIG: it has
 * more arguments than uvx_trace_options_t allows, or is larger than a buffer, or than 512 KiB.
 * UV_EINVAL: no name, no `args` although there should be some, or unknown phase or flags.
 */
UV_EXTERN int uvx_trace_event(const uint8_t* category,
                              char phase,
                              const char* name,
                              uint64_t id,
                              unsigned int nargs,
                              const struct uvx_trace_arg_t* args,
                              unsigned int flags);

/**
 * Adds an event that began at `start_ns` (uv_hrtime) and ends now: one instead of 'B' and 'E',
 * phase 'X'. Otherwise as uvx_trace_event.
 */
UV_EXTERN int uvx_trace_complete(const uint8_t* category,
                                 const char* name,
                                 uint64_t start_ns,
                                 unsigned int nargs,
                                 const struct uvx_trace_arg_t* args,
                                 unsigned int flags);

/**
 * Starts the process's agent, which writes what is traced, on a thread of its own that takes no
 * signals. All categories are off until uvx_trace_enable. `options` may be NULL. Any thread.
 *
 * Files are made with the first event in them, readable by all (0644). A regular file is valid JSON
 * after each flush, also if the process is then killed. What cannot be written is lost, and
 * counted; the callback and the next uvx_trace_flush are told; the next flush tries again. A name
 * of a pipe that nobody reads is such an error, too.
 *
 * UV_EBUSY: there is an agent already. UV_EINVAL: the options make no sense. UV_ENOMEM, UV_EAGAIN:
 * no memory, no thread. The child after fork has no agent: there all categories are off, the
 * parent's agent must not be used (UV_ESHUTDOWN), and another may be started.
 */
UV_EXTERN int uvx_trace_agent_start(struct uvx_trace_agent_t** agent,
                                    const struct uvx_trace_options_t* options);

/**
 * Wants the categories in `categories`, with commas between them: names, or beginnings of names
 * with a '*' behind. That is counted for each `client`, an address that stands for whoever asks
 * (NULL is one, too): what was enabled twice has to be disabled twice. A category is on while
 * anybody wants it. Others that trace meanwhile are not disturbed. Any thread.
 *
 * UV_EINVAL: there is no name in it. UV_ENOMEM, with nothing changed. UV_ESHUTDOWN: the agent is
 * being stopped.
 */
UV_EXTERN int uvx_trace_enable(struct uvx_trace_agent_t* agent,
                               const void* client,
                               const char* categories);

/**
 * The opposite of uvx_trace_enable, with the same names; NULL stands for all that the client wants.
 * What was traced before is written. Any thread. UV_ENOENT: the client does not want one of them
 * (or any); nothing has changed. UV_EINVAL: there is no name in it.
 */
UV_EXTERN int uvx_trace_disable(struct uvx_trace_agent_t* agent,
                                const void* client,
                                const char* categories);

/**
 * Writes what is enabled to `buffer`, each once and with commas between them. `size` is the size of
 * the buffer, and then the length of the text. UV_ENOBUFS: it is too small; `size` is then what it
 * takes, with the NUL. Any thread.
 */
UV_EXTERN int uvx_trace_enabled(struct uvx_trace_agent_t* agent, char* buffer, size_t* size);

/**
 * Waits until all is written that was traced before, by this thread and by all that it knows to be
 * done. Returns the first error since the last time: then events were lost. UV_ETIMEDOUT: it is not
 * written after `timeout_ns` (UVX_FOREVER: no limit), but will be. UV_EINVAL: this is the agent's
 * thread. Any thread.
 */
UV_EXTERN int uvx_trace_flush(struct uvx_trace_agent_t* agent, uint64_t timeout_ns);

/**
 * Switches all categories off, writes what was traced before, ends the file, and the agent. What
 * other threads trace at the same time may be missing. Buffers of threads go with their threads, or
 * when they trace for another agent. One thread, once.
 *
 * 0: the agent is gone. 1: it is, but since the last uvx_trace_flush something could not be
 * written. With an error it is not: UV_ETIMEDOUT: it takes no events any more, but has not finished
 * after `timeout_ns` (UVX_FOREVER: no limit); this has to be called again. UV_EINVAL, UV_ESHUTDOWN:
 * this is the agent's thread, or the child after fork; nothing has changed.
 */
UV_EXTERN int uvx_trace_agent_stop(struct uvx_trace_agent_t* agent, uint64_t timeout_ns);

/**
 * How much was written, and how much was not. Any thread. UV_EINVAL if `stats->size` is too small.
 */
UV_EXTERN int uvx_trace_stats(struct uvx_trace_agent_t* agent, struct uvx_trace_stats_t* stats);

/**
 * The version of this library in one number, 8 bits for each part: 1.2.3 is 0x010203. uv_version is
 * that of the interface.
 */
UV_EXTERN unsigned int uvx_version(void);

/**
 * The version of this library as text, such as "1.2.3". Static.
 */
UV_EXTERN const char* uvx_version_string(void);

/**
 * Starts a watchdog: unless uvx_watchdog_stop comes first, `cb` runs with `arg` on the service
 * thread, `timeout_ns` from now at the earliest, as the monotonic clock has it. 0: at once;
 * UVX_FOREVER: never, until uvx_watchdog_reset says otherwise. Starting and stopping is cheap (some
 * 100 ns): no system call as a rule, no memory. Any number may be started at once, nested or not.
 *
 * The watchdog must not be started already. Any thread. UV_EINVAL: no callback. UV_EAGAIN,
 * UV_ENOMEM: the service thread could not be started; the watchdog is not started then.
 *
 * After fork(2) the child's copies of started watchdogs never fire; stopping them is allowed.
 */
UV_EXTERN int uvx_watchdog_start(struct uvx_watchdog_t* watchdog,
                                 uint64_t timeout_ns,
                                 uvx_watchdog_cb cb,
                                 void* arg);

/**
 * Starts a watchdog's time anew: `timeout_ns` from now. One that has fired will fire again; a
 * callback may do this to its own watchdog. Returns 1 if it has fired since it was started, else 0.
 * Any thread. UV_EINVAL: it is not started, or is being stopped.
 */
UV_EXTERN int uvx_watchdog_reset(struct uvx_watchdog_t* watchdog, uint64_t timeout_ns);

/**
 * Stops a watchdog. Returns 1 if it has fired since it was started, 0 if it has not. After this
 * returns, its callback does not run and will not run, and the memory is the program's: a callback
 * that runs is waited for, so do not hold a lock that it may want. In the watchdog's own callback
 * this does not wait, of course; then the callback may free the memory.
 *
 * Any thread, not only the one that has started it; one at a time. A watchdog that is not started:
 * 0, if its memory is zeroed or it was started once.
 */
UV_EXTERN int uvx_watchdog_stop(struct uvx_watchdog_t* watchdog);

/**
 * Starts a thread with a loop of its own and a channel to this one. `options` and `exit_cb` may be
 * NULL. When this returns, the worker's port can be posted to; what is posted before the worker
 * runs waits for it. `worker` is written before the thread runs.
 *
 * The worker belongs to the loop that started it: `exit_cb` runs there, once, when the worker has
 * ended for whatever reason. Until then the worker keeps the loop alive (unless uvx_worker_unref),
 * and uv_loop_close says UV_EBUSY.
 *
 * The loop's thread. On error there is no worker, nothing was moved, and `exit_cb` will not run:
 * UV_EINVAL: the options make no sense. UV_ENOMEM, UV_EMFILE, UV_ENFILE: no memory or descriptors
 * for its loop. UV_EAGAIN: the system has no more threads. What uvx_message_port_post says of
 * `first_message`.
 */
UV_EXTERN int uvx_worker_start(uv_loop_t* loop,
                               struct uvx_worker_t** worker,
                               uvx_worker_entry entry,
                               const struct uvx_worker_options_t* options,
                               uvx_worker_exit_cb exit_cb);

/**
 * The parent's end of the channel to the worker. Any thread may post to it while the worker is
 * alive; attaching and the rest is for the loop's thread. The port is the worker's: it is closed
 * after the exit callback, unless the program did so before, and it cannot be handed over
 * (UV_EPERM). See uvx_worker_take_port.
 *
 * If it is attached when the worker exits, all messages are delivered before the exit callback,
 * then UV_EOF to its on_close callback, even if it is stopped. If not, they can still be received
 * in the exit callback.
 */
UV_EXTERN struct uvx_message_port_t* uvx_worker_port(struct uvx_worker_t* worker);

/**
 * As uvx_worker_port, but from now on the port is the caller's: it can be handed over and used by
 * any thread, and has to be closed. The loop's thread.
 */
UV_EXTERN struct uvx_message_port_t* uvx_worker_take_port(struct uvx_worker_t* worker);

/**
 * The mailbox of the worker's own loop, for uvx_mailbox_call_sync and others. It is the worker's:
 * who wants it longer takes a reference (uvx_mailbox_ref). Any thread.
 */
UV_EXTERN struct uvx_mailbox_t* uvx_worker_mailbox(struct uvx_worker_t* worker);

/**
 * Ends the worker: its loop stops after the callback that is running, a wait in
 * uvx_message_port_receive or uvx_message_port_post_wait for its own port returns UV_EINTR, its
 * interrupt hook runs. It cleans up, and exits with UVX_WORKER_STOPPED and this code; if it has not
 * begun yet, its entry is not called. Code that does not return cannot be ended: it has to ask
 * uvx_worker_stopping.
 *
 * Any thread, also in the worker itself; does not wait. 0: this decided how the worker ends.
 * UV_EALREADY: that was decided before.
 */
UV_EXTERN int uvx_worker_stop(struct uvx_worker_t* worker, int code);

/**
 * Stops all workers of the loop with this code and references them, so that uv_run goes on until
 * their exit callbacks have run; after that the loop can be closed. The loop's thread.
 */
UV_EXTERN void uvx_workers_stop_all(uv_loop_t* loop, int code);

/**
 * Has the worker run `cb` with `call` on its thread, before all else that waits there
 * (UVX_CALL_INTERRUPT), and triggers its interrupt hook; a busy worker may run it by
 * uvx_loop_run_interrupts. Then `reply_cb`, unless it is NULL, runs with `call` on the loop that
 * started the worker: with 0, or with UV_ECANCELED if the worker ended first, and `cb` did not run.
 * Without `reply_cb` it is `cb` that gets UV_ECANCELED, on the worker's thread. Any thread. As for
 * uvx_mailbox_call_reply; UV_ESHUTDOWN: the worker has ended.
 */
UV_EXTERN int uvx_worker_interrupt(struct uvx_worker_t* worker,
                                   struct uvx_loop_call_t* call,
                                   uvx_loop_call_cb cb,
                                   uvx_loop_call_cb reply_cb);

/**
 * Waits until the worker has ended: its loop is closed, and none of its code runs any more. The
 * exit callback comes from the loop all the same, after this. UV_ETIMEDOUT after `timeout_ns`
 * (UVX_FOREVER: never). UV_EINVAL in the worker itself. Any thread, also several.
 */
UV_EXTERN int uvx_worker_join(struct uvx_worker_t* worker, uint64_t timeout_ns);

/**
 * The worker keeps its loop alive until it has exited; a new one does. The loop's thread.
 */
UV_EXTERN void uvx_worker_ref(struct uvx_worker_t* worker);

/**
 * The worker does not keep its loop alive. The loop's thread.
 */
UV_EXTERN void uvx_worker_unref(struct uvx_worker_t* worker);

/**
 * 1 if the worker is referenced, else 0. The loop's thread.
 */
UV_EXTERN int uvx_worker_has_ref(const struct uvx_worker_t* worker);

/**
 * Keeps the worker's memory beyond its exit callback, so that other threads may use the functions
 * for any thread; once for each uvx_worker_release. Any thread that knows it to be alive.
 */
UV_EXTERN void uvx_worker_retain(struct uvx_worker_t* worker);

/**
 * The opposite of uvx_worker_retain. NULL is fine. Any thread.
 */
UV_EXTERN void uvx_worker_release(struct uvx_worker_t* worker);

/**
 * What can be said of the worker now. Any thread. UV_EINVAL if `info->size` is too small.
 */
UV_EXTERN int uvx_worker_info(struct uvx_worker_t* worker, struct uvx_worker_info_t* info);

/**
 * `data` of the worker's options. Any thread.
 */
UV_EXTERN void* uvx_worker_data(const struct uvx_worker_t* worker);

/**
 * The worker whose thread this is, or NULL.
 */
UV_EXTERN struct uvx_worker_ctx_t* uvx_worker_current(void);

/**
 * The worker's loop. The library runs it when the entry has returned, and closes it; the program
 * may also run it itself. uv_stop, by the worker itself, ends the worker as if nothing kept the
 * loop alive.
 */
UV_EXTERN uv_loop_t* uvx_worker_ctx_loop(struct uvx_worker_ctx_t* ctx);

/**
 * The worker's end of the channel to the loop that started it, not attached yet. It is the
 * worker's: it is closed at the end, unless the program did so before, and it cannot be handed over
 * (UV_EPERM). If it is attached and started, it keeps the worker alive until it hears UV_EOF: the
 * parent has closed its end; or is stopped, or unreferenced.
 */
UV_EXTERN struct uvx_message_port_t* uvx_worker_ctx_port(struct uvx_worker_ctx_t* ctx);

/**
 * `data` of the worker's options.
 */
UV_EXTERN void* uvx_worker_ctx_data(struct uvx_worker_ctx_t* ctx);

/**
 * The worker's number; see uvx_worker_info_t.
 */
UV_EXTERN uint64_t uvx_worker_ctx_id(struct uvx_worker_ctx_t* ctx);

/**
 * Ends the worker with UVX_WORKER_EXITED and this code, unless it is decided already how it ends.
 * It returns: the loop stops after the callback that is running, or is not run if this is the
 * entry.
 */
UV_EXTERN void uvx_worker_exit(struct uvx_worker_ctx_t* ctx, int code);

/**
 * 1 if it is decided that the worker ends, by itself or by uvx_worker_stop: busy code should return
 * soon. Cheap: one load. Any thread that the worker has given its `ctx` to, and that it waits for.
 */
UV_EXTERN int uvx_worker_stopping(struct uvx_worker_ctx_t* ctx);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UVX_H */
