/* How many threads can run at a time. */
#include "check.h"

#include <sched.h>

TEST(at_least_one_and_not_more_than_the_cpus) {
  cpu_set_t set;
  NEEDS(1, 44);
  CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  CHECK(uv_available_parallelism() >= 1);
  CHECK(uv_available_parallelism() <= (unsigned) CPU_COUNT(&set));
}

TEST(follows_the_affinity_of_the_calling_thread) {
  cpu_set_t set;
  int cpu = 0;
  NEEDS(1, 44);
  CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  while (!CPU_ISSET(cpu, &set)) cpu++;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK_EQ(sched_setaffinity(0, sizeof(set), &set), 0);
  CHECK_EQ(uv_available_parallelism(), 1);
}
