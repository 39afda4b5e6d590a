// Message ports from C++: ports that close themselves, messages that are given back, objects that move between threads without
// a copy.
//
//   c++ -std=c++17 -Iinclude examples/ports.cpp -o ports -luv -pthread && ./ports
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <uvx.h>

namespace {

void check(int status) {
  if (status != 0) throw std::runtime_error(uv_strerror(status));
}

struct Unref {
  void operator()(uvx_message_t *message) const { uvx_message_unref(message); }
};
struct Close {
  void operator()(uvx_message_port_t *port) const { uvx_message_port_close(port, 0, nullptr); }
};

class Message {
 public:
  explicit Message(uvx_message_t *raw) : raw_(raw) {}
  std::uint64_t tag() const { return uvx_message_tag(raw_.get()); }
  std::string_view text() const {
    const uv_buf_t *data = uvx_message_data(raw_.get());
    return {data->base, data->len};
  }
  // The object that was moved along, if it was a T.
  template <class T>
  std::unique_ptr<T> take() {
    uvx_xfer_t xfer;
    check(uvx_message_take(raw_.get(), 0, &xfer));
    return std::unique_ptr<T>(static_cast<T *>(xfer.u.mem.base));
  }

 private:
  std::unique_ptr<uvx_message_t, Unref> raw_;
};

class Port {
 public:
  static std::pair<Port, Port> channel() {
    uvx_message_port_t *a, *b;
    check(uvx_message_channel_create(&a, &b, nullptr));
    return {Port(a), Port(b)};
  }
  static Port broadcast(const char *name) {
    uvx_message_port_t *raw;
    check(uvx_broadcast_open(&raw, name, nullptr));
    return Port(raw);
  }

  void post(std::string_view text, std::uint64_t tag = 0) {
    uv_buf_t buf = uv_buf_init(const_cast<char *>(text.data()), static_cast<unsigned>(text.size()));
    uvx_message_desc_t desc{};
    desc.size = sizeof desc;
    desc.tag = tag;
    desc.bufs = &buf;
    desc.nbufs = 1;
    check(uvx_message_port_post(raw_.get(), &desc));
  }

  // Hands an object over. If nobody takes it, it is deleted with the message.
  template <class T>
  void post(std::unique_ptr<T> object, std::uint64_t tag = 0) {
    uvx_xfer_t xfer{};
    xfer.type = UVX_XFER_MEM;
    xfer.u.mem.base = object.get();
    xfer.u.mem.len = sizeof(T);
    xfer.u.mem.free_cb = [](void *base, size_t, void *) { delete static_cast<T *>(base); };
    uvx_message_desc_t desc{};
    desc.size = sizeof desc;
    desc.tag = tag;
    desc.xfers = &xfer;
    desc.nxfers = 1;
    check(uvx_message_port_post(raw_.get(), &desc));
    object.release(); // after an error it is still the caller's
  }

  // The next message; none at the end.
  std::optional<Message> receive() {
    uvx_message_t *message;
    int status = uvx_message_port_receive(raw_.get(), &message, UVX_FOREVER);
    if (status == UV_EOF) return std::nullopt;
    check(status);
    return Message(message);
  }

 private:
  explicit Port(uvx_message_port_t *raw) : raw_(raw) {}
  std::unique_ptr<uvx_message_port_t, Close> raw_;
};

} // namespace

int main() {
  using Numbers = std::vector<int>;
  auto [here, there] = Port::channel();
  std::thread doubling([port = std::move(there)]() mutable {
    while (auto message = port.receive()) {
      auto numbers = message->take<Numbers>(); // the very same vector
      for (int &number : *numbers) number *= 2;
      port.post(std::move(numbers), message->tag());
    }
  });
  auto numbers = std::make_unique<Numbers>(100000, 21);
  const int *data = numbers->data();
  here.post(std::move(numbers), 7);
  auto answer = here.receive();
  auto doubled = answer->take<Numbers>();
  bool same = doubled->data() == data;
  long sum = std::accumulate(doubled->begin(), doubled->end(), 0L);
  { Port closed = std::move(here); }
  doubling.join();
  std::printf("moved: %zu numbers there and back %s a copy, sum %ld\n", doubled->size(), same ? "without" : "with", sum);

  std::vector<std::thread> threads;
  std::vector<int> heard(3);
  for (int &count : heard)
    threads.emplace_back([&count, port = Port::broadcast("news")]() mutable {
      while (auto message = port.receive())
        if (message->text() != "line " + std::to_string(count++) || message->tag() == 999) break;
    });
  {
    Port news = Port::broadcast("news");
    for (int i = 0; i < 1000; i++) news.post("line " + std::to_string(i), i);
  }
  for (std::thread &thread : threads) thread.join();
  std::printf("broadcast: %d, %d and %d lines heard\n", heard[0], heard[1], heard[2]);
  return !same || sum != 4200000 || heard != std::vector<int>(3, 1000);
}
