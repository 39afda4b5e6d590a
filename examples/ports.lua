-- Message ports from LuaJIT, by its ffi: a channel between two coroutines, and a group.
--
--   LD_LIBRARY_PATH=out/lib luajit examples/ports.lua
--
-- What is declared here is what uvx.h says. Nothing calls back into Lua: messages are received, without waiting for any, so that
-- coroutines may go on; a thread that has nothing else to do gives uvx_message_port_receive a timeout.
local ffi = require "ffi"
local uv = ffi.load "libuv.so.1"

ffi.cdef [[
typedef struct { char* base; size_t len; } uv_buf_t;
typedef struct uvx_message_port_s uvx_message_port_t;
typedef struct uvx_message_s uvx_message_t;
typedef struct {
  size_t size; uint64_t tag; const uv_buf_t* bufs; unsigned nbufs; const void* xfers; unsigned nxfers; unsigned flags;
} uvx_message_desc_t;
const char* uv_strerror(int);
int uvx_message_channel_create(uvx_message_port_t** a, uvx_message_port_t** b, const void* options);
int uvx_broadcast_open(uvx_message_port_t** port, const char* name, const void* options);
int uvx_message_port_post(uvx_message_port_t* port, const uvx_message_desc_t* desc);
int uvx_message_port_receive(uvx_message_port_t* port, uvx_message_t** out, uint64_t timeout_ns);
int uvx_message_port_close(uvx_message_port_t* port, unsigned flags, void* cb);
uint64_t uvx_message_tag(const uvx_message_t* message);
const uv_buf_t* uvx_message_data(const uvx_message_t* message);
void uvx_message_unref(uvx_message_t* message);
]]

local EOF, EAGAIN = -4095, -11

local function check(status)
  if status ~= 0 then error(ffi.string(uv.uv_strerror(status)), 2) end
end

local function channel()
  local a, b = ffi.new "uvx_message_port_t*[1]", ffi.new "uvx_message_port_t*[1]"
  check(uv.uvx_message_channel_create(a, b, nil))
  return a[0], b[0]
end

local function broadcast(name)
  local port = ffi.new "uvx_message_port_t*[1]"
  check(uv.uvx_broadcast_open(port, name, nil))
  return port[0]
end

local function post(port, text, tag)
  local bytes = ffi.new("char[?]", #text + 1, text) -- copied by the post
  local buf = ffi.new("uv_buf_t[1]", { { bytes, #text } })
  check(uv.uvx_message_port_post(port, ffi.new("uvx_message_desc_t", ffi.sizeof "uvx_message_desc_t", tag or 0, buf, 1)))
end

-- The text and tag of the next message; nil at the end, false if there is none yet.
local function receive(port)
  local out = ffi.new "uvx_message_t*[1]"
  local status = uv.uvx_message_port_receive(port, out, 0)
  if status == EOF then return nil end
  if status == EAGAIN then return false end
  check(status)
  local data = uv.uvx_message_data(out[0])
  local text, tag = ffi.string(data.base, data.len), tonumber(uv.uvx_message_tag(out[0]))
  uv.uvx_message_unref(out[0])
  return text, tag
end

local function close(port)
  check(uv.uvx_message_port_close(port, 0, nil))
end

-- A channel between two coroutines.
local here, there = channel()
local answering = coroutine.wrap(function()
  while true do
    local text, tag = receive(there)
    if text == nil then return close(there) end
    if text then post(there, text:upper() .. "!", tag) else coroutine.yield() end
  end
end)
for tag, word in ipairs { "ports", "from", "lua" } do post(here, word, tag) end
answering()
local answers = {}
for tag = 1, 3 do
  local text, got = receive(here)
  assert(got == tag)
  answers[tag] = text
end
assert(receive(here) == false)
close(here)
answering()
print("answers: " .. table.concat(answers, " "))
assert(table.concat(answers, " ") == "PORTS! FROM! LUA!")

-- One to many.
local news, listeners = broadcast "news", {}
for i = 1, 3 do listeners[i] = broadcast "news" end
for i = 1, 1000 do post(news, "line " .. i, i) end
close(news)
for _, port in ipairs(listeners) do
  for i = 1, 1000 do
    local text, tag = receive(port)
    assert(text == "line " .. i and tag == i)
  end
  assert(receive(port) == false)
  close(port)
end
print("broadcast: 1000 lines heard by each of " .. #listeners)
