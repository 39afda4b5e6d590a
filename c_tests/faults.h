/* Makes single system calls fail or wait: the kernel asks a thread of the test what to do with each call of some kinds,
 * and the thread lets it pass, now or later, or gives it an error. Works for any user, for calls that do not go through the C library's functions
 * as well, on the calling thread and on all that it starts afterwards. */
#ifndef FAULTS_H
#define FAULTS_H

#include "fs.h"

#include <sys/ioctl.h>

enum { FAULTS_MOST = 64, FAULTS_ANY_FILE = -1, FAULTS_ALL = -1, FAULTS_END = -100 };

static struct {
  int calls[FAULTS_MOST]; /* the kinds that the kernel asks about */
  int count;
  pthread_mutex_t mutex; /* for what follows */
  pthread_cond_t cond;
  int listener;      /* where it asks; -2 before there is a filter */
  const int* wanted; /* what is to fail: numbers, to FAULTS_END; NULL for nothing */
  int file;          /* only with this first argument */
  int skip;          /* so many pass first */
  int times;         /* then so many fail, or FAULTS_ALL */
  int error;
  int hits; /* so many have failed */
  int held; /* calls of this kind wait; -1 for none */
} faults = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER, .listener = -2, .held = -1};

/* The error that a call gets, or 0. */
static inline int faults_decide(const struct seccomp_data* call) {
  const int* wanted = faults.wanted;
  if (wanted == NULL || faults.times == 0) return 0;
  if (faults.file != FAULTS_ANY_FILE && (int) call->args[0] != faults.file) return 0;
  while (*wanted != FAULTS_END && *wanted != call->nr) wanted++;
  if (*wanted == FAULTS_END || faults.skip-- > 0) return 0;
  if (faults.times > 0) faults.times--;
  faults.hits++;
  return faults.error;
}

static void* faults_answer(void* arg) {
  union { struct seccomp_notif call; char room[256]; } question;
  union { struct seccomp_notif_resp text; char room[256]; } answer;
  int listener;
  (void) arg;
  pthread_mutex_lock(&faults.mutex);
  while (faults.listener == -2) pthread_cond_wait(&faults.cond, &faults.mutex);
  listener = faults.listener;
  pthread_mutex_unlock(&faults.mutex);
  for (;;) {
    memset(&question, 0, sizeof(question));
    memset(&answer, 0, sizeof(answer));
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) != 0) {
      if (errno == EINTR || errno == ENOENT) continue;
      return NULL;
    }
    pthread_mutex_lock(&faults.mutex);
    while (question.call.data.nr == faults.held) pthread_cond_wait(&faults.cond, &faults.mutex);
    answer.text.error = -faults_decide(&question.call.data);
    pthread_mutex_unlock(&faults.mutex);
    answer.text.id = question.call.id;
    if (answer.text.error == 0) answer.text.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* a caller that is gone needs none */
  }
}

/* A kind of call that may be told to fail; before faults_begin. Numbers below 0 are none. */
static inline void faults_add(int number) {
  for (int i = 0; i < faults.count; i++)
    if (faults.calls[i] == number) return;
  if (number < 0) return;
  CHECK(faults.count < FAULTS_MOST);
  faults.calls[faults.count++] = number;
}

static void faults_exit(void) {
#ifdef CHECK_UNDER_ASAN
  fflush(NULL);
  _exit(0); /* its search for leaks would stop the thread that answers, and then ask; blocks are counted anyway */
#endif
}

/* From here on calls can be made to fail; before the pool has threads. */
static inline void faults_begin(void) {
  struct sock_filter steps[FAULTS_MOST + 3];
  struct sock_fprog program = {0, steps};
  pthread_t thread;
  int listener;
  steps[program.len++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < faults.count; i++) {
    unsigned char to_the_end = (unsigned char) (faults.count - i);
    steps[program.len++] =
      (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) faults.calls[i], to_the_end, 0);
  }
  steps[program.len++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  steps[program.len++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  CHECK_EQ(pthread_create(&thread, NULL, faults_answer, NULL), 0); /* it came before the filter, so it is not asked about */
  CHECK_EQ(pthread_detach(thread), 0);
  listener = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (listener == 0)
    listener = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  CHECK_EQ(atexit(faults_exit), 0);
  if (listener < 0) SKIP("no filter that asks about system calls here");
  pthread_mutex_lock(&faults.mutex);
  faults.listener = listener;
  pthread_cond_signal(&faults.cond);
  pthread_mutex_unlock(&faults.mutex);
}

/* After `skip` calls of these kinds, on this file if there is one, `times` fail. */
static inline void faults_set(const int* wanted, int file, int skip, int times, int error) {
  pthread_mutex_lock(&faults.mutex);
  faults.wanted = wanted;
  faults.file = file;
  faults.skip = skip;
  faults.times = times;
  faults.error = error;
  faults.hits = 0;
  pthread_mutex_unlock(&faults.mutex);
}

/* Calls of this kind wait, and all others that the kernel asks about behind them. */
static inline void faults_hold(int number) {
  pthread_mutex_lock(&faults.mutex);
  faults.held = number;
  pthread_cond_signal(&faults.cond);
  pthread_mutex_unlock(&faults.mutex);
}

static inline void faults_let_go(void) {
  faults_hold(-1);
}

/* No call fails any more; how many have. */
static inline int faults_clear(void) {
  int hits;
  pthread_mutex_lock(&faults.mutex);
  faults.wanted = NULL;
  hits = faults.hits;
  pthread_mutex_unlock(&faults.mutex);
  return hits;
}

#endif
