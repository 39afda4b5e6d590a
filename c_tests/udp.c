/* UDP handles: making and opening them, binding, connecting, names, options of the socket, multicast groups. */
#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

static uv_loop_t loop;
static uv_udp_t udp, other;
static struct sockaddr_in any_v4 = {.sin_family = AF_INET};
static struct sockaddr_in6 any_v6 = {.sin6_family = AF_INET6};

#define ADDR(address) ((const struct sockaddr*) (address))

static void init(void) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(uv_udp_init(&loop, &other), 0);
}

static int descriptor(const uv_udp_t* handle) {
  uv_os_fd_t fd = -1;
  CHECK_EQ(uv_fileno((const uv_handle_t*) handle, &fd), 0);
  return fd;
}

static int option(const uv_udp_t* handle, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  CHECK_EQ(getsockopt(descriptor(handle), level, name, &value, &size), 0);
  return value;
}

static struct sockaddr_storage own_name(const uv_udp_t* handle) {
  struct sockaddr_storage found;
  int size = sizeof(found);
  CHECK_EQ(uv_udp_getsockname(handle, (struct sockaddr*) &found, &size), 0);
  return found;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in found;
  CHECK_EQ(uv_ip4_addr("127.0.0.1", port, &found), 0);
  return found;
}

static void need_v6(void) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*) &address, sizeof(address)) != 0) SKIP("no IPv6");
  close(fd);
}

TEST(init_makes_no_socket) {
  uv_os_fd_t fd;
  CHECK_EQ(uv_loop_init(&loop), 0);
  memset(&udp, 0xff, sizeof(udp));
  udp.data = &loop;
  CHECK_EQ(uv_udp_init(&loop, &udp), 0);
  CHECK_EQ(udp.data, &loop);
  CHECK_EQ(udp.loop, &loop);
  CHECK_EQ(udp.type, UV_UDP);
  CHECK_EQ(udp.send_queue_size, 0);
  CHECK_EQ(udp.send_queue_count, 0);
  CHECK_EQ(uv_udp_get_send_queue_size(&udp), 0);
  CHECK_EQ(uv_udp_get_send_queue_count(&udp), 0);
  CHECK_EQ(uv_fileno((uv_handle_t*) &udp, &fd), UV_EBADF);
  CHECK_EQ(udp.io_watcher.fd, -1);
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  CHECK(uv_has_ref((uv_handle_t*) &udp));
  CHECK_EQ(uv_udp_using_recvmmsg(&udp), 0);
  check_close_loop(&loop);
}

TEST(init_with_a_family) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET), 0);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_DOMAIN), AF_INET);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  CHECK_EQ(fcntl(descriptor(&udp), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(fcntl(descriptor(&udp), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  CHECK_EQ(uv_udp_init_ex(&loop, &other, AF_UNSPEC | UV_UDP_RECVMMSG), 0);
  CHECK_EQ(uv_udp_using_recvmmsg(&other), 1);
  CHECK_EQ(other.io_watcher.fd, -1);
  check_close_loop(&loop);
}

TEST(init_refuses_what_it_does_not_know) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_UNIX), UV_EINVAL);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, 47), UV_EINVAL);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET | 0x200), UV_EINVAL);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, 1024), UV_EINVAL);
  CHECK_EQ(uv_loop_close(&loop), 0); /* nothing is left of the attempts */
}

TEST(bind_chooses_a_port) {
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), 0);
  struct sockaddr_storage found = own_name(&udp);
  CHECK_EQ(found.ss_family, AF_INET);
  CHECK(((struct sockaddr_in*) &found)->sin_port != 0);
  CHECK_EQ(uv_is_active((uv_handle_t*) &udp), 0);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), UV_EINVAL); /* is bound */
  check_close_loop(&loop);
}

TEST(bind_refuses) {
  struct sockaddr_storage unix_address = {.ss_family = AF_UNIX};
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_IPV6ONLY), UV_EINVAL);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_PARTIAL), UV_EINVAL);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_RECVMMSG), UV_EINVAL);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&unix_address), 0), UV_EINVAL);
  CHECK_EQ(udp.io_watcher.fd, -1);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), 0);
  struct sockaddr_storage taken = own_name(&udp);
  CHECK_EQ(uv_udp_bind(&other, ADDR(&taken), 0), UV_EADDRINUSE);
  CHECK(other.io_watcher.fd != -1); /* the socket stays */
  CHECK_EQ(uv_udp_bind(&other, ADDR(&any_v4), 0), 0);
  check_close_loop(&loop);
}

TEST(bind_to_the_other_family) {
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET), 0);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v6), 0), UV_EINVAL);
  check_close_loop(&loop);
}

TEST(several_share_an_address) {
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_REUSEADDR), 0);
  struct sockaddr_storage taken = own_name(&udp);
  CHECK_EQ(uv_udp_bind(&other, ADDR(&taken), UV_UDP_REUSEADDR), 0);
  CHECK_EQ(option(&other, SOL_SOCKET, SO_REUSEADDR), 1);
  CHECK_EQ(option(&other, SOL_SOCKET, SO_REUSEPORT), 0);
  check_close_loop(&loop);
}

TEST(several_distribute_an_address) {
  NEEDS(1, 49);
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_REUSEPORT), 0);
  struct sockaddr_storage taken = own_name(&udp);
  CHECK_EQ(uv_udp_bind(&other, ADDR(&taken), UV_UDP_REUSEPORT), 0);
  CHECK_EQ(option(&other, SOL_SOCKET, SO_REUSEPORT), 1);
  check_close_loop(&loop);
}

TEST(bind_asks_for_errors) {
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), UV_UDP_LINUX_RECVERR), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_RECVERR), 1);
  need_v6();
  CHECK_EQ(uv_udp_bind(&other, ADDR(&any_v6), UV_UDP_LINUX_RECVERR), 0);
  CHECK_EQ(option(&other, IPPROTO_IPV6, IPV6_RECVERR), 1);
  check_close_loop(&loop);
}

TEST(bind_to_v6_only) {
  need_v6();
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v6), UV_UDP_IPV6ONLY), 0);
  CHECK_EQ(option(&udp, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  struct sockaddr_storage found = own_name(&udp);
  struct sockaddr_in same = any_v4;
  same.sin_port = ((struct sockaddr_in6*) &found)->sin6_port;
  CHECK_EQ(uv_udp_bind(&other, ADDR(&same), 0), 0); /* which IPv4 has of its own */
  check_close_loop(&loop);
}

TEST(names) {
  struct sockaddr_storage found;
  struct sockaddr_in peer = loopback(9);
  int size = sizeof(found);
  init();
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &found, &size), UV_EBADF);
  CHECK_EQ(uv_udp_getpeername(&udp, (struct sockaddr*) &found, &size), UV_EBADF);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), 0);
  CHECK_EQ(uv_udp_getpeername(&udp, (struct sockaddr*) &found, &size), UV_ENOTCONN);
  CHECK_EQ(size, sizeof(found));
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  CHECK_EQ(uv_udp_getpeername(&udp, (struct sockaddr*) &found, &size), 0);
  CHECK_EQ(size, sizeof(peer));
  CHECK_EQ(((struct sockaddr_in*) &found)->sin_port, htons(9));
  memset(&found, 0x55, sizeof(found));
  size = 4; /* room for family and port */
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &found, &size), 0);
  CHECK_EQ(size, sizeof(struct sockaddr_in));
  CHECK_EQ(found.ss_family, AF_INET);
  CHECK_EQ(((unsigned char*) &found)[4], 0x55);
  size = -1;
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &found, &size), UV_EINVAL);
  uv_close((uv_handle_t*) &udp, NULL);
  CHECK_EQ(uv_udp_getsockname(&udp, (struct sockaddr*) &found, &size), UV_EBADF);
  check_close_loop(&loop);
}

TEST(connect_and_disconnect) {
  struct sockaddr_in peer = loopback(9);
  struct sockaddr_storage unix_address = {.ss_family = AF_UNIX}, found;
  int size = sizeof(found);
  init();
  CHECK_EQ(uv_udp_connect(&udp, NULL), UV_ENOTCONN);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&unix_address)), UV_EINVAL);
  CHECK_EQ(udp.io_watcher.fd, -1);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0); /* binds it too */
  found = own_name(&udp);
  CHECK(((struct sockaddr_in*) &found)->sin_port != 0);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), UV_EISCONN);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&unix_address)), UV_EINVAL);
  CHECK_EQ(uv_udp_connect(&udp, NULL), 0);
  CHECK_EQ(uv_udp_getpeername(&udp, (struct sockaddr*) &found, &size), UV_ENOTCONN);
  CHECK_EQ(uv_udp_connect(&udp, NULL), UV_ENOTCONN);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), 0);
  CHECK_EQ(uv_udp_getpeername(&udp, (struct sockaddr*) &found, &size), 0);
  check_close_loop(&loop);
}

TEST(open_takes_a_socket) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  init();
  CHECK_EQ(uv_udp_open(&udp, fd), 0);
  CHECK_EQ(descriptor(&udp), fd);
  CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_REUSEADDR), 1);
  CHECK_EQ(uv_udp_open(&udp, fd), UV_EBUSY);
  CHECK_EQ(uv_udp_open(&other, -1), UV_EBADF);
  CHECK_EQ(other.io_watcher.fd, -1);
  uv_close((uv_handle_t*) &udp, NULL);
  CHECK_EQ(fcntl(fd, F_GETFD), -1); /* closed with the handle */
  check_close_loop(&loop);
}

TEST(open_takes_a_connected_socket) {
  struct sockaddr_in peer = loopback(9);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  uv_buf_t byte = uv_buf_init("x", 1);
  CHECK_EQ(connect(fd, (struct sockaddr*) &peer, sizeof(peer)), 0);
  init();
  CHECK_EQ(uv_udp_open(&udp, fd), 0);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), UV_EISCONN);
  CHECK_EQ(uv_udp_try_send(&udp, &byte, 1, ADDR(&peer)), UV_EISCONN);
  CHECK_EQ(uv_udp_try_send(&udp, &byte, 1, NULL), 1);
  check_close_loop(&loop);
}

static void no_buffer(uv_handle_t* handle, size_t size, uv_buf_t* buf) {
  (void) handle, (void) size;
  *buf = uv_buf_init(NULL, 0);
}

static void no_data(uv_udp_t* handle, ssize_t nread, const uv_buf_t* buf, const struct sockaddr* addr, unsigned flags) {
  (void) handle, (void) nread, (void) buf, (void) addr, (void) flags;
}

TEST(open_a_watched_socket) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  init();
  CHECK_EQ(uv_udp_open(&udp, fd), 0);
  CHECK_EQ(uv_udp_recv_start(&udp, no_buffer, no_data), 0);
  CHECK_EQ(uv_udp_open(&other, fd), UV_EEXIST);
  check_close_loop(&loop);
}

TEST(open_with_flags) {
  NEEDS(1, 52);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  init();
  CHECK_EQ(uv_udp_open_ex(&udp, fd, UV_UDP_IPV6ONLY), UV_EINVAL);
  CHECK_EQ(uv_udp_open_ex(&udp, fd, UV_UDP_LINUX_RECVERR), UV_EINVAL);
  CHECK_EQ(uv_udp_open_ex(&udp, fd, 0), 0);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_REUSEADDR), 0);
  CHECK_EQ(uv_udp_open_ex(&other, socket(AF_INET, SOCK_DGRAM, 0), UV_UDP_REUSEADDR | UV_UDP_REUSEPORT), 0);
  CHECK_EQ(option(&other, SOL_SOCKET, SO_REUSEADDR), 1);
  CHECK_EQ(option(&other, SOL_SOCKET, SO_REUSEPORT), 1);
  check_close_loop(&loop);
}

TEST(options_need_a_socket) {
  init();
  CHECK_EQ(uv_udp_set_broadcast(&udp, 1), UV_EBADF);
  CHECK_EQ(uv_udp_set_ttl(&udp, 1), UV_EBADF);
  CHECK_EQ(uv_udp_set_multicast_ttl(&udp, 1), UV_EBADF);
  CHECK_EQ(uv_udp_set_multicast_loop(&udp, 1), UV_EBADF);
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, "127.0.0.1"), UV_EBADF);
  check_close_loop(&loop);
}

TEST(options_of_v4) {
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), 0);
  CHECK_EQ(uv_udp_set_ttl(&udp, -1), UV_EINVAL);
  CHECK_EQ(uv_udp_set_ttl(&udp, 0), UV_EINVAL);
  CHECK_EQ(uv_udp_set_ttl(&udp, 256), UV_EINVAL);
  CHECK_EQ(uv_udp_set_ttl(&udp, 255), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_TTL), 255);
  CHECK_EQ(uv_udp_set_ttl(&udp, 1), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_TTL), 1);
  CHECK_EQ(uv_udp_set_multicast_ttl(&udp, -1), UV_EINVAL);
  CHECK_EQ(uv_udp_set_multicast_ttl(&udp, 256), UV_EINVAL);
  CHECK_EQ(uv_udp_set_multicast_ttl(&udp, 7), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_MULTICAST_TTL), 7);
  CHECK_EQ(uv_udp_set_multicast_loop(&udp, 256), UV_EINVAL);
  CHECK_EQ(uv_udp_set_multicast_loop(&udp, 0), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
  CHECK_EQ(uv_udp_set_multicast_loop(&udp, 1), 0);
  CHECK_EQ(option(&udp, IPPROTO_IP, IP_MULTICAST_LOOP), 1);
  CHECK_EQ(uv_udp_set_broadcast(&udp, 1), 0);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_BROADCAST), 1);
  CHECK_EQ(uv_udp_set_broadcast(&udp, 0), 0);
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_BROADCAST), 0);
  check_close_loop(&loop);
}

static void check_options_of_v6(uv_udp_t* handle) {
  CHECK_EQ(uv_udp_set_ttl(handle, 17), 0);
  CHECK_EQ(option(handle, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 17);
  CHECK_EQ(uv_udp_set_multicast_ttl(handle, 18), 0);
  CHECK_EQ(option(handle, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 18);
  CHECK_EQ(uv_udp_set_multicast_loop(handle, 0), 0);
  CHECK_EQ(option(handle, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
}

TEST(options_of_v6) {
  need_v6();
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v6), 0), 0);
  check_options_of_v6(&udp);
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, NULL), 0);
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, "::1%lo"), 0);
  CHECK_EQ(option(&udp, IPPROTO_IPV6, IPV6_MULTICAST_IF), if_nametoindex("lo"));
  check_close_loop(&loop);
}

TEST(options_of_v6_without_binding) {
  OURS_ONLY("the reference sets the options of IPv4");
  need_v6();
  CHECK_EQ(uv_loop_init(&loop), 0);
  CHECK_EQ(uv_udp_init_ex(&loop, &udp, AF_INET6), 0);
  check_options_of_v6(&udp);
  CHECK_EQ(uv_udp_init(&loop, &other), 0);
  CHECK_EQ(uv_udp_open(&other, socket(AF_INET6, SOCK_DGRAM, 0)), 0);
  check_options_of_v6(&other);
  check_close_loop(&loop);
}

TEST(multicast_interface) {
  struct in_addr found;
  socklen_t size = sizeof(found);
  init();
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), 0);
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, "somewhere"), UV_EINVAL);
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, "127.0.0.1"), 0);
  CHECK_EQ(getsockopt(descriptor(&udp), IPPROTO_IP, IP_MULTICAST_IF, &found, &size), 0);
  CHECK_EQ(found.s_addr, htonl(INADDR_LOOPBACK));
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, NULL), 0);
  CHECK_EQ(getsockopt(descriptor(&udp), IPPROTO_IP, IP_MULTICAST_IF, &found, &size), 0);
  CHECK_EQ(found.s_addr, htonl(INADDR_ANY));
  CHECK_EQ(uv_udp_set_multicast_interface(&udp, "192.0.2.1"), UV_EADDRNOTAVAIL);
  check_close_loop(&loop);
}

TEST(membership) {
  init();
  CHECK_EQ(uv_udp_set_membership(&udp, "somewhere", NULL, UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(udp.io_watcher.fd, -1);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "127.0.0.1", UV_JOIN_GROUP), 0); /* binds it */
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_REUSEADDR), 1);
  CHECK_EQ(own_name(&udp).ss_family, AF_INET);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "127.0.0.1", UV_JOIN_GROUP), UV_EADDRINUSE);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "somewhere", UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "127.0.0.1", (uv_membership) 2), UV_EINVAL);
  CHECK_EQ(uv_udp_set_membership(&udp, "127.0.0.1", "127.0.0.1", UV_JOIN_GROUP), UV_EINVAL); /* no group */
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "127.0.0.1", UV_LEAVE_GROUP), 0);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", "127.0.0.1", UV_LEAVE_GROUP), UV_EADDRNOTAVAIL);
  check_close_loop(&loop);
}

TEST(membership_for_v6) {
  need_v6();
  init();
  CHECK_EQ(uv_udp_set_membership(&udp, "ff01::1:7", "::1%lo", UV_JOIN_GROUP), 0);
  CHECK_EQ(own_name(&udp).ss_family, AF_INET6);
  CHECK_EQ(uv_udp_set_membership(&udp, "ff01::1:7", "127.0.0.1", UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_membership(&udp, "ff01::1:7", "::1%lo", (uv_membership) 2), UV_EINVAL);
  CHECK_EQ(uv_udp_set_membership(&udp, "ff01::1:7", "::1%lo", UV_LEAVE_GROUP), 0);
  CHECK_EQ(uv_udp_set_membership(&udp, "ff01::1:7", "::1%lo", UV_LEAVE_GROUP), UV_EADDRNOTAVAIL);
  check_close_loop(&loop);
}

TEST(source_membership) {
  init();
  const char *group = "232.0.0.1", *lo = "127.0.0.1", *source = "127.0.0.2";
  CHECK_EQ(uv_udp_set_source_membership(&udp, "somewhere", lo, source, UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, "::1", UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, UV_JOIN_GROUP), 0); /* binds it */
  CHECK_EQ(option(&udp, SOL_SOCKET, SO_REUSEADDR), 1);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, "somewhere", source, UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, (uv_membership) 2), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, UV_LEAVE_GROUP), 0);
  CHECK(uv_udp_set_source_membership(&udp, group, lo, source, UV_LEAVE_GROUP) < 0);
  check_close_loop(&loop);
}

TEST(source_membership_for_v6) {
  need_v6();
  init();
  const char *group = "ff31::8000:7", *lo = "::1%lo", *source = "::1";
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, "127.0.0.1", UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, UV_JOIN_GROUP), 0);
  CHECK_EQ(own_name(&udp).ss_family, AF_INET6);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, (uv_membership) 2), UV_EINVAL);
  CHECK_EQ(uv_udp_set_source_membership(&udp, group, lo, source, UV_LEAVE_GROUP), 0);
  check_close_loop(&loop);
}

TEST(a_closing_handle_opens_no_socket) {
  OURS_ONLY("the reference would open a socket that nobody closes");
  struct sockaddr_in peer = loopback(9);
  uv_buf_t byte = uv_buf_init("x", 1);
  uv_udp_send_t req;
  init();
  uv_close((uv_handle_t*) &udp, NULL);
  CHECK_EQ(uv_udp_bind(&udp, ADDR(&any_v4), 0), UV_EINVAL);
  CHECK_EQ(uv_udp_connect(&udp, ADDR(&peer)), UV_EINVAL);
  CHECK_EQ(uv_udp_open(&udp, 0), UV_EINVAL);
  CHECK_EQ(uv_udp_send(&req, &udp, &byte, 1, ADDR(&peer), NULL), UV_EINVAL);
  CHECK_EQ(uv_udp_try_send(&udp, &byte, 1, ADDR(&peer)), UV_EINVAL);
  CHECK_EQ(uv_udp_recv_start(&udp, no_buffer, no_data), UV_EINVAL);
  CHECK_EQ(uv_udp_set_membership(&udp, "239.255.0.1", NULL, UV_JOIN_GROUP), UV_EINVAL);
  CHECK_EQ(udp.io_watcher.fd, -1);
  check_close_loop(&loop);
}
