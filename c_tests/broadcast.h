/* What the tests of groups share: joining one. */
#ifndef BROADCAST_H
#define BROADCAST_H

#include "port.h"

static inline port_t* join(const char* name) {
  port_t* port;
  CHECK_EQ(uvx_broadcast_open(&port, name, NULL), 0);
  return port;
}

static inline port_t* join_bounded(const char* name, size_t messages, size_t bytes, size_t low_water) {
  uvx_message_channel_options_t options;
  port_t* port;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.max_messages = messages;
  options.max_bytes = bytes;
  options.low_water = low_water;
  CHECK_EQ(uvx_broadcast_open(&port, name, &options), 0);
  return port;
}

#endif
