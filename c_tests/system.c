/* The machine: its names, CPUs, memory, network interfaces, and how busy it is. */
#include "allocs.h"
#include "check.h"

#include <net/if.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char buffer[256];
static size_t size;

TEST(names_of_the_system) {
  uv_utsname_t found;
  struct utsname expected;
  CHECK_EQ(uv_os_uname(NULL), UV_EINVAL);
  memset(&found, 'x', sizeof(found));
  CHECK_EQ(uv_os_uname(&found), 0);
  CHECK_EQ(uname(&expected), 0);
  CHECK_STR(found.sysname, expected.sysname);
  CHECK_STR(found.release, expected.release);
  CHECK_STR(found.version, expected.version);
  CHECK_STR(found.machine, expected.machine);
}

TEST(name_of_the_machine) {
  char expected[256];
  CHECK_EQ(gethostname(expected, sizeof(expected)), 0);
  CHECK_EQ(uv_os_gethostname(NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_os_gethostname(buffer, NULL), UV_EINVAL);
  size = 0;
  CHECK_EQ(uv_os_gethostname(buffer, &size), UV_EINVAL);
  size = strlen(expected);
  CHECK_EQ(uv_os_gethostname(buffer, &size), UV_ENOBUFS);
  CHECK_EQ(size, strlen(expected) + 1);
  CHECK_EQ(uv_os_gethostname(buffer, &size), 0);
  CHECK_EQ(size, strlen(expected));
  CHECK_STR(buffer, expected);
  size = UV_MAXHOSTNAMESIZE;
  CHECK_EQ(uv_os_gethostname(buffer, &size), 0);
}

TEST(time_since_the_start) {
  struct timespec now;
  double one, two;
  CHECK_EQ(uv_uptime(&one), 0);
  CHECK_EQ(uv_uptime(&two), 0);
  CHECK(one > 0 && one <= two);
  CHECK_EQ(clock_gettime(CLOCK_BOOTTIME, &now), 0);
  CHECK(two <= (double) now.tv_sec + 1);
}

TEST(load) {
  double load[3] = {-1, -1, -1}, expected[3];
  uv_loadavg(load);
  for (int i = 0; i < 3; i++) CHECK(load[i] >= 0 && load[i] < 100000);
  CHECK_EQ(getloadavg(expected, 3), 3);
}

TEST(processors) {
  uv_cpu_info_t* list = NULL;
  int count = 0;
  uint64_t total = 0;
  CHECK_EQ(uv_cpu_info(&list, &count), 0);
  CHECK_EQ(count, sysconf(_SC_NPROCESSORS_ONLN));
  for (int i = 0; i < count; i++) {
    CHECK(strlen(list[i].model) > 0);
    CHECK(list[i].speed >= 0 && list[i].speed < 100000);
    CHECK(list[i].cpu_times.user % 10 == 0 && list[i].cpu_times.idle % 10 == 0);
    total += list[i].cpu_times.user + list[i].cpu_times.sys + list[i].cpu_times.idle;
  }
  CHECK(total > 0);
  uv_free_cpu_info(list, count);
  uv_free_cpu_info(NULL, 0);
}

static int processors_failing_at(long n) {
  uv_cpu_info_t* list = NULL;
  int count = -1, result;
  allocs_fail_at(n);
  result = uv_cpu_info(&list, &count);
  allocs_fail_at(0);
  if (result == 0) uv_free_cpu_info(list, count);
  return result;
}

TEST(processors_without_memory) {
  allocs_install();
  CHECK(allocs_exhaust(processors_failing_at) > 0);
}

TEST(addresses_of_interfaces) {
  uv_interface_address_t* list = NULL;
  int count = -1, loopback = 0;
  CHECK_EQ(uv_interface_addresses(&list, &count), 0);
  CHECK(count >= 0);
  CHECK((count == 0) == (list == NULL));
  for (int i = 0; i < count; i++) {
    uv_interface_address_t* item = &list[i];
    CHECK(if_nametoindex(item->name) != 0 || strchr(item->name, ':') != NULL);
    CHECK(item->address.address4.sin_family == AF_INET || item->address.address4.sin_family == AF_INET6);
    CHECK_EQ(item->netmask.netmask4.sin_family, item->address.address4.sin_family);
    if (strcmp(item->name, "lo") != 0) continue;
    loopback++;
    CHECK_EQ(item->is_internal, 1);
    CHECK_EQ(memcmp(item->phys_addr, "\0\0\0\0\0\0", 6), 0);
    if (item->address.address4.sin_family == AF_INET && loopback == 1) {
      CHECK_EQ(ntohl(item->address.address4.sin_addr.s_addr) >> 24, 127);
      CHECK_EQ(ntohl(item->netmask.netmask4.sin_addr.s_addr) >> 24, 255);
    }
  }
  uv_free_interface_addresses(list, count);
  uv_free_interface_addresses(NULL, 0);
  if (loopback == 0) SKIP("the loopback interface is down");
}

static int addresses_failing_at(long n) {
  uv_interface_address_t* list = NULL;
  int count = -1, result;
  allocs_fail_at(n);
  result = uv_interface_addresses(&list, &count);
  allocs_fail_at(0);
  if (result == 0) uv_free_interface_addresses(list, count);
  return result;
}

TEST(addresses_without_memory) {
  NEEDS(1, 52);
  allocs_install();
  (void) allocs_exhaust(addresses_failing_at);
}

TEST(names_of_interfaces) {
  struct if_nameindex* list = if_nameindex();
  CHECK(list != NULL);
  CHECK_EQ(uv_if_indextoname(1, NULL, &size), UV_EINVAL);
  CHECK_EQ(uv_if_indextoname(1, buffer, NULL), UV_EINVAL);
  size = 0;
  CHECK_EQ(uv_if_indextoname(1, buffer, &size), UV_EINVAL);
  size = sizeof(buffer);
  CHECK_EQ(uv_if_indextoname(0x7ffffff0, buffer, &size), UV_ENXIO);
  CHECK_EQ(uv_if_indextoiid(0x7ffffff0, buffer, &size), UV_ENXIO);
  for (struct if_nameindex* item = list; item->if_name != NULL; item++) {
    size = strlen(item->if_name);
    CHECK_EQ(uv_if_indextoname(item->if_index, buffer, &size), UV_ENOBUFS);
    CHECK_EQ(size, strlen(item->if_name) + 1);
    CHECK_EQ(uv_if_indextoname(item->if_index, buffer, &size), 0);
    CHECK_EQ(size, strlen(item->if_name));
    CHECK_STR(buffer, item->if_name);
    size = UV_IF_NAMESIZE;
    CHECK_EQ(uv_if_indextoiid(item->if_index, buffer, &size), 0);
    CHECK_STR(buffer, item->if_name);
  }
  if_freenameindex(list);
}

TEST(memory) {
  struct sysinfo info;
  NEEDS(1, 45);
  CHECK_EQ(sysinfo(&info), 0);
  CHECK_EQ(uv_get_total_memory(), (uint64_t) info.totalram * info.mem_unit);
  CHECK(uv_get_free_memory() > 0 && uv_get_free_memory() < uv_get_total_memory());
  CHECK(uv_get_available_memory() <= uv_get_total_memory());
  CHECK(uv_get_constrained_memory() == 0 || uv_get_constrained_memory() > 1 << 20);
}

TEST(memory_limits_of_the_process) {
  NOT_UNDER_TSAN("it needs more memory than the limit");
  NOT_UNDER_ASAN("it needs more memory than the limit");
  struct rlimit limit = {(rlim_t) 64 << 20, RLIM_INFINITY};
  uint64_t before;
  NEEDS(1, 51);
  before = uv_get_constrained_memory();
  if (before != 0 && before < limit.rlim_cur) SKIP("the limit here is lower");
  CHECK_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
  CHECK_EQ(uv_get_constrained_memory(), limit.rlim_cur);
}
