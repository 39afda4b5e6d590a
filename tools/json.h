/* Reads JSON in place, without memory: a value is a pointer to its first character in a text that ends in NUL. Enough for the answers
 * of the debug port; strings are taken as they stand, but for \uXXXX below 256. */
#ifndef JSON_H
#define JSON_H

#include <stdlib.h>
#include <string.h>

static inline const char* json_space(const char* at) {
  return at + strspn(at, " \t\r\n");
}

static inline const char* json_string_end(const char* at) { /* behind the closing quote; NULL: none */
  for (at++; *at != '"'; at++) {
    if (*at == '\0') return NULL;
    if (*at == '\\' && *++at == '\0') return NULL;
  }
  return at + 1;
}

/* Behind the value; NULL if there is none, or it is deeper than `depth`. */
static inline const char* json_end_within(const char* at, int depth) {
  if (depth == 0) return NULL;
  if (*at == '"') return json_string_end(at);
  if (*at == '{' || *at == '[') {
    char close = *at == '{' ? '}' : ']';
    at = json_space(at + 1);
    if (*at == close) return at + 1;
    for (;;) {
      if (close == '}') {
        if (*at != '"' || (at = json_string_end(at)) == NULL) return NULL;
        at = json_space(at);
        if (*at++ != ':') return NULL;
        at = json_space(at);
      }
      if ((at = json_end_within(at, depth - 1)) == NULL) return NULL;
      at = json_space(at);
      if (*at == close) return at + 1;
      if (*at++ != ',') return NULL;
      at = json_space(at);
    }
  }
  size_t length = strspn(at, "+-.0123456789Eabcdefghijklmnopqrstuvwxyz");
  return length == 0 ? NULL : at + length;
}

static inline const char* json_end(const char* at) {
  return json_end_within(at, 16);
}

/* The whole text is one value. */
static inline int json_is_whole(const char* text) {
  const char* end = json_end(json_space(text));
  return end != NULL && *json_space(end) == '\0';
}

/* Walks an object or array: the first value with `before` NULL, then the one after `before`; NULL at the end. For an object `key` is set to
 * its key, behind the opening quote. The text must be whole. */
static inline const char* json_next(const char* container, const char* before, const char** key) {
  const char* at = json_space(before == NULL ? container + 1 : json_end(before));
  if (before != NULL && *at == ',') at = json_space(at + 1);
  if (*at == '}' || *at == ']') return NULL;
  if (*container == '{') {
    *key = at + 1;
    at = json_space(json_space(json_string_end(at)) + 1);
  }
  return at;
}

/* The value of a key; NULL: there is none, or `object` is NULL or no object. */
static inline const char* json_get(const char* object, const char* wanted) {
  const char *value = NULL, *key;
  size_t length = strlen(wanted);
  if (object == NULL || *object != '{') return NULL;
  while ((value = json_next(object, value, &key)) != NULL)
    if (strncmp(key, wanted, length) == 0 && key[length] == '"') return value;
  return NULL;
}

static inline const char* json_item(const char* array, int index) {
  const char *value = NULL, *key;
  if (array == NULL || *array != '[') return NULL;
  while ((value = json_next(array, value, &key)) != NULL)
    if (index-- == 0) return value;
  return NULL;
}

static inline long long json_number(const char* value) {
  return value == NULL ? 0 : strtoll(value, NULL, 10);
}

/* The string, cut to fit; returns `text`. */
static inline char* json_string(const char* value, char* text, size_t size) {
  size_t used = 0;
  if (value != NULL && *value == '"') {
    for (value++; *value != '"' && used + 1 < size; value++) {
      char c = *value;
      if (c == '\\' && (c = *++value) == 'u') {
        if (strspn(value + 1, "0123456789abcdefABCDEF") < 4) break;
        char digits[3] = {value[3], value[4], '\0'};
        c = (char) strtol(digits, NULL, 16);
        value += 4;
      }
      text[used++] = c;
    }
  }
  text[used] = '\0';
  return text;
}

#endif
