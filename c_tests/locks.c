/* Named locks (docs/uvx/locks.md), as one thread sees them. */
#include "locks.h"

TEST(a_lock_is_granted_and_released) {
  lock_t a;
  set_up();
  request(&a, "a", "name", 0);
  CHECK_LOG(""); /* never inside of the call */
  CHECK_EQ(uvx_lock_release(&a), UV_EINVAL);
  run_loop();
  CHECK_LOG("a");
  CHECK_EQ(uvx_lock_is_held(&a), 1);
  release(&a);
  CHECK_EQ(uvx_lock_release(&a), UV_EINVAL);
  CHECK_EQ(uvx_lock_cancel(&a), UV_EINVAL);
  tear_down();
}

TEST(who_asks_first_has_it_first) {
  lock_t a, b, c;
  set_up();
  request(&a, "a", "name", 0);
  request(&b, "b", "name", 0);
  request(&c, "c", "name", 0);
  turn();
  CHECK_LOG("a");
  release(&a);
  CHECK_LOG("");
  request(&a, "again", "name", 0);
  turn();
  CHECK_LOG("b");
  release(&b);
  turn();
  CHECK_LOG("c");
  release(&c);
  turn();
  CHECK_LOG("again");
  release(&a);
  tear_down();
}

/* Any string is a name; the caller's may go at once. */
TEST(names_are_apart) {
  enum { MANY = 2000 };
  static lock_t locks[MANY + 8];
  static const char* const names[] = {"", "-", "-x", "name", "nam", "name ", "Name"};
  char long_name[3000], name[16];
  set_up();
  memset(long_name, 'n', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  for (int i = 0; i < 7; i++) request(&locks[i], "", names[i], 0);
  request(&locks[7], "", long_name, 0);
  memset(long_name, 0, sizeof long_name);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof name, "%d", i);
    request(&locks[8 + i], "", name, 0);
  }
  run_loop();
  CHECK_EQ(entries(), MANY + 8);
  for (int i = 0; i < MANY + 8; i++) release(&locks[(i * 7) % (MANY + 8)]);
  tear_down();
}

/* A run of shared requests at the head is granted together; one behind a request for it alone waits. */
TEST(shared_ones_are_granted_together) {
  lock_t a, b, c, d, e;
  set_up();
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", UVX_LOCK_SHARED);
  request(&c, "C", "name", 0);
  request(&d, "d", "name", UVX_LOCK_SHARED);
  request(&e, "e", "name", UVX_LOCK_SHARED);
  turn();
  CHECK_LOG("a,b");
  release(&b);
  turn();
  CHECK_LOG("");
  release(&a);
  turn();
  CHECK_LOG("C");
  release(&c);
  turn();
  CHECK_LOG("d,e");
  request(&a, "a", "name", UVX_LOCK_SHARED); /* nobody waits before it */
  turn();
  CHECK_LOG("a");
  release(&e);
  release(&a);
  release(&d);
  tear_down();
}

TEST(only_if_it_is_available) {
  lock_t a, b, c, d, e;
  set_up();
  request(&a, "a", "name", UVX_LOCK_IF_AVAILABLE);
  request(&b, "b", "name", UVX_LOCK_IF_AVAILABLE);
  request(&c, "c", "name", UVX_LOCK_IF_AVAILABLE | UVX_LOCK_SHARED);
  CHECK_LOG("");
  turn();
  CHECK_LOG("a,b:EAGAIN,c:EAGAIN");
  CHECK_EQ(uvx_lock_release(&b), UV_EINVAL);
  release(&a);
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", UVX_LOCK_IF_AVAILABLE | UVX_LOCK_SHARED);
  request(&c, "c", "name", UVX_LOCK_IF_AVAILABLE);
  request(&d, "d", "name", 0);
  request(&e, "e", "name", UVX_LOCK_IF_AVAILABLE | UVX_LOCK_SHARED); /* it would overtake */
  turn();
  CHECK_LOG("a,b,c:EAGAIN,e:EAGAIN");
  release(&a);
  release(&b);
  turn();
  CHECK_LOG("d");
  release(&d);
  tear_down();
}

TEST(stealing) {
  lock_t a, b, c, thief;
  set_up();
  request(&a, "a", "name", 0);
  request(&b, "b", "name", 0);
  turn();
  CHECK_LOG("a");
  request(&thief, "thief", "name", UVX_LOCK_STEAL);
  CHECK_LOG("");
  CHECK_EQ(uvx_lock_is_held(&a), 0);
  turn();
  CHECK_LOG("a:lost,thief");
  request(&c, "c", "name", 0);
  turn();
  CHECK_LOG(""); /* it holds the lock like any other */
  release(&thief);
  turn();
  CHECK_LOG("b");
  release(&b);
  turn();
  CHECK_LOG("c");
  release(&c);
  request(&thief, "free", "name", UVX_LOCK_STEAL);
  turn();
  CHECK_LOG("free");
  release(&thief);
  tear_down();
}

TEST(stealing_from_those_who_share) {
  lock_t a, b, c, d, thief;
  set_up();
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", UVX_LOCK_SHARED);
  request(&c, "c", "name", UVX_LOCK_SHARED);
  request(&d, "d", "name", 0);
  turn();
  CHECK_LOG("a,b,c");
  request(&thief, "1", "name", UVX_LOCK_STEAL);
  turn();
  CHECK_LOG("a:lost,b:lost,c:lost,1");
  request(&a, "2", "name", UVX_LOCK_STEAL);
  turn();
  CHECK_LOG("1:lost,2");
  release(&a);
  turn();
  CHECK_LOG("d");
  release(&d);
  tear_down();
}

/* It was stolen, and its owner does not know yet. */
TEST(a_release_that_crosses_a_theft) {
  lock_t a, b, thief;
  set_up();
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", UVX_LOCK_SHARED);
  turn();
  CHECK_LOG("a,b");
  request(&thief, "thief", "name", UVX_LOCK_STEAL);
  release(&a);
  memset(&a, 0, sizeof a);
  turn();
  CHECK_LOG("b:lost,thief");
  CHECK_EQ(uvx_lock_cancel(&b), UV_EINVAL);
  release(&thief);
  tear_down();
}

TEST(a_theft_that_nobody_wants_to_hear_of) {
  lock_t a, thief;
  set_up();
  a.data = "a";
  CHECK_EQ(uvx_lock_request(&loop, &a, "name", 0, note_granted, NULL), 0);
  turn();
  request(&thief, "thief", "name", UVX_LOCK_STEAL);
  turn();
  CHECK_LOG("a,thief");
  CHECK_EQ(uvx_lock_is_held(&a), 0);
  CHECK_EQ(uvx_lock_cancel(&a), UV_EBUSY);
  release(&thief);
  run_loop();
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  release(&a);
  tear_down();
}

/* Nobody is told of a lock that is somebody else's by then. */
TEST(a_grant_that_is_stolen_on_its_way) {
  lock_t a, b, thief, other;
  set_up();
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", UVX_LOCK_SHARED);
  request(&thief, "thief", "name", UVX_LOCK_STEAL);
  request(&other, "other", "name", UVX_LOCK_STEAL);
  CHECK_EQ(uvx_lock_release(&a), UV_EINVAL);
  CHECK_EQ(uvx_lock_cancel(&b), 0);
  turn();
  CHECK_LOG("a:ECANCELED,b:ECANCELED,thief:ECANCELED,other");
  release(&other);
  tear_down();
}

TEST(cancelling_a_request_that_waits) {
  lock_t a, b, c;
  set_up();
  request(&a, "a", "name", 0);
  request(&b, "b", "name", 0);
  request(&c, "c", "name", 0);
  turn();
  CHECK_EQ(uvx_lock_cancel(&b), 0);
  CHECK_LOG("a");
  CHECK_EQ(uvx_lock_cancel(&b), 0);
  CHECK_EQ(uvx_lock_release(&b), UV_EINVAL);
  CHECK_EQ(uvx_lock_cancel(&a), UV_EBUSY);
  turn();
  CHECK_LOG("b:ECANCELED");
  CHECK_EQ(uvx_lock_cancel(&b), UV_EINVAL);
  release(&a);
  turn();
  CHECK_LOG("c");
  release(&c);
  tear_down();
}

/* Those behind it may be let in. */
TEST(cancelling_lets_others_move_up) {
  lock_t a, b, c, d;
  set_up();
  request(&a, "a", "name", UVX_LOCK_SHARED);
  request(&b, "b", "name", 0);
  request(&c, "c", "name", UVX_LOCK_SHARED);
  request(&d, "d", "name", UVX_LOCK_SHARED);
  turn();
  CHECK_LOG("a");
  CHECK_EQ(uvx_lock_cancel(&b), 0);
  turn();
  CHECK_LOG("b:ECANCELED,c,d");
  release(&a);
  release(&c);
  release(&d);
  tear_down();
}

TEST(cancelling_what_was_granted_or_refused_on_its_way) {
  lock_t a, b, c;
  set_up();
  request(&a, "a", "name", 0);
  request(&b, "b", "name", 0);
  request(&c, "c", "name", UVX_LOCK_IF_AVAILABLE);
  CHECK_EQ(uvx_lock_cancel(&a), 0);
  CHECK_EQ(uvx_lock_cancel(&c), 0);
  turn();
  CHECK_LOG("a:ECANCELED,c:ECANCELED,b");
  request(&a, "a", "name", 0);
  release(&b);
  CHECK_EQ(uvx_lock_cancel(&a), 0); /* the last one of its name */
  CHECK_EQ(entries(), 0);
  turn();
  CHECK_LOG("a:ECANCELED");
  tear_down();
}

TEST(what_makes_no_sense) {
  lock_t a;
  set_up();
  CHECK_EQ(uvx_lock_request(&loop, &a, NULL, 0, note_granted, NULL), UV_EINVAL);
  CHECK_EQ(uvx_lock_request(&loop, &a, "name", 0, NULL, note_lost), UV_EINVAL);
  for (unsigned flags = 0; flags < 16; flags++)
    if (flags > UVX_LOCK_STEAL) CHECK_EQ(uvx_lock_request(&loop, &a, "name", flags, note_granted, NULL), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&a, NULL, 0, 0), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&a, "name", UVX_LOCK_IF_AVAILABLE, 0), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&a, "name", UVX_LOCK_SHARED | UVX_LOCK_STEAL, 0), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&a, "name", 8, 0), UV_EINVAL);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  uvx_locks_free(NULL, 0);
  tear_down();
}

/* Callbacks have the memory. */
static int rounds;

static void again(lock_t* lock, int status) {
  CHECK_EQ(status, 0);
  release(lock);
  if (++rounds < 1000) CHECK_EQ(uvx_lock_request(&loop, lock, "name", 0, again, NULL), 0);
}

static void free_it(lock_t* lock, int status) {
  CHECK_EQ(status, UV_ECANCELED);
  memset(lock, 0, sizeof *lock);
  free(lock);
  rounds++;
}

static void release_and_free(lock_t* lock, int status) {
  CHECK_EQ(status, 0);
  release(lock);
  free(lock);
  rounds++;
}

static void keep(lock_t* lock, int status) {
  CHECK_EQ(status, 0);
  CHECK_EQ(uvx_lock_is_held(lock), 1);
}

TEST(callbacks_may_do_anything_with_the_lock) {
  lock_t a, b, *c = malloc(sizeof *c), *d = malloc(sizeof *d), *e = malloc(sizeof *e);
  set_up();
  CHECK_EQ(uvx_lock_request(&loop, &a, "name", 0, again, NULL), 0);
  CHECK_EQ(uvx_lock_request(&loop, &b, "name", 0, again, NULL), 0); /* they take turns */
  run_loop();
  CHECK_EQ(rounds, 1001);
  CHECK_EQ(uvx_lock_request(&loop, c, "name", 0, release_and_free, NULL), 0);
  CHECK_EQ(uvx_lock_request(&loop, d, "name", 0, free_it, NULL), 0);
  CHECK_EQ(uvx_lock_cancel(d), 0);
  CHECK_EQ(uvx_lock_request(&loop, e, "other", 0, keep, free_it), 0);
  run_loop();
  request(&a, "thief", "other", UVX_LOCK_STEAL);
  run_loop();
  CHECK_EQ(rounds, 1004);
  CHECK_LOG("thief");
  release(&a);
  tear_down();
}

TEST(what_keeps_the_loop_alive) {
  lock_t a, b;
  set_up();
  request(&a, "a", "name", 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run_loop();
  CHECK_EQ(uv_loop_alive(&loop), 0); /* it holds it */
  CHECK_EQ(loop.active_reqs.count, 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  request(&b, "b", "name", 0);
  CHECK(uv_loop_alive(&loop) != 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  CHECK_EQ(uvx_lock_cancel(&b), 0);
  CHECK(uv_loop_alive(&loop) != 0);
  run_loop();
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  request(&b, "b", "name", UVX_LOCK_STEAL);
  run_loop();
  CHECK_LOG("a,b:ECANCELED,a:lost,b");
  CHECK_EQ(uv_loop_alive(&loop), 0);
  release(&b);
  tear_down();
}

TEST(a_lost_lock_keeps_the_loop_open_until_it_is_known) {
  lock_t a, thief;
  set_up();
  request(&a, "a", "name", 0);
  run_loop();
  CHECK_EQ(uvx_lock_wait(&thief, "name", UVX_LOCK_STEAL, 0), 0);
  CHECK_EQ(uv_loop_alive(&loop), 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run_loop(); /* nothing keeps it alive, so it does not look */
  CHECK_LOG("a");
  release(&a);
  release(&thief);
  CHECK_EQ(uv_loop_close(&loop), 0);
}

static void check_entry(const uvx_lock_info_t* entry, const char* name, int shared, int held) {
  CHECK_STR(entry->name, name);
  CHECK_EQ(entry->shared, shared);
  CHECK_EQ(entry->held, held);
}

TEST(asking_who_has_what) {
  lock_t locks[6], here;
  uvx_lock_info_t* list;
  size_t count;
  set_up();
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  CHECK_EQ(count, 0);
  uvx_locks_free(list, count);
  request(&locks[0], "0", "a", UVX_LOCK_SHARED);
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  CHECK_EQ(count, 1);
  CHECK(list[0].loop == &loop);
  CHECK_EQ(list[0].tid, 0); /* nobody has run it */
  check_entry(&list[0], "a", 1, 1);
  uvx_locks_free(list, count);
  request(&locks[1], "1", "a", UVX_LOCK_SHARED);
  request(&locks[2], "2", "a", 0);
  request(&locks[3], "3", "a", UVX_LOCK_SHARED);
  request(&locks[4], "4", "a", UVX_LOCK_IF_AVAILABLE);
  turn();
  CHECK_EQ(uvx_lock_wait(&here, "b", 0, 0), 0);
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  CHECK_EQ(count, 5);
  int at = strcmp(list[0].name, "a") != 0; /* names come in any order */
  check_entry(&list[at], "a", 1, 1);
  check_entry(&list[at + 1], "a", 1, 1);
  check_entry(&list[at + 2], "a", 0, 0);
  check_entry(&list[at + 3], "a", 1, 0);
  CHECK(list[at].loop == &loop);
  CHECK_EQ(list[at].tid, getpid());
  check_entry(&list[at ? 0 : 4], "b", 0, 1);
  CHECK(list[at ? 0 : 4].loop == NULL);
  CHECK_EQ(list[at ? 0 : 4].tid, getpid());
  release(&here);
  release(&locks[0]);
  release(&locks[1]);
  CHECK_STR(list[at].name, "a"); /* the list has its own */
  uvx_locks_free(list, count);
  turn();
  release(&locks[2]);
  turn();
  release(&locks[3]);
  tear_down();
}

/* Without a loop. */
TEST(a_thread_waits) {
  lock_t a, b, c, d;
  set_up();
  CHECK_EQ(uvx_lock_wait(&a, "name", UVX_LOCK_SHARED, UVX_FOREVER), 0);
  CHECK_EQ(uvx_lock_is_held(&a), 1);
  CHECK_EQ(uvx_lock_cancel(&a), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&b, "name", 0, 0), UV_ETIMEDOUT);
  CHECK_EQ(uvx_lock_is_held(&b), 0);
  CHECK_EQ(uvx_lock_release(&b), UV_EINVAL);
  CHECK_EQ(uvx_lock_wait(&b, "name", 0, 2000000), UV_ETIMEDOUT);
  CHECK_EQ(uvx_lock_wait(&b, "name", UVX_LOCK_SHARED, 0), 0);
  request(&c, "c", "name", 0);
  release(&a);
  release(&b);
  run_loop();
  CHECK_LOG("c");
  CHECK_EQ(uvx_lock_wait(&a, "name", UVX_LOCK_STEAL, 0), 0);
  request(&d, "d", "something else", 0); /* else the loop would have no reason to run */
  run_loop();
  CHECK_LOG("c:lost,d");
  release(&d);
  request(&c, "c", "name", UVX_LOCK_STEAL);
  CHECK_EQ(uvx_lock_is_held(&a), 0);
  run_loop();
  CHECK_LOG("c");
  CHECK_EQ(uvx_lock_release(&a), 0); /* whether it was stolen or not */
  CHECK_EQ(uvx_lock_release(&a), UV_EINVAL);
  release(&c);
  tear_down();
}
