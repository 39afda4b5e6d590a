/* Uses what the headers offer, so that standards.sh sees every macro expanded under every standard. */

#include <uv.h>
#include <uv.h>
#ifdef HAVE_UVX
#include <uvx.h>
#endif

#define XX(name, text) { UV_##name, #name, text },
static const struct {
  int code;
  const char* name;
  const char* text;
} errors[] = { UV_ERRNO_MAP(XX) };
#undef XX

#define XX(upper, lower) sizeof(uv_##lower##_t),
static const size_t sizes[] = { UV_HANDLE_TYPE_MAP(XX) UV_REQ_TYPE_MAP(XX) };
#undef XX

struct derived {
  UV_HANDLE_FIELDS
  UV_STREAM_FIELDS
};

static const double times[] = { UV_FS_UTIME_NOW, UV_FS_UTIME_OMIT };
static const int flags[] = { UV_FS_O_RDONLY, UV_FS_O_DIRECT, UV_FS_O_DSYNC, UV_FS_O_NOATIME, UV_FS_O_TEMPORARY,
                             UV_PRIORITY_HIGHEST, UV_VERSION_HEX, UV_PIPE_NO_TRUNCATE, UV_LOOP_USE_IO_URING_SQPOLL };

int main(void) {
  uv_once_t once = UV_ONCE_INIT;
  union uv_any_handle handle;
  union uv_any_req req;
  char host[UV_MAXHOSTNAMESIZE], interface[UV_IF_NAMESIZE];
  handle.timer.timeout = req.write.nbufs = 0;
  host[0] = interface[0] = 0;
  return errors[0].code + (int) (sizes[0] + sizeof(struct derived)) + (int) once + flags[0] + (int) times[0] +
         (int) handle.timer.timeout + host[0] + interface[0];
}
