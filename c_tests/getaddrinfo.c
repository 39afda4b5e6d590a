/* Looking up addresses. No network: numbers, "localhost", and for everything else a resolver of this program's own, which takes the
 * place of the C library's once `scripted` is set. */
#include "allocs.h"
#include "held_pool.h"

#include <netdb.h>
#include <pthread.h>

/* What the resolver is to say, and what it was asked. */
static struct {
  int result, system_error;
  int calls;
  char host[512], service[512];
  int host_is_null, service_is_null, hints_are_null;
  struct addrinfo hints;
  pthread_t thread;
} asked;
static int scripted;
static struct addrinfo found; /* what the scripted resolver finds */
static int freed;

/* The C library's. ThreadSanitizer's runtime has one before it, which hides how the C library keeps its own order. */
static int ask_really(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** result) {
#ifdef CHECK_UNDER_TSAN
  __typeof__(getaddrinfo) __interceptor_getaddrinfo;
  return __interceptor_getaddrinfo(host, service, hints, result);
#else
  return ((__typeof__(getaddrinfo)*) dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, result);
#endif
}

int getaddrinfo(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** result) {
  if (!scripted) return ask_really(host, service, hints, result);
  asked.calls++;
  asked.host_is_null = host == NULL;
  asked.service_is_null = service == NULL;
  asked.hints_are_null = hints == NULL;
  snprintf(asked.host, sizeof(asked.host), "%s", host != NULL ? host : "");
  snprintf(asked.service, sizeof(asked.service), "%s", service != NULL ? service : "");
  if (hints != NULL) asked.hints = *hints;
  asked.thread = pthread_self();
  if (asked.result == 0) *result = &found;
  errno = asked.system_error;
  return asked.result;
}

void freeaddrinfo(struct addrinfo* list) {
  if (!scripted) {
    ((__typeof__(freeaddrinfo)*) dlsym(RTLD_NEXT, "freeaddrinfo"))(list);
    return;
  }
  CHECK_EQ(list, &found);
  freed++;
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

static void keep(uv_getaddrinfo_t* req, int status, struct addrinfo* list) {
  CHECK(pthread_equal(pthread_self(), loop_thread));
  CHECK_EQ(req->type, UV_GETADDRINFO);
  CHECK_EQ(req->loop, &loop);
  CHECK_EQ(req->addrinfo, list);
  CHECK_EQ(list != NULL, status == 0);
  last_status = status;
  calls++;
}

static void must_not_run(uv_getaddrinfo_t* req, int status, struct addrinfo* list) {
  (void) req;
  (void) list;
  CHECK_FAIL("called back with %d", status);
}

/* The only address is that, and goes. */
static void check_only(uv_getaddrinfo_t* req, const char* host, int port) {
  struct sockaddr_in wanted;
  CHECK(req->addrinfo != NULL);
  CHECK_EQ(uv_ip4_addr(host, port, &wanted), 0);
  CHECK_EQ(req->addrinfo->ai_family, AF_INET);
  CHECK_EQ(req->addrinfo->ai_addrlen, sizeof(wanted));
  CHECK_EQ(memcmp(req->addrinfo->ai_addr, &wanted, sizeof(wanted)), 0);
  CHECK_EQ(req->addrinfo->ai_next, NULL);
  uv_freeaddrinfo(req->addrinfo);
}

static const struct addrinfo numbers = {
  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};

TEST(a_number_is_its_address) {
  uv_getaddrinfo_t req;
  memset(&req, 0xaa, sizeof(req));
  begin();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, "127.0.0.1", "80", &numbers), 0);
  CHECK_EQ(calls, 0);
  CHECK(uv_loop_alive(&loop));
  CHECK_EQ(uv_loop_close(&loop), UV_EBUSY);
  run();
  CHECK_EQ(calls, 1);
  CHECK_EQ(last_status, 0);
  check_only(&req, "127.0.0.1", 80);
  check_close_loop(&loop);
}

TEST(without_a_callback_it_is_done_at_once) {
  uv_getaddrinfo_t req;
  memset(&req, 0xaa, sizeof(req));
  begin();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, NULL, "127.0.0.1", "80", &numbers), 0);
  check_only(&req, "127.0.0.1", 80);
  CHECK_EQ(uv_getaddrinfo(&loop, &req, NULL, "nobody", NULL, &numbers), UV_EAI_NONAME);
  CHECK_EQ(req.addrinfo, NULL);
  CHECK(!uv_loop_alive(&loop));
  check_close_loop(&loop);
}

TEST(without_a_callback_no_loop_is_needed) {
  NEEDS(1, 52);
  uv_getaddrinfo_t req;
  CHECK_EQ(uv_getaddrinfo(NULL, &req, NULL, "127.0.0.1", "80", &numbers), 0);
  check_only(&req, "127.0.0.1", 80);
}

static int is_loopback(const struct addrinfo* one) {
  if (one->ai_family == AF_INET) return *(unsigned char*) &((struct sockaddr_in*) one->ai_addr)->sin_addr == 127;
  return one->ai_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6*) one->ai_addr)->sin6_addr);
}

static void count_loopback(uv_getaddrinfo_t* req, int status, struct addrinfo* list) {
  keep(req, status, list);
  CHECK_EQ(status, 0);
  for (struct addrinfo* one = list; one != NULL; one = one->ai_next) CHECK(is_loopback(one));
  uv_freeaddrinfo(list);
}

TEST(many_ask_for_localhost_at_the_same_time) {
  uv_getaddrinfo_t reqs[50];
  begin();
  for (int i = 0; i < 50; i++) CHECK_EQ(uv_getaddrinfo(&loop, &reqs[i], count_loopback, "localhost", NULL, NULL), 0);
  run();
  CHECK_EQ(calls, 50);
  check_close_loop(&loop);
}

TEST(a_service_alone) {
  uv_getaddrinfo_t req;
  begin();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, NULL, "1234", &numbers), 0);
  run();
  CHECK_EQ(last_status, 0);
  check_only(&req, "127.0.0.1", 1234);
  check_close_loop(&loop);
}

TEST(a_service_by_its_name) {
  uv_getaddrinfo_t req;
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  if (getservbyname("http", "tcp") == NULL) SKIP("this machine does not know the service http");
  begin();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, "127.0.0.1", "http", &hints), 0);
  run();
  CHECK_EQ(last_status, 0);
  check_only(&req, "127.0.0.1", 80);
  check_close_loop(&loop);
}

TEST(neither_host_nor_service) {
  uv_getaddrinfo_t req;
  begin();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, must_not_run, NULL, NULL, NULL), UV_EINVAL);
  CHECK_EQ(uv_getaddrinfo(&loop, &req, NULL, NULL, NULL, &numbers), UV_EINVAL);
  CHECK_EQ(uv_getaddrinfo(&loop, NULL, must_not_run, "127.0.0.1", NULL, NULL), UV_EINVAL);
  CHECK(!uv_loop_alive(&loop));
  check_close_loop(&loop);
}

TEST(the_question_is_copied) {
  uv_getaddrinfo_t req;
  char host[] = "host", service[] = "service";
  struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM, .ai_protocol = 17};
  begin();
  script(0, 0);
  hold_pool(&loop, 1);
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, host, service, &hints), 0);
  memset(host, 'x', 4);
  memset(service, 'x', 7);
  memset(&hints, 0xff, sizeof(hints));
  let_pool_go();
  run();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(req.addrinfo, &found);
  uv_freeaddrinfo(req.addrinfo);
  CHECK_EQ(freed, 1);
  CHECK(!pthread_equal(asked.thread, loop_thread));
  CHECK_STR(asked.host, "host");
  CHECK_STR(asked.service, "service");
  CHECK_EQ(asked.hints.ai_flags, AI_PASSIVE);
  CHECK_EQ(asked.hints.ai_family, AF_INET6);
  CHECK_EQ(asked.hints.ai_socktype, SOCK_DGRAM);
  CHECK_EQ(asked.hints.ai_protocol, 17);
  check_close_loop(&loop);
}

TEST(what_is_not_given_is_not_asked_for) {
  uv_getaddrinfo_t req;
  begin();
  script(0, 0);
  for (int sync = 0; sync < 2; sync++) {
    CHECK_EQ(uv_getaddrinfo(&loop, &req, sync ? NULL : keep, "host", NULL, NULL), 0);
    run();
    CHECK(!asked.host_is_null && asked.service_is_null && asked.hints_are_null);
    CHECK_EQ(uv_getaddrinfo(&loop, &req, sync ? NULL : keep, NULL, "service", NULL), 0);
    run();
    CHECK(asked.host_is_null && !asked.service_is_null && asked.hints_are_null);
  }
  check_close_loop(&loop);
}

/* What the resolver says, errno, and what the callback gets. */
static const int errors[][3] = {
  {EAI_ADDRFAMILY, 0, UV_EAI_ADDRFAMILY}, {EAI_AGAIN, 0, UV_EAI_AGAIN},       {EAI_BADFLAGS, 0, UV_EAI_BADFLAGS},
  {EAI_CANCELED, 0, UV_EAI_CANCELED},     {EAI_FAIL, 0, UV_EAI_FAIL},         {EAI_FAMILY, 0, UV_EAI_FAMILY},
  {EAI_MEMORY, 0, UV_EAI_MEMORY},         {EAI_NODATA, 0, UV_EAI_NODATA},     {EAI_NONAME, 0, UV_EAI_NONAME},
  {EAI_OVERFLOW, 0, UV_EAI_OVERFLOW},     {EAI_SERVICE, 0, UV_EAI_SERVICE},   {EAI_SOCKTYPE, 0, UV_EAI_SOCKTYPE},
  {EAI_SYSTEM, EMFILE, UV_EMFILE},        {EAI_SYSTEM, ENETDOWN, UV_ENETDOWN}};
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

TEST(every_error_of_the_resolver) {
  uv_getaddrinfo_t req;
  begin();
  for (int i = 0; i < ERRORS; i++) {
    script(errors[i][0], errors[i][1]);
    CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, "host", NULL, NULL), 0);
    run();
    CHECK_EQ(last_status, errors[i][2]);
    CHECK_EQ(req.retcode, errors[i][2]);
    CHECK_EQ(uv_getaddrinfo(&loop, &req, NULL, "host", NULL, NULL), errors[i][2]);
    CHECK_EQ(req.addrinfo, NULL);
    CHECK_EQ(req.retcode, errors[i][2]);
  }
  check_close_loop(&loop);
}

TEST(errors_without_a_number_of_their_own) {
  OURS_ONLY("the reference aborts, or reports success without a result");
  uv_getaddrinfo_t req;
  script(-12345, 0);
  CHECK_EQ(uv_getaddrinfo(NULL, &req, NULL, "host", NULL, NULL), UV_EAI_FAIL);
  script(EAI_SYSTEM, 0);
  CHECK_EQ(uv_getaddrinfo(NULL, &req, NULL, "host", NULL, NULL), UV_EAI_FAIL);
  CHECK_EQ(req.addrinfo, NULL);
}

static void check_name(const char* name, const char* expected) {
  uv_getaddrinfo_t req;
  int before = asked.calls;
  CHECK_EQ(uv_getaddrinfo(&loop, &req, NULL, name, NULL, NULL), expected != NULL ? 0 : UV_EINVAL);
  CHECK_EQ(asked.calls, before + (expected != NULL));
  if (expected != NULL) CHECK_STR(asked.host, expected);
  CHECK_EQ(uv_getaddrinfo(&loop, &req, expected != NULL ? keep : must_not_run, name, NULL, NULL),
           expected != NULL ? 0 : UV_EINVAL);
  run();
  if (expected != NULL) CHECK_STR(asked.host, expected);
}

TEST(names_are_asked_for_in_ascii) {
  begin();
  script(0, 0);
  check_name("EXAMPLE.org.", "EXAMPLE.org.");
  check_name("b\xc3\xbc" "cher.example", "xn--bcher-kva.example");
  check_name("\xe2\x98\x83-\xe2\x8c\x98.com", "xn----dqo34k.com");
  check_name("ma\xc3\xb1" "ana\xe3\x80\x82" "com", "xn--maana-pta.com");
  check_name("a\xef\xbc\x8e" "b\xef\xbd\xa1" "c", "a.b.c");
  check_close_loop(&loop);
}

TEST(names_that_are_none) {
  begin();
  script(0, 0);
  check_name("", NULL);
  check_name("\xff", NULL);
  check_name("a.\xc0\x80.b", NULL);
  check_name("\xed\xa0\x80", NULL);
  check_close_loop(&loop);
}

TEST(names_with_characters_whose_end_is_missing_or_wrong) {
  OURS_ONLY("the reference takes some of them for other characters");
  begin();
  script(0, 0);
  check_name("a\xc3", NULL);
  check_name("\xe2\x82", NULL);
  check_name("a\xf0\x9f", NULL);
  check_name("\xedRG!", NULL);
  check_name("\xf5sj", NULL);
  check_close_loop(&loop);
}

TEST(the_longest_name) {
  char name[300], expected[300];
  begin();
  script(0, 0);
  memset(name, 'a', sizeof(name));
  name[255] = '\0';
  check_name(name, name);
  name[255] = 'a';
  name[256] = '\0';
  check_name(name, NULL);
  strcpy(name + 247, "\xc3\xbc");
  snprintf(expected, sizeof(expected), "xn--%.247s-ykz", name);
  check_name(name, expected);
  memset(name, 'a', 248);
  strcpy(name + 248, "\xc3\xbc");
  check_name(name, NULL);
  check_close_loop(&loop);
}

TEST(a_cancelled_look_up) {
  uv_getaddrinfo_t req;
  allocs_install();
  begin();
  hold_pool(&loop, 1);
  long live = allocs_live();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, "localhost", "80", &numbers), 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), 0);
  CHECK_EQ(calls, 0);
  while (calls < 1) CHECK(uv_run(&loop, UV_RUN_ONCE) != 0); /* no thread had to get free for this */
  CHECK_EQ(last_status, UV_EAI_CANCELED);
  CHECK_EQ(req.retcode, UV_EAI_CANCELED);
  CHECK_EQ(allocs_live(), live);
  let_pool_go();
  run();
  CHECK_EQ(uv_getaddrinfo(&loop, &req, keep, "127.0.0.1", "80", &numbers), 0); /* the request is as good as new */
  run();
  CHECK_EQ(last_status, 0);
  CHECK_EQ(uv_cancel((uv_req_t*) &req), UV_EBUSY);
  check_only(&req, "127.0.0.1", 80);
  check_close_loop(&loop);
}

static int again;

static void ask_again(uv_getaddrinfo_t* req, int status, struct addrinfo* list) {
  CHECK_EQ(status, 0);
  uv_freeaddrinfo(list);
  if (--again > 0) CHECK_EQ(uv_getaddrinfo(&loop, req, ask_again, "127.0.0.1", NULL, &numbers), 0);
}

TEST(the_callback_may_ask_again) {
  uv_getaddrinfo_t req;
  begin();
  again = 20;
  CHECK_EQ(uv_getaddrinfo(&loop, &req, ask_again, "127.0.0.1", NULL, &numbers), 0);
  run();
  CHECK_EQ(again, 0);
  check_close_loop(&loop);
}

TEST(nothing_to_free) {
  uv_freeaddrinfo(NULL);
}

static int ask_without_memory(long n) {
  static const struct { const char *host, *service; const struct addrinfo* hints; } questions[] = {
    {"127.0.0.1", "80", &numbers}, {"127.0.0.1", NULL, NULL}, {NULL, "80", NULL}, {NULL, "80", &numbers}};
  uv_getaddrinfo_t reqs[4];
  int result = 0, sent = 0;
  begin();
  allocs_fail_at(n);
  while (sent < 4 && result == 0) {
    result = uv_getaddrinfo(&loop, &reqs[sent], keep, questions[sent].host, questions[sent].service,
                            questions[sent].hints);
    sent += result == 0;
  }
  allocs_fail_at(0);
  calls = 0;
  run();
  CHECK_EQ(calls, sent);
  for (int i = 0; i < sent; i++) uv_freeaddrinfo(reqs[i].addrinfo);
  check_close_loop(&loop);
  return result;
}

TEST(without_memory_there_is_no_look_up) {
  allocs_install();
  CHECK_EQ(allocs_exhaust(ask_without_memory), 4); /* one block each */
  CHECK_EQ(allocs_live(), 0);
}

TEST(at_once_without_memory) {
  OURS_ONLY("the reference copies the question also when it is asked at once");
  uv_getaddrinfo_t req;
  allocs_install();
  allocs.always = 1;
  CHECK_EQ(uv_getaddrinfo(NULL, &req, NULL, "127.0.0.1", "80", &numbers), 0);
  check_only(&req, "127.0.0.1", 80);
}
