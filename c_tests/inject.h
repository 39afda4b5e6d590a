/* Makes system calls fail: the functions of the C library that the library under test calls are defined here instead, in the
 * program, which the loader prefers. One call at a time can be told to fail; children of the program see it too. */
#ifndef INJECT_H
#define INJECT_H

#include "allocs.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>

/* In shared memory. */
static struct injection {
  const char* call;
  int error;
  int left; /* how often it still fails */
  int hits; /* how often it has failed */
} * injection;

static inline void inject(const char* call, int error, int times) {
  if (injection == NULL) {
    long page = (long) syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page > 0);
    injection = (struct injection*) page;
  }
  *injection = (struct injection) {call, error, times, 0};
}

static inline int inject_now(const char* call) {
  if (injection == NULL || injection->left == 0 || strcmp(injection->call, call) != 0) return 0;
  injection->left--;
  injection->hits++;
  errno = injection->error;
  return 1;
}

#define INJECTED(type, name, parameters, ...)                                                                        \
  type name parameters {                                                                                             \
    if (inject_now(#name)) return (type) -1;                                                                         \
    return (type) syscall(__VA_ARGS__);                                                                              \
  }

INJECTED(int, socket, (int domain, int kind, int protocol), SYS_socket, domain, kind, protocol)
INJECTED(int, socketpair, (int domain, int kind, int protocol, int fds[2]), SYS_socketpair, domain, kind, protocol, fds)
INJECTED(int, bind, (int fd, const struct sockaddr* address, socklen_t size), SYS_bind, fd, address, size)
INJECTED(int, listen, (int fd, int backlog), SYS_listen, fd, backlog)
INJECTED(int, connect, (int fd, const struct sockaddr* address, socklen_t size), SYS_connect, fd, address, size)
INJECTED(int, accept4, (int fd, struct sockaddr* address, socklen_t* size, int flags), SYS_accept4, fd, address, size, flags)
INJECTED(int, getsockname, (int fd, struct sockaddr* address, socklen_t* size), SYS_getsockname, fd, address, size)
INJECTED(int, getsockopt, (int fd, int level, int name, void* value, socklen_t* size), SYS_getsockopt, fd, level, name, value,
         size)
INJECTED(int, setsockopt, (int fd, int level, int name, const void* value, socklen_t size), SYS_setsockopt, fd, level, name,
         value, size)
INJECTED(int, shutdown, (int fd, int how), SYS_shutdown, fd, how)
INJECTED(int, pipe2, (int fds[2], int flags), SYS_pipe2, fds, flags)
INJECTED(ssize_t, read, (int fd, void* bytes, size_t size), SYS_read, fd, bytes, size)
INJECTED(ssize_t, write, (int fd, const void* bytes, size_t size), SYS_write, fd, bytes, size)
INJECTED(ssize_t, writev, (int fd, const struct iovec* pieces, int count), SYS_writev, fd, pieces, count)
INJECTED(ssize_t, sendmsg, (int fd, const struct msghdr* message, int flags), SYS_sendmsg, fd, message, flags)
INJECTED(ssize_t, recvmsg, (int fd, struct msghdr* message, int flags), SYS_recvmsg, fd, message, flags)
INJECTED(int, sendmmsg, (int fd, struct mmsghdr* messages, unsigned count, int flags), SYS_sendmmsg, fd, messages, count, flags)
INJECTED(int, recvmmsg, (int fd, struct mmsghdr* messages, unsigned count, int flags, struct timespec* limit), SYS_recvmmsg,
         fd, messages, count, flags, limit)
INJECTED(int, epoll_create1, (int flags), SYS_epoll_create1, flags)
INJECTED(int, eventfd, (unsigned value, int flags), SYS_eventfd2, value, flags)
INJECTED(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event* event), SYS_epoll_ctl, epoll, operation, fd, event)
INJECTED(int, epoll_pwait, (int epoll, struct epoll_event* events, int count, int timeout, const sigset_t* mask), SYS_epoll_pwait,
         epoll, events, count, timeout, mask, 8)
INJECTED(pid_t, waitpid, (pid_t pid, int* status, int options), SYS_wait4, pid, status, options, NULL)
INJECTED(int, fchmod, (int fd, mode_t mode), SYS_fchmod, fd, mode)
INJECTED(int, dup2, (int from, int to), SYS_dup2, from, to)
INJECTED(int, chdir, (const char* path), SYS_chdir, path)
INJECTED(int, setpgid, (pid_t pid, pid_t group), SYS_setpgid, pid, group)

int ioctl(int fd, unsigned long request, ...) {
  va_list list;
  void* argument;
  va_start(list, request);
  argument = va_arg(list, void*);
  va_end(list);
  if (inject_now("ioctl")) return -1;
  return (int) syscall(SYS_ioctl, fd, request, argument);
}

static inline int inject_fcntl(int fd, int command, void* argument) {
  if (inject_now("fcntl")) return -1;
  return (int) syscall(SYS_fcntl, fd, command, argument);
}

#define INJECTED_FCNTL(name)                                                                                         \
  int name(int fd, int command, ...) {                                                                               \
    va_list list;                                                                                                    \
    void* argument;                                                                                                  \
    va_start(list, command);                                                                                         \
    argument = va_arg(list, void*);                                                                                  \
    va_end(list);                                                                                                    \
    return inject_fcntl(fd, command, argument);                                                                      \
  }
INJECTED_FCNTL(fcntl)
INJECTED_FCNTL(fcntl64)

/* Closes and fails nevertheless: on Linux a descriptor is gone whatever close(2) says. */
int close(int fd) {
  int result = (int) syscall(SYS_close, fd);
  return inject_now("close") ? -1 : result;
}

/* The two ways to make a child are one to the tests. */
pid_t fork(void) {
  static pid_t (*next)(void);
  if (next == NULL) *(void**) &next = dlsym(RTLD_NEXT, "fork");
  return inject_now("clone") ? -1 : next();
}

int clone(int (*run)(void*), void* stack, int flags, void* argument, ...) {
  static int (*next)(int (*)(void*), void*, int, void*, ...);
  va_list list;
  void *first, *second, *third;
  va_start(list, argument);
  first = va_arg(list, void*);
  second = va_arg(list, void*);
  third = va_arg(list, void*);
  va_end(list);
  if (next == NULL) *(void**) &next = dlsym(RTLD_NEXT, "clone");
  return inject_now("clone") ? -1 : next(run, stack, flags, argument, first, second, third);
}

#endif
