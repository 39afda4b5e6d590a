#!/usr/bin/env python3
"""Message ports from Python, by ctypes: threads that wait for messages while others run.

    LD_LIBRARY_PATH=out/lib python3 examples/ports.py

A call through ctypes gives up Python's lock for as long as it takes, so a thread in uvx_message_port_receive holds nobody up.
"""
import ctypes as c
import threading

uv = c.CDLL("libuv.so.1")
FOREVER = 2**64 - 1
EOF = -4095


class Buf(c.Structure):
    _fields_ = [("base", c.c_char_p), ("len", c.c_size_t)]


class Desc(c.Structure):
    _fields_ = [
        ("size", c.c_size_t),
        ("tag", c.c_uint64),
        ("bufs", c.POINTER(Buf)),
        ("nbufs", c.c_uint),
        ("xfers", c.c_void_p),
        ("nxfers", c.c_uint),
        ("flags", c.c_uint),
    ]


class Data(c.Structure):  # as Buf, but the bytes need not end with a zero
    _fields_ = [("base", c.c_void_p), ("len", c.c_size_t)]


uv.uv_strerror.restype = c.c_char_p
uv.uvx_message_tag.restype = c.c_uint64
uv.uvx_message_tag.argtypes = [c.c_void_p]
uv.uvx_message_data.restype = c.POINTER(Data)
uv.uvx_message_data.argtypes = [c.c_void_p]
uv.uvx_message_unref.restype = None
uv.uvx_message_unref.argtypes = [c.c_void_p]
uv.uvx_message_port_post.argtypes = [c.c_void_p, c.POINTER(Desc)]
uv.uvx_message_port_receive.argtypes = [c.c_void_p, c.POINTER(c.c_void_p), c.c_uint64]
uv.uvx_message_port_close.argtypes = [c.c_void_p, c.c_uint, c.c_void_p]
uv.uvx_message_channel_create.argtypes = [c.POINTER(c.c_void_p), c.POINTER(c.c_void_p), c.c_void_p]
uv.uvx_broadcast_open.argtypes = [c.POINTER(c.c_void_p), c.c_char_p, c.c_void_p]


def check(status):
    if status != 0:
        raise OSError(status, uv.uv_strerror(status).decode())


class Port:
    """A port, closed at the end of its `with`."""

    def __init__(self, raw):
        self.raw = raw

    @classmethod
    def channel(cls):
        a, b = c.c_void_p(), c.c_void_p()
        check(uv.uvx_message_channel_create(a, b, None))
        return cls(a), cls(b)

    @classmethod
    def broadcast(cls, name):
        raw = c.c_void_p()
        check(uv.uvx_broadcast_open(raw, name.encode(), None))
        return cls(raw)

    def post(self, data=b"", tag=0):
        buf = Buf(data, len(data))
        check(uv.uvx_message_port_post(self.raw, Desc(c.sizeof(Desc), tag, c.pointer(buf), 1, None, 0, 0)))

    def receive(self, timeout_ns=FOREVER):
        """The next message as (tag, bytes), or None at the end."""
        message = c.c_void_p()
        status = uv.uvx_message_port_receive(self.raw, message, timeout_ns)
        if status == EOF:
            return None
        check(status)
        data = uv.uvx_message_data(message).contents
        result = uv.uvx_message_tag(message), c.string_at(data.base, data.len)
        uv.uvx_message_unref(message)
        return result

    def __iter__(self):
        return iter(self.receive, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        check(uv.uvx_message_port_close(self.raw, 0, None))


def answer(port):
    with port:
        for tag, text in port:
            port.post(text.upper() + b"!", tag)


def listen(port, last, seen):
    with port:
        for _, text in port:
            seen.append(text)
            if text == last:
                return


def main():
    here, there = Port.channel()
    thread = threading.Thread(target=answer, args=(there,))
    thread.start()
    with here:
        for tag, word in enumerate([b"ports", b"from", b"python"]):
            here.post(word, tag)
        answers = [here.receive() for _ in range(3)]
    thread.join()
    print("answers:", answers)
    assert answers == [(0, b"PORTS!"), (1, b"FROM!"), (2, b"PYTHON!")]

    lines = [b"line %d" % number for number in range(1000)]
    seen = [[] for _ in range(3)]
    threads = [
        threading.Thread(target=listen, args=(Port.broadcast("news"), lines[-1], listener)) for listener in seen
    ]
    for thread in threads:
        thread.start()
    with Port.broadcast("news") as news:
        for line in lines:
            news.post(line)
    for thread in threads:
        thread.join()
    print("broadcast:", [len(listener) for listener in seen], "lines heard by each")
    assert all(listener == lines for listener in seen)


main()
