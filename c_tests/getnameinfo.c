/* Looking up names by their address. No network: names as numbers, and for everything else a resolver of this program's own, which
 * takes the place of the C library's once `scripted` is set. */
#include "allocs.h"
#include "held_pool.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/un.h>

/* What the resolver is to say, and what it was asked. */
static struct {
  int result, system_error;
  struct sockaddr_storage address;
  socklen_t size;
  int flags;
  pthread_t thread;
} asked;
static int scripted;

int getnameinfo(const struct sockaddr* address, socklen_t size, char* host, socklen_t host_size, char* service,
                socklen_t service_size, int flags) {
  if (!scripted)
    return ((__typeof__(getnameinfo)*) dlsym(RTLD_NEXT, "getnameinfo"))(address, size, host, host_size, service,
                                                                        service_size, flags);
  CHECK_EQ(host_size, NI_MAXHOST);
  CHECK_EQ(service_size, NI_MAXSERV);
  memcpy(&asked.address, address, size);
  asked.size = size;
  asked.flags = flags;
  asked.thread = pthread_self();
  if (asked.result == 0) {
    memset(host, 'h', host_size - 1);
    host[host_size - 1] = '\0';
    memset(service, 's', service_size - 1);
    service[service_size - 1] = '\0';
  }
  errno = asked.system_error;
  return asked.result;
}

static uv_loop_t loop;
static pthread_t loop_thread;
static int calls, last_status;

static void begin(void) {
  loop_thread = pthread_self();
  CHECK_EQ(uv_loop_init(&loop), 0);
}

static void run(void) {
  CHECK_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
}

static void script(int result, int system_error) {
  scripted = 1;
  asked.result = result;
  asked.system_error = system_error;
}

static void keep(uv_getnameinfo_t* req, int status, const char* host, const char* service) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(req->type, UV_GETNAMEINFO);
  CHECK_EQ(req->loop, &loop);
  CHECK_EQ(req->retcode, status);
  CHECK_EQ(host, status == 0 ? req->host : NULL);
  CHECK_EQ(service, status == 0 ? req->service : NULL);
  last_status = status;
  calls++;
}

static void must_not_run(uv_getnameinfo_t* req, int status, const char* host, const char* service) {
  (void) req;
  (void) host;
  (void) service;
  CHECK_FAIL("called back with %d", status);
}

static const struct sockaddr* ip4(const char* text, int port) {
  static struct sockaddr_in address;
  CHECK_EQ(uv_ip4_addr(text, port, &address), 0);
  return (const struct sockaddr*) &address;
}

static const struct sockaddr* ip6(const char* text, int port) {
  static struct sockaddr_in6 address;
  CHECK_EQ(uv_ip6_addr(text, port, &address), 0);
  return (const struct sockaddr*) &address;
}

enum { NUMBERS = NI_NUMERICHOST | NI_NUMERICSERV };

TEST(addresses_as_numbers) {
  uv_getnameinfo_t reqs[2];
  memset(reqs, 0xaa, sizeof(reqs));
  begin();
  CHECK_EQ(uv_getnameinfo(&loop, &reqs[0], keep, ip4("192.0.2.1", 80), NUMBERS), 0);
  CHECK_EQ(uv_getnameinfo(&loop, &reqs[1], keep, ip6("2001:db8::1", 65535), NUMBERS), 0);
  CHECK_EQ(calls, 0);
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run();
  CHECK_EQ(calls, 2);
  CHECK_STR(reqs[0].host, "192.0.2.1");
  CHECK_STR(reqs[0].service, "80");
  CHECK_STR(reqs[1].host, "2001:db8::1");
  CHECK_STR(reqs[1].service, "65535");
  check_close_loop(&loop);
}

TEST(without_a_callback_it_is_done_at_once) {
  uv_getnameinfo_t req;
  begin();
  CHECK_EQ(uv_getnameinfo(&loop, &req, NULL, ip6("::1", 53), NUMBERS), 0);
  CHECK_STR(req.host, "::1");
  CHECK_STR(req.service, "53");
  CHECK(!uv_loop_alive(&loop));
  check_close_loop(&loop);
}

TEST(without_a_callback_no_loop_is_needed) {
  OURS_ONLY("the reference looks into the loop");
  uv_getnameinfo_t req;
  CHECK_EQ(uv_getnameinfo(NULL, &req, NULL, ip4("127.0.0.1", 53), NUMBERS), 0);
  CHECK_STR(req.host, "127.0.0.1");
}

TEST(a_service_by_its_number) {
  uv_getnameinfo_t req;
  if (getservbyport(htons(80), "tcp") == NULL) SKIP("this machine does not know the service of port 80");
  begin();
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), NI_NUMERICHOST), 0);
  run();
  CHECK_EQ(last_status, 0);
  CHECK_STR(req.service, getservbyport(htons(80), "tcp")->s_name);
  check_close_loop(&loop);
}

TEST(what_has_no_names) {
  uv_getnameinfo_t req;
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  begin();
  CHECK_EQ(uv_getnameinfo(&loop, &req, must_not_run, (struct sockaddr*) &name, 0), UV_EINVAL);
  name.sun_family = AF_UNSPEC;
  CHECK_EQ(uv_getnameinfo(&loop, &req, NULL, (struct sockaddr*) &name, 0), UV_EINVAL);
  CHECK_EQ(uv_getnameinfo(&loop, &req, must_not_run, NULL, 0), UV_EINVAL);
  CHECK_EQ(uv_getnameinfo(&loop, NULL, must_not_run, ip4("127.0.0.1", 80), 0), UV_EINVAL);
  CHECK(!uv_loop_alive(&loop));
  check_close_loop(&loop);
}

TEST(the_address_is_copied) {
  uv_getnameinfo_t req;
  struct sockaddr_in6 address, wanted;
  begin();
  script(0, 0);
  hold_pool(&loop, 1);
  CHECK_EQ(uv_ip6_addr("2001:db8::1", 80, &address), 0);
  address.sin6_flowinfo = 1;
  address.sin6_scope_id = 2;
  wanted = address;
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, (struct sockaddr*) &address, NI_DGRAM | NI_NAMEREQD), 0);
  memset(&address, 0xff, sizeof(address));
  let_pool_go();
  run();
  CHECK_EQ(last_status, 0);
  CHECK(!pthread_equal(asked.thread, loop_thread));
  CHECK_EQ(asked.size, sizeof(wanted));
  CHECK_EQ(memcmp(&asked.address, &wanted, sizeof(wanted)), 0);
  CHECK_EQ(asked.flags, NI_DGRAM | NI_NAMEREQD);
  CHECK_EQ(uv_getnameinfo(&loop, &req, NULL, ip4("127.0.0.1", 80), 0), 0);
  CHECK_EQ(asked.size, sizeof(struct sockaddr_in));
  check_close_loop(&loop);
}

TEST(the_longest_names) {
  uv_getnameinfo_t req;
  begin();
  script(0, 0);
  memset(&req, 0xaa, sizeof(req));
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), 0), 0);
  run();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(strlen(req.host), NI_MAXHOST - 1);
  CHECK_EQ(strlen(req.service), NI_MAXSERV - 1);
  check_close_loop(&loop);
}

TEST(every_error_of_the_resolver) {
  static const int errors[][3] = {{EAI_AGAIN, 0, UV_EAI_AGAIN},       {EAI_BADFLAGS, 0, UV_EAI_BADFLAGS},
                                  {EAI_FAIL, 0, UV_EAI_FAIL},         {EAI_FAMILY, 0, UV_EAI_FAMILY},
                                  {EAI_MEMORY, 0, UV_EAI_MEMORY},     {EAI_NONAME, 0, UV_EAI_NONAME},
                                  {EAI_OVERFLOW, 0, UV_EAI_OVERFLOW}, {EAI_SYSTEM, EMFILE, UV_EMFILE}};
  uv_getnameinfo_t req;
  begin();
  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
    script(errors[i][0], errors[i][1]);
    CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), 0), 0);
    run();
    CHECK_EQ(last_status, errors[i][2]);
    CHECK_EQ(uv_getnameinfo(&loop, &req, NULL, ip4("127.0.0.1", 80), 0), errors[i][2]);
    CHECK_EQ(req.retcode, errors[i][2]);
  }
  check_close_loop(&loop);
}

TEST(a_cancelled_look_up) {
  uv_getnameinfo_t req;
  begin();
  hold_pool(&loop, 1);
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), NUMBERS), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), 0);
  CHECK_EQ(calls, 0);
  while (calls < 1) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* no thread had to get free for this */
  CHECK_EQ(last_status, UV_EAI_CANCELED);
  let_pool_go();
  run();
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), NUMBERS), 0); /* the request is as good as new */
  run();
  CHECK_EQ(last_status, 0);
  CHECK_STR(req.host, "127.0.0.1");
  CHECK_EQ(uv_cancel((uv_req_t*) &req), UV_EBUSY);
  check_close_loop(&loop);
}

static int again;

static void ask_again(uv_getnameinfo_t* req, int status, const char* host, const char* service) {
  CHECK_EQ(status, 0);
  CHECK_STR(host, "127.0.0.1");
  CHECK_STR(service, "80");
  if (--again > 0) CHECK_EQ(uv_getnameinfo(&loop, req, ask_again, ip4("127.0.0.1", 80), NUMBERS), 0);
}

TEST(the_callback_may_ask_again) {
  uv_getnameinfo_t req;
  begin();
  again = 20;
  CHECK_EQ(uv_getnameinfo(&loop, &req, ask_again, ip4("127.0.0.1", 80), NUMBERS), 0);
  run();
  CHECK_EQ(again, 0);
  check_close_loop(&loop);
}

TEST(names_need_no_memory) {
  uv_getnameinfo_t req;
  allocs_install();
  begin();
  setenv("UV_THREADPOOL_SIZE", "4", 1);
  allocs.always = 1;
  CHECK_EQ(uv_getnameinfo(&loop, &req, keep, ip4("127.0.0.1", 80), NUMBERS), 0);
  run();
  CHECK_EQ(last_status, 0);
  allocs.always = 0;
  check_close_loop(&loop);
}
