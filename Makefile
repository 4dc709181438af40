# unktx: make all check bench lint asan tsan install uninstall clean
# Variables: CC CFLAGS BUILD PREFIX DESTDIR SANITIZE (address,undefined / thread)
CC ?= cc
PREFIX ?= /usr/local
BUILD ?= build
PACKAGES = igraph lmdb libsecp256k1 libcrypto
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
OPENMP = -fopenmp
LIB_CFLAGS := $(subst -I/,-isystem /,$(shell pkg-config --cflags $(PACKAGES) cmocka 2>/dev/null))
LIB_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) $(OPENMP) -pthread -I. $(LIB_CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
ALL_LDFLAGS = $(LDFLAGS) $(OPENMP) -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))

LIB_SOURCES := $(sort $(wildcard parser/*.c graph/*.c classify/*.c))
CLI_SOURCES := $(sort $(wildcard cli/*.c))
SUPPORT_SOURCES := $(sort $(wildcard tests/support/*.c))
# tests/FOLDER/test_NOUN.c is one cmocka program each
TEST_SOURCES := $(sort $(wildcard tests/*/test_*.c))

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB := $(BUILD)/libunktx.a
TESTS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES))

all: $(BUILD)/unktx

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(call objects,$(LIB_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/unktx: $(call objects,$(CLI_SOURCES)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(TESTS): $(BUILD)/%: $(BUILD)/%.o $(call objects,$(SUPPORT_SOURCES)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS) -lcmocka

clean:
	rm -rf $(BUILD)

.PHONY: all clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
