/* What all requests have in common. */
#include "check.h"

TEST(sizes_and_names) {
#define CHECK_TYPE(upper, lower)                                                                                     \
  CHECK_EQ(uv_req_size(UV_##upper), sizeof(uv_##lower##_t));                                                         \
  CHECK_STR(uv_req_type_name(UV_##upper), #lower);
  UV_REQ_TYPE_MAP(CHECK_TYPE)
#undef CHECK_TYPE
}

TEST(no_such_type) {
  static const int none[] = {UV_UNKNOWN_REQ, UV_REQ_TYPE_MAX, UV_REQ_TYPE_MAX + 1, 1000, -1};
  for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
    CHECK_EQ(uv_req_size((uv_req_type) none[i]), (size_t) -1);
    CHECK_EQ(uv_req_type_name((uv_req_type) none[i]), NULL);
  }
}

TEST(data_and_type) {
  uv_work_t req;
  memset(&req, 0, sizeof(req));
  req.type = UV_WORK;
  uv_req_set_data((uv_req_t*) &req, &req);
  CHECK_EQ(req.data, &req);
  CHECK_EQ(uv_req_get_data((uv_req_t*) &req), &req);
  CHECK_EQ(uv_req_get_type((uv_req_t*) &req), UV_WORK);
}
