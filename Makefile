# Builds, tests and installs the library. `make help` lists the targets.

CARGO    ?= cargo
CC       ?= cc
PREFIX   ?= /usr/local
DESTDIR  ?=
REF      ?=
TARGET   := $(or $(CARGO_TARGET_DIR),target)
OUT      := out
LIB      := $(OUT)/lib
VERSION  := $(shell sed -n 's/^\# *define UV_VERSION_\(MAJOR\|MINOR\|PATCH\) *\([0-9]*\).*/\2/p' include/uv/version.h 2>/dev/null | paste -sd.)

C_TESTS   := $(TARGET)/c_tests
C_SOURCES := $(wildcard c_tests/*.c)
C_HEADERS := $(wildcard tools/*.h c_tests/*.h include/*.h include/uv/*.h)
C_FLAGS   := -std=gnu11 -g -O1 -Wall -Wextra -Werror -Iinclude -Ic_tests $(CFLAGS)
# What a program needs that has the static library in it.
STATIC_LIBS := -pthread -ldl -lrt -lm

help:
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: help lib inspect c_tests test rust_tests abi_tests loom demo bench figures consumers install headers clean miri tsan asan races fuzz-smoke lint

# --- the library ---------------------------------------------------------------------------------------------------

inspect: $(OUT)/bin/uvx-inspect ## uvx-inspect, which shows what the loops of a process are doing

$(OUT)/bin/uvx-inspect: tools/uvx_inspect.c tools/json.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror $(CFLAGS) $< -o $@

lib: ## the shared and the static library, in out/lib
	$(CARGO) rustc --release --lib --crate-type cdylib,staticlib # without the rlib, which would keep LTO away
	@mkdir -p $(LIB)
	install -m 755 $(TARGET)/release/libuv.so $(LIB)/libuv.so.1.0.0
	ln -sf libuv.so.1.0.0 $(LIB)/libuv.so.1
	ln -sf libuv.so.1 $(LIB)/libuv.so
	tools/static_library.sh $(TARGET)/release/libuv.a $(LIB)/libuv.a

headers: ## the prototypes in include/, made anew from src/ffi
	tools/headers.sh

install: lib inspect ## the libraries, the headers, libuv.pc and uvx-inspect, into DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/uv
	install -m 755 $(OUT)/bin/uvx-inspect $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(LIB)/libuv.so.1.0.0 $(DESTDIR)$(PREFIX)/lib/
	ln -sf libuv.so.1.0.0 $(DESTDIR)$(PREFIX)/lib/libuv.so.1
	ln -sf libuv.so.1 $(DESTDIR)$(PREFIX)/lib/libuv.so
	install -m 644 $(LIB)/libuv.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 include/*.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 include/uv/*.h $(DESTDIR)$(PREFIX)/include/uv/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' tools/libuv.pc.in \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/libuv.pc

# --- tests ---------------------------------------------------------------------------------------------------------

C_SHARED := $(C_SOURCES:c_tests/%.c=$(C_TESTS)/%)
C_STATIC := $(C_SOURCES:c_tests/%.c=$(C_TESTS)_static/%)

c_tests: $(C_SHARED) $(C_STATIC) ## the C tests as programs, linked with each of the two libraries

$(LIB)/libuv.so.1.0.0 $(LIB)/libuv.a:
	$(MAKE) lib

$(C_TESTS)/%: c_tests/%.c $(C_HEADERS) | $(LIB)/libuv.so.1.0.0
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $< -o $@ -L$(LIB) -luv -pthread -rdynamic -Wl,-z,lazy -lm

$(C_TESTS)_static/%: c_tests/%.c $(C_HEADERS) $(LIB)/libuv.a
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $< -o $@ $(LIB)/libuv.a -rdynamic $(STATIC_LIBS)

test: lib inspect ## everything: Rust and C tests on all variants, headers and ABI, loom, examples
	tools/test.sh

bench: lib ## the benchmarks; REF= a folder with the libuv.so.1 to compare with
	REF="$(REF)" benches/run.sh

figures: lib ## what the extension promises, measured in one run; REF= as for bench
	REF="$(REF)" benches/figures.sh

demo: lib ## the examples, one after the other
	examples/demo.sh

consumers: lib ## real programs on out/lib; CONSUMERS_DIR= the folder with their scripts
	tools/consumers.sh $(LIB)

lint: ## formatting and clippy
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --all-targets --features testing -- -D warnings

miri: ## the memory model of the containers and pointers, under both aliasing models (nightly with miri)
	tools/miri.sh

asan: ## the C tests with AddressSanitizer
	tools/sanitize.sh address

tsan: ## the C tests with ThreadSanitizer
	tools/sanitize.sh thread

races: ## the tests of what went wrong in the original with ThreadSanitizer, REPEAT=N times each
	REPEAT=$(REPEAT) tools/sanitize.sh thread $$(sed '1,/^## The original.s bugs/d' docs/uvx/BEHAVIOUR.md | grep -oE '[a-z_]+::[a-z0-9_]+' | sort -u | grep -v '^subject::')

fuzz-smoke: ## every fuzz target for FUZZ_SECONDS (60) (nightly with cargo-fuzz)
	tools/fuzz.sh

clean: ## removes what was built
	$(CARGO) clean
	rm -rf $(OUT)
