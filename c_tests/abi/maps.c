/* Prints the lists that uv.h offers to the preprocessor, in their order. */

#include <stdio.h>
#include <uv.h>

int main(void) {
#define XX(name, text) printf("error %s %d %s\n", #name, UV_##name, text);
  UV_ERRNO_MAP(XX)
#undef XX
#define XX(upper, lower) printf("handle %s %d %s %zu\n", #upper, UV_##upper, #lower, sizeof(uv_##lower##_t));
  UV_HANDLE_TYPE_MAP(XX)
#undef XX
#define XX(upper, lower) printf("request %s %d %s %zu\n", #upper, UV_##upper, #lower, sizeof(uv_##lower##_t));
  UV_REQ_TYPE_MAP(XX)
#undef XX
  return 0;
}
