/* Named locks among threads: nobody has a lock beside one who has it alone, and every request ends exactly once. */
#include "locks.h"

#include "counters.h"

enum { NAMES = 3, LOOPS = 4, WAITERS = 2, SLOTS = 6 };

static const char* const names[NAMES] = {"one", "two", "three"};
static int with_thieves, requests;

/* How many have the lock: -1 is one who has it alone. With thieves about, the robbed go on until they hear of it. */
static int inside[NAMES];
static int granted, refused, cancelled, robbed, released, timed_out;

static void enter(int name, int shared) {
  if (with_thieves) return;
  if (shared) {
    CHECK(add(&inside[name], 1) > 0);
  } else {
    CHECK_EQ(add(&inside[name], -1), -1);
  }
}

static void leave(int name, int shared) {
  if (with_thieves) return;
  if (shared) {
    CHECK(add(&inside[name], -1) >= 0);
  } else {
    CHECK_EQ(add(&inside[name], 1), 0);
  }
}

/* A loop with requests, each of which is followed by the next. What was granted is released by a wake-up of the loop's own. */
enum state { FREE, ASKED, CANCELLED, HELD };

struct player;

struct slot {
  lock_t lock;
  struct player* player;
  enum state state;
  int name, flags;
};

struct player {
  struct slot slots[SLOTS];
  uv_loop_t loop;
  uv_async_t async;
  unsigned seed;
  int left, open;
};

static void ask(struct slot* slot);

static void end(struct slot* slot) {
  slot->state = FREE;
  if (slot->player->left > 0) {
    ask(slot);
  } else if (--slot->player->open == 0) {
    uv_close((uv_handle_t*) &slot->player->async, NULL);
  }
}

static void on_granted(lock_t* lock, int status) {
  struct slot* slot = lock->data;
  CHECK(slot->state == ASKED || slot->state == CANCELLED);
  if (status == 0) {
    CHECK_EQ(slot->state, ASKED);
    slot->state = HELD;
    enter(slot->name, slot->flags & UVX_LOCK_SHARED);
    add(&granted, 1);
    uv_async_send(&slot->player->async);
    return;
  }
  if (status == UV_EAGAIN) {
    CHECK_EQ(slot->state, ASKED);
    CHECK(slot->flags & UVX_LOCK_IF_AVAILABLE);
    add(&refused, 1);
  } else {
    CHECK_EQ(status, UV_ECANCELED);
    if (!with_thieves) CHECK_EQ(slot->state, CANCELLED);
    add(&cancelled, 1);
  }
  end(slot);
}

static void on_lost(lock_t* lock, int status) {
  struct slot* slot = lock->data;
  CHECK_EQ(status, UV_ECANCELED);
  CHECK_EQ(slot->state, HELD);
  CHECK(with_thieves);
  add(&robbed, 1);
  end(slot);
}

static int flags_of(int random) {
  int flags = 0;
  if (random % 2) flags |= UVX_LOCK_SHARED;
  if (random % 5 == 0) flags |= UVX_LOCK_IF_AVAILABLE;
  return with_thieves && random % 7 == 0 ? UVX_LOCK_STEAL : flags;
}

static void ask(struct slot* slot) {
  struct player* player = slot->player;
  player->left--;
  slot->name = rand_r(&player->seed) % NAMES;
  slot->flags = flags_of(rand_r(&player->seed) >> 4);
  slot->state = ASKED;
  slot->lock.data = slot;
  CHECK_EQ(uvx_lock_request(&player->loop, &slot->lock, names[slot->name], slot->flags, on_granted, on_lost), 0);
}

static void on_async(uv_async_t* async) {
  struct player* player = async->data;
  for (int i = 0; i < SLOTS; i++) {
    struct slot* slot = &player->slots[i];
    if (slot->state == HELD) {
      leave(slot->name, slot->flags & UVX_LOCK_SHARED);
      release(&slot->lock); /* whether it was stolen or not */
      add(&released, 1);
      end(slot);
    } else if (slot->state == ASKED && rand_r(&player->seed) % 8 == 0) {
      CHECK_EQ(uvx_lock_cancel(&slot->lock), 0);
      slot->state = CANCELLED;
    }
  }
}

static void* play(void* arg) {
  struct player* player = malloc(sizeof *player);
  memset(player, 0, sizeof *player);
  player->seed = (unsigned) (uintptr_t) arg;
  player->left = requests;
  player->open = SLOTS;
  CHECK_EQ(uv_loop_init(&player->loop), 0);
  CHECK_EQ(uv_async_init(&player->loop, &player->async, on_async), 0);
  player->async.data = player;
  for (int i = 0; i < SLOTS; i++) {
    player->slots[i].player = player;
    ask(&player->slots[i]);
  }
  CHECK_EQ(uv_run(&player->loop, UV_RUN_DEFAULT), 0);
  CHECK_EQ(player->left, 0);
  CHECK_EQ(uv_loop_close(&player->loop), 0);
  free(player);
  return NULL;
}

static void* wait_often(void* arg) {
  unsigned seed = (unsigned) (uintptr_t) arg;
  for (int i = 0; i < requests; i++) {
    lock_t lock;
    int name = rand_r(&seed) % NAMES, flags = flags_of(rand_r(&seed) >> 4) & ~UVX_LOCK_IF_AVAILABLE;
    uint64_t timeout = i % 4 == 0 ? (uint64_t) rand_r(&seed) % 50000 : UVX_FOREVER;
    int status = uvx_lock_wait(&lock, names[name], flags, timeout);
    if (status != 0) {
      CHECK_EQ(status, UV_ETIMEDOUT);
      add(&timed_out, 1);
      continue;
    }
    enter(name, flags & UVX_LOCK_SHARED);
    add(&granted, 1);
    leave(name, flags & UVX_LOCK_SHARED);
    release(&lock);
    add(&released, 1);
  }
  return NULL;
}

/* The table is in order at any time: one alone or several who share; and whoever is first in line has to wait. */
static int over;

static void check_table(void) {
  uvx_lock_info_t *list, *entry;
  size_t count;
  CHECK_EQ(uvx_locks_query(&list, &count), 0);
  for (entry = list; entry < list + count;) {
    const char* name = entry->name;
    int shared = 0, alone = 0, waiting = 0;
    for (; entry < list + count && strcmp(entry->name, name) == 0; entry++) {
      if (entry->held) {
        CHECK_EQ(waiting, 0);
        *(entry->shared ? &shared : &alone) += 1;
      } else if (waiting++ == 0) {
        CHECK(alone == 1 || !entry->shared);
      }
    }
    CHECK(shared + alone > 0);
    CHECK(alone == 0 || (alone == 1 && shared == 0));
  }
  uvx_locks_free(list, count);
}

static void* check_often(void* arg) {
  (void) arg;
  while (!get(&over)) check_table();
  return NULL;
}

static void storm(int count) {
  pthread_t threads[LOOPS + WAITERS], checker = port_thread(check_often, NULL);
  requests = count;
  for (int i = 0; i < LOOPS; i++) threads[i] = port_thread(play, (void*) (uintptr_t) (i + 1));
  for (int i = LOOPS; i < LOOPS + WAITERS; i++) threads[i] = port_thread(wait_often, (void*) (uintptr_t) (i + 1));
  for (int i = 0; i < LOOPS + WAITERS; i++) port_join(threads[i]);
  add(&over, 1);
  port_join(checker);
  CHECK_EQ(entries(), 0);
  CHECK_EQ(granted + refused + cancelled + timed_out, (LOOPS + WAITERS) * count);
  CHECK_EQ(released + robbed, granted);
  for (int i = 0; i < NAMES; i++) CHECK_EQ(inside[i], 0);
}

TEST(storm_without_thieves) {
  storm(20000);
  CHECK_EQ(robbed, 0);
}

TEST(storm_with_thieves) {
  with_thieves = 1;
  storm(20000);
}

/* One thread has the lock again and again; the other asks for it and takes that back, at any moment. */
enum { ROUNDS = 3000 };

static void* have_often(void* arg) {
  lock_t lock;
  (void) arg;
  while (!get(&over)) {
    CHECK_EQ(uvx_lock_wait(&lock, "name", 0, UVX_FOREVER), 0);
    enter(0, 0);
    leave(0, 0);
    release(&lock);
  }
  return NULL;
}

static int last, told, lost;

static void on_told(lock_t* lock, int status) {
  (void) lock;
  told++;
  last = status;
  if (status == 0) enter(0, 0);
}

static void on_loss(lock_t* lock, int status) {
  (void) lock;
  CHECK_EQ(status, UV_ECANCELED);
  lost++;
}

static void spin(int turns) {
  for (volatile int i = 0; i < turns; i++) {
  }
}

TEST(a_cancel_races_a_grant) {
  pthread_t thread = port_thread(have_often, NULL);
  lock_t lock;
  unsigned seed = 1;
  set_up();
  for (int round = 0; round < ROUNDS; round++) {
    told = 0;
    CHECK_EQ(uvx_lock_request(&loop, &lock, "name", 0, on_told, NULL), 0);
    spin(rand_r(&seed) % 1000);
    if (round % 2) turn();
    int status = uvx_lock_cancel(&lock);
    run_loop();
    CHECK_EQ(told, 1);
    if (status == 0) {
      CHECK_EQ(last, UV_ECANCELED);
    } else { /* it was granted, and that was known */
      CHECK_EQ(status, UV_EBUSY);
      CHECK_EQ(last, 0);
      leave(0, 0);
      release(&lock);
    }
  }
  add(&over, 1);
  port_join(thread);
  tear_down();
}

static void* steal_often(void* arg) {
  lock_t lock;
  (void) arg;
  while (!get(&over)) {
    CHECK_EQ(uvx_lock_wait(&lock, "name", UVX_LOCK_STEAL, 0), 0);
    release(&lock);
  }
  return NULL;
}

/* The lock's memory is used for something else as soon as it is over. */
TEST(a_theft_races_a_release) {
  pthread_t thread = port_thread(steal_often, NULL);
  unsigned seed = 1;
  with_thieves = 1;
  set_up();
  for (int round = 0; round < ROUNDS; round++) {
    lock_t* lock = malloc(sizeof *lock);
    told = lost = 0;
    CHECK_EQ(uvx_lock_request(&loop, lock, "name", 0, on_told, on_loss), 0);
    run_loop();
    CHECK_EQ(told, 1);
    CHECK_EQ(lost, 0);
    if (last == 0) {
      spin(rand_r(&seed) % 1000);
      CHECK_EQ(uvx_lock_release(lock), 0);
    }
    memset(lock, 0, sizeof *lock);
    free(lock);
    CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(lost, 0);
  }
  add(&over, 1);
  port_join(thread);
  tear_down();
}

/* A loop goes as soon as it can, while another thread is telling it of a grant or a theft. */
static void loops_go(void* (*other)(void*)) {
  pthread_t thread = port_thread(other, NULL);
  for (int round = 0; round < ROUNDS; round++) {
    uv_loop_t* own = malloc(sizeof *own);
    lock_t* lock = malloc(sizeof *lock);
    CHECK_EQ(uv_loop_init(own), 0);
    told = lost = 0;
    CHECK_EQ(uvx_lock_request(own, lock, "name", 0, on_told, round % 2 ? on_loss : NULL), 0);
    if (round % 3 == 0) CHECK_EQ(uvx_lock_cancel(lock), 0);
    CHECK_EQ(uv_loop_close(own), UV_EBUSY);
    CHECK_EQ(uv_run(own, UV_RUN_DEFAULT), 0);
    CHECK_EQ(told, 1);
    if (last == 0) {
      if (!lost) leave(0, 0);
      if (!lost) CHECK_EQ(uvx_lock_release(lock), 0);
    }
    memset(lock, 0, sizeof *lock);
    free(lock);
    CHECK_EQ(uv_loop_close(own), 0);
    memset(own, 0, sizeof *own);
    free(own);
  }
  add(&over, 1);
  port_join(thread);
  CHECK_EQ(entries(), 0);
}

TEST(loops_close_while_others_grant) {
  loops_go(have_often);
}

TEST(loops_close_while_others_steal) {
  with_thieves = 1;
  loops_go(steal_often);
}

/* Threads sleep until it is their turn, and one that comes home too late is not forgotten. */
static int turns_taken;

static void* take_turns(void* arg) {
  lock_t lock;
  for (int i = 0; i < ROUNDS; i++) {
    CHECK_EQ(uvx_lock_wait(&lock, "name", 0, UVX_FOREVER), 0);
    turns_taken++; /* not atomic: the lock orders */
    release(&lock);
  }
  return arg;
}

TEST(threads_take_turns) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) threads[i] = port_thread(take_turns, NULL);
  for (int i = 0; i < 4; i++) port_join(threads[i]);
  CHECK_EQ(turns_taken, 4 * ROUNDS);
  CHECK_EQ(entries(), 0);
}

/* What one thread wrote while it had the lock is seen by the loop that has it next, and the other way round. */
static void count_and_release(lock_t* lock, int status) {
  CHECK_EQ(status, 0);
  turns_taken++;
  release(lock);
  if (--last > 0) CHECK_EQ(uvx_lock_request(&loop, lock, "name", 0, count_and_release, NULL), 0);
}

TEST(a_loop_and_threads_take_turns) {
  pthread_t threads[2];
  lock_t lock;
  set_up();
  last = ROUNDS;
  for (int i = 0; i < 2; i++) threads[i] = port_thread(take_turns, NULL);
  CHECK_EQ(uvx_lock_request(&loop, &lock, "name", 0, count_and_release, NULL), 0);
  run_loop();
  for (int i = 0; i < 2; i++) port_join(threads[i]);
  CHECK_EQ(turns_taken, 3 * ROUNDS);
  tear_down();
}

/* A lock of a thread is released by another one. */
static lock_t handed_over;

static void* release_other(void* arg) {
  (void) arg;
  CHECK_EQ(uvx_lock_is_held(&handed_over), 1);
  release(&handed_over);
  return NULL;
}

TEST(any_thread_releases_a_threads_lock) {
  lock_t next;
  CHECK_EQ(uvx_lock_wait(&handed_over, "name", 0, UVX_FOREVER), 0);
  pthread_t thread = port_thread(release_other, NULL);
  CHECK_EQ(uvx_lock_wait(&next, "name", 0, UVX_FOREVER), 0);
  port_join(thread);
  release(&next);
  CHECK_EQ(entries(), 0);
}

/* Whoever waits behind one that gives up may have been waiting for that one alone. */
static void* wait_for_a_moment(void* arg) {
  lock_t lock;
  CHECK_EQ(uvx_lock_wait(&lock, "name", 0, 20000000), UV_ETIMEDOUT);
  add(&over, 1);
  return arg;
}

TEST(a_wait_that_is_over_lets_others_move_up) {
  lock_t a, b;
  set_up();
  CHECK_EQ(uvx_lock_wait(&a, "name", UVX_LOCK_SHARED, 0), 0);
  pthread_t thread = port_thread(wait_for_a_moment, NULL);
  while (entries() != 2 && !get(&over)) sched_yield();
  request(&b, "b", "name", UVX_LOCK_SHARED);
  run_loop();
  CHECK_LOG("b");
  port_join(thread);
  release(&a);
  release(&b);
  tear_down();
}
