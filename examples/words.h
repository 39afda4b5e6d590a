/* Counting words, shared by the wordfreq examples. A word is a run of ASCII letters, folded to lower case; of one
 * longer than WORDS_LONGEST letters only the beginning counts. Nothing here is safe to share between threads: each
 * thread counts into its own table and the tables are merged at the end. */
#ifndef WORDS_H
#define WORDS_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  WORDS_LONGEST = 63,
  WORDS_CHUNK = 256 * 1024, /* bytes of a file that are counted at a time */
  WORDS_TOP = 15
};

typedef struct {
  uint64_t count; /* 0: this slot is free */
  uint32_t hash;
  uint32_t length;
  char text[WORDS_LONGEST + 1];
} word_t;

typedef struct {
  word_t *slots; /* open addressing, a power of two of them, at most half full */
  size_t capacity, used;
  uint64_t total;
} words_t;

static inline void words_die(const char *what) {
  perror(what);
  exit(1);
}

static inline void words_init(words_t *words) {
  memset(words, 0, sizeof *words);
  words->capacity = 1 << 12;
  words->slots = calloc(words->capacity, sizeof *words->slots);
  if (words->slots == NULL) words_die("words");
}

static inline void words_free(words_t *words) { free(words->slots); }

static inline word_t *words_slot(const words_t *words, uint32_t hash, const char *text, size_t length) {
  size_t at = hash & (words->capacity - 1);
  for (;; at = (at + 1) & (words->capacity - 1)) {
    word_t *word = &words->slots[at];
    if (word->count == 0) return word;
    if (word->hash == hash && word->length == length && memcmp(word->text, text, length) == 0) return word;
  }
}

static inline void words_grow(words_t *words) {
  words_t larger = {NULL, words->capacity * 2, words->used, words->total};
  larger.slots = calloc(larger.capacity, sizeof *larger.slots);
  if (larger.slots == NULL) words_die("words");
  for (size_t i = 0; i < words->capacity; i++) {
    word_t *word = &words->slots[i];
    if (word->count != 0) *words_slot(&larger, word->hash, word->text, word->length) = *word;
  }
  free(words->slots);
  *words = larger;
}

static inline void words_add(words_t *words, uint32_t hash, const char *text, size_t length, uint64_t count) {
  word_t *word = words_slot(words, hash, text, length);
  words->total += count;
  if (word->count == 0) {
    word->hash = hash;
    word->length = (uint32_t)length;
    memcpy(word->text, text, length);
    word->text[length] = '\0';
    words->used++;
  }
  word->count += count;
  if (words->used * 2 > words->capacity) words_grow(words);
}

static inline void words_merge(words_t *into, const words_t *from) {
  for (size_t i = 0; i < from->capacity; i++) {
    const word_t *word = &from->slots[i];
    if (word->count != 0) words_add(into, word->hash, word->text, word->length, word->count);
  }
}

static inline int words_is_letter(char c) { return (unsigned)((c | 0x20) - 'a') < 26; }

/* Counts the words that begin before `end` in the text; what follows `end` is there to finish the last one. */
static inline void words_count(words_t *words, const char *text, size_t end, size_t length) {
  char folded[WORDS_LONGEST];
  size_t at = 0;
  for (;;) {
    while (at < end && !words_is_letter(text[at])) at++;
    if (at >= end) return;
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t letters = 0;
    for (; at < length && words_is_letter(text[at]); at++) {
      if (letters == WORDS_LONGEST) continue;
      folded[letters] = (char)(text[at] | 0x20);
      hash = (hash ^ (unsigned char)folded[letters++]) * 16777619u;
    }
    words_add(words, hash, folded, letters, 1);
  }
}

/* Room for a chunk, the byte before it and the rest of the word that it may end in. */
enum { WORDS_BUFFER = 1 + WORDS_CHUNK + WORDS_LONGEST };

/* Reads bytes [start, start + length) of a file, length <= WORDS_CHUNK, and what words_count_chunk() needs around them, into
 * a buffer of WORDS_BUFFER bytes. `got` is how much that was. Returns 0 or an errno. */
static inline int words_read_chunk(const char *path, uint64_t start, size_t length, char *buffer, size_t *got) {
  size_t before = start > 0, wanted = before + length + WORDS_LONGEST;
  ssize_t n = 0;
  *got = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  while (*got < wanted && (n = pread(fd, buffer + *got, wanted - *got, (off_t)(start - before + *got))) > 0) *got += (size_t)n;
  int error = n < 0 ? errno : 0;
  close(fd);
  return error;
}

/* Counts the words that begin in what words_read_chunk() read, so that the chunks of a file together count each word once. */
static inline void words_count_chunk(words_t *words, uint64_t start, size_t length, const char *buffer, size_t got) {
  size_t before = start > 0, at = before;
  if (before && got > 0 && words_is_letter(buffer[0])) /* a word of the previous chunk reaches in here */
    while (at < got && words_is_letter(buffer[at])) at++;
  size_t end = before + length < got ? before + length : got;
  if (at < end) words_count(words, buffer + at, end - at, got - at);
}

static inline int words_count_file(words_t *words, const char *path, uint64_t start, size_t length, char *buffer) {
  size_t got;
  int error = words_read_chunk(path, start, length, buffer, &got);
  if (error == 0) words_count_chunk(words, start, length, buffer, got);
  return error;
}

static inline int words_compare(const void *a, const void *b) {
  const word_t *x = *(word_t *const *)a, *y = *(word_t *const *)b;
  if (x->count != y->count) return x->count < y->count ? 1 : -1;
  return strcmp(x->text, y->text);
}

static inline void words_print_top(const words_t *words) {
  size_t n = 0;
  word_t **sorted = malloc((words->used + 1) * sizeof *sorted);
  if (sorted == NULL) words_die("words");
  for (size_t i = 0; i < words->capacity; i++)
    if (words->slots[i].count != 0) sorted[n++] = &words->slots[i];
  qsort(sorted, n, sizeof *sorted, words_compare);
  for (size_t i = 0; i < n && i < WORDS_TOP; i++) printf("%10llu  %s\n", (unsigned long long)sorted[i]->count, sorted[i]->text);
  printf("%10llu  words, %zu different\n", (unsigned long long)words->total, words->used);
  free(sorted);
}

/* Overwrites itself, on standard error. */
static inline void words_print_progress(uint64_t done, uint64_t bytes) {
  fprintf(stderr, "\r%3.0f %%  %.1f of %.1f MB ", 100.0 * (double)done / (double)bytes, (double)done / 1e6, (double)bytes / 1e6);
}

/* The texts to count: what the command line names, else texts of this machine. */

typedef struct {
  char *path;
  uint64_t size;
} text_t;

typedef struct {
  text_t *items;
  size_t count, room;
  uint64_t bytes;
} texts_t;

enum { TEXTS_LEAST = 20 * 1000 * 1000, TEXTS_MOST = 60 * 1000 * 1000 };

static texts_t *texts_found; /* nftw() hands no pointer through */

static inline void texts_add(texts_t *texts, const char *path, uint64_t size) {
  if (texts->count == texts->room) {
    texts->room = texts->room * 2 + 64;
    texts->items = realloc(texts->items, texts->room * sizeof *texts->items);
  }
  char *copy = strdup(path);
  if (texts->items == NULL || copy == NULL) words_die("texts");
  texts->items[texts->count++] = (text_t){copy, size};
  texts->bytes += size;
}

static inline int texts_visit(const char *path, const struct stat *status, int type, struct FTW *unused) {
  const char *suffix = strrchr(path, '.');
  (void)unused;
  if (type == FTW_F && S_ISREG(status->st_mode) && status->st_size > 0 && (suffix == NULL || strcmp(suffix, ".gz") != 0))
    texts_add(texts_found, path, (uint64_t)status->st_size);
  return texts_found->bytes >= TEXTS_MOST;
}

/* Texts that any machine with a C compiler has, repeated until there are at least TEXTS_LEAST bytes. */
static inline void texts_find(texts_t *texts) {
  static const char *const places[] = {"/usr/share/common-licenses", "/usr/share/perl", "/usr/share/doc", "/usr/share/man",
                                       "/usr/include"};
  texts_found = texts;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    if (texts->bytes < TEXTS_MOST) nftw(places[i], texts_visit, 16, FTW_PHYS);
  size_t found = texts->count;
  for (size_t i = 0; found > 0 && texts->bytes < TEXTS_LEAST; i = (i + 1) % found)
    texts_add(texts, texts->items[i].path, texts->items[i].size);
}

static inline texts_t texts_from_arguments(int argc, char **argv) {
  texts_t texts = {0};
  struct stat status;
  for (int i = 1; i < argc; i++) {
    if (stat(argv[i], &status) != 0 || !S_ISREG(status.st_mode)) {
      fprintf(stderr, "%s: not a readable file\n", argv[i]);
      exit(1);
    }
    texts_add(&texts, argv[i], (uint64_t)status.st_size);
  }
  if (argc < 2) texts_find(&texts);
  if (texts.bytes == 0) {
    fprintf(stderr, "no texts to count: name some files\n");
    exit(1);
  }
  return texts;
}

static inline void texts_free(texts_t *texts) {
  for (size_t i = 0; i < texts->count; i++) free(texts->items[i].path);
  free(texts->items);
}

#endif
