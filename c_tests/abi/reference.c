/*
 * The reference's header, then our prototypes: the compiler rejects a function that is declared otherwise.
 * Compiled as C and as C++ by reference.sh.
 */

#include <uv.h>

#ifdef UV_FUNCTIONS_H
#error "this is not the reference's uv.h"
#endif

/* Types that an older header lacks, for the functions that it lacks too. */
#if UV_VERSION_HEX < 0x012d00
typedef unsigned int uv_clock_id;
typedef struct uv_group_s uv_group_t;
typedef struct uv_metrics_s uv_metrics_t;
typedef struct uv_timespec64_s uv_timespec64_t;
#endif

#ifdef __cplusplus
extern "C" {
#endif
#include OUR_FUNCTIONS
#ifdef __cplusplus
}
#endif
