/* The extension: message ports. Made by tools/headers.sh from src/abi/uvx_*.rs and src/ffi/uvx_*.rs.
 *
 * A channel has two ports: what is posted to one arrives at the other, in order. Any thread may
 * post, without waiting and without a system call unless the reader sleeps. A port belongs to one
 * owner at a time: the loop that it is attached to, or the thread that uses it. It can be handed
 * over to another thread inside a message, with all that is unread, while others go on posting to
 * it.
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
 * Functions return 0 or a negative UV_E* code. After an error nothing has changed. All structs that
 * the program fills in begin with their size, so that programs and libraries of different age
 * understand each other.
 *
 * Threads: what the comments call "any thread" may be called from all threads at once (not from
 * signal handlers), as long as the object is alive. A port is alive until its close callback has
 * returned, or if it is not attached, until uvx_message_port_close is called: a thread that cannot
 * know uses a sender of its own. All else is the owner's, and says UV_EBUSY when another thread has
 * the port. After fork(2) the child must not use the parent's ports.
 *
 * An attached port is no handle: uv_walk does not show it. uv_loop_close says UV_EBUSY while a port
 * is attached. Ports that are only in each other's inboxes cannot be reached any more, and are
 * never freed.
 */

#ifndef UVX_H
#define UVX_H

#include "uv.h"

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
 * Counted, shared memory.
 */
typedef struct uvx_shared_buf_t uvx_shared_buf_t;

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

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The sender's tag. Any thread that has a reference, or that was called back with the message; so
 * for the others below.
 */
UV_EXTERN uint64_t uvx_message_tag(const struct uvx_message_t* message);

/**
 * The payload, in one piece, at 16-byte alignment; alive as long as the message. It may be written
 * to by whoever has the message alone.
 */
UV_EXTERN const uv_buf_t* uvx_message_data(const struct uvx_message_t* message);

/**
 * How many things were handed over with the message, taken ones included.
 */
UV_EXTERN int uvx_message_xfer_count(const struct uvx_message_t* message);

/**
 * Takes thing number `i`, counted from 0, out of the message: it is the caller's from now on, with
 * what that brings: a port has to be closed, memory freed by its `free_cb`, a shared buffer
 * unreferenced, a descriptor closed. What nobody takes goes with the message. UV_EINVAL if there
 * are not so many, UV_EALREADY if it was taken. Nothing is written to `out` then.
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
 * Makes a channel and gives its two ports to the caller. What is posted to one is received from the
 * other. `options` may be NULL. Any thread. UV_EINVAL for options that make no sense, UV_ENOMEM.
 */
UV_EXTERN int uvx_message_channel_create(struct uvx_message_port_t** a,
                                         struct uvx_message_port_t** b,
                                         const struct uvx_message_channel_options_t* options);

/**
 * Posts a message to the other end; never waits. The payload is copied; what `xfers` lists belongs
 * to the message from then on. On error nothing was moved, and all is the caller's as before (see
 * UVX_POST_CONSUME). A listed port leaves its loop by itself, if this is the loop's thread; its
 * unread messages go with it, while others go on to post to it.
 *
 * Any thread. UV_EAGAIN: the channel is full. UV_EMSGSIZE: the payload never fits. UV_EPIPE: the
 * other end is closed. UV_EBADF: this port is closed, or a descriptor is none. UV_EALREADY: this
 * port, or a listed one, is inside a message already. UV_EINVAL: the description makes no sense, or
 * lists this port itself. UV_ELOOP: it lists the other end. UV_EEXIST: it lists something twice.
 * UV_EBUSY: another thread uses a listed port. UV_E2BIG: more than UVX_XFER_MAX things. UV_ENOMEM.
 */
UV_EXTERN int uvx_message_port_post(struct uvx_message_port_t* port,
                                    const struct uvx_message_desc_t* desc);

/**
 * Posts `n` messages, in order, with a single hand-over. Ends at the first that fails, with its
 * error; those before it are posted. How many that are goes to `done`, unless it is NULL; those
 * behind the one that failed were not looked at. All descriptions have the size of the first. Any
 * thread.
 */
UV_EXTERN int uvx_message_port_post_many(struct uvx_message_port_t* port,
                                         const struct uvx_message_desc_t* descs,
                                         size_t n,
                                         size_t* done);

/**
 * Posts a message; while the channel is full, waits until fewer than `low_water` messages are left.
 * UV_ETIMEDOUT after `timeout_ns` (UVX_FOREVER: never). Not on the thread that has to read the
 * messages. Any thread.
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
 * uvx_message_port_interrupt was called. UV_EOF: the other end is closed, and all was read.
 * UV_EBADF: this port is closed. UV_EBUSY: another thread has the port.
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
 * Closes the port. The other end receives all that was posted to it, and then hears UV_EOF. What is
 * unread here is destroyed, unless `flags` has UVX_PORT_CLOSE_FLUSH. `cb`, which may be NULL, gets
 * 0; the port is gone when it returns.
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
 * Sets a pointer for the program's own use; it is NULL at first, and again for a port that was
 * taken out of a message.
 */
UV_EXTERN void uvx_message_port_set_data(struct uvx_message_port_t* port, void* data);

/**
 * The pointer of uvx_message_port_set_data.
 */
UV_EXTERN void* uvx_message_port_get_data(const struct uvx_message_port_t* port);

/**
 * The loop that the port is attached to, or NULL. The port's owner.
 */
UV_EXTERN uv_loop_t* uvx_message_port_loop(const struct uvx_message_port_t* port);

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
 * Delivers all messages that wait now, before it returns, even if the port is stopped, and whatever
 * its budget. UV_EINVAL: the port is not attached, or has no callback.
 */
UV_EXTERN int uvx_message_port_drain(struct uvx_message_port_t* port);

/**
 * Calls `cb` once, on the port's loop, when fewer than `low_water` messages wait at the other end:
 * with status 0, or with UV_EPIPE if the other end is closed. Soon, if that is so already. Another
 * call replaces the callback, NULL takes it back. While it is to come, a referenced port keeps its
 * loop alive. UV_EINVAL: the port is not attached.
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
 * The version of this library in one number, 8 bits for each part: 1.2.3 is 0x010203. uv_version is
 * that of the interface.
 */
UV_EXTERN unsigned int uvx_version(void);

/**
 * The version of this library as text, such as "1.2.3". Static.
 */
UV_EXTERN const char* uvx_version_string(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UVX_H */
