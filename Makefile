# unktx: make all check check-fast browser engines columns digests fuzz bench long lint asan tsan valgrind install uninstall notebook deb clean
# Variables: CC CFLAGS CPPFLAGS LDFLAGS BUILD PREFIX LIBDIR DESTDIR HARDENING (no: without) SANITIZE (address,undefined / thread)
# FUZZ_SECONDS (for each target)
CC ?= cc
OBJCOPY ?= objcopy
READELF ?= readelf
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
ZSH_FOLDER ?= site-functions
VERSION := $(shell sed -n 's/^.define UNKTX_VERSION "\(.*\)"/\1/p' cli/command.h)
BUILD ?= build
PACKAGES = igraph lmdb libsecp256k1 nettle yaml-0.1 libmicrohttpd sqlite3 libzstd
# -g1: functions and lines, as a backtrace, valgrind and the sanitizers need them, and a build takes a sixth less time
CFLAGS ?= -O2 -g1 -pipe
# no fused multiply-add, which rounds otherwise, so that the same numbers are printed on every machine
SAME_NUMBERS = -ffp-contract=off
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
OPENMP = -fopenmp
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LIB_CFLAGS := $(subst -I/,-isystem /,$(shell pkg-config --cflags $(PACKAGES) cmocka 2>/dev/null))
# loaded when they are first used (parser/library.h), and not linked
LOADED = igraph libmicrohttpd sqlite3
LIB_LIBS := $(shell pkg-config --libs $(filter-out $(LOADED),$(PACKAGES)) 2>/dev/null) -lm
# What makes an error in memory hard to exploit, as far as this compiler has it for this machine; the sanitizers do without.
HARDENING ?= $(if $(SANITIZE),no,yes)
offered = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -S -o /dev/null - 2>/dev/null && echo '$(1)')
ifneq ($(HARDENING),no)
HARDENING_CFLAGS := $(foreach flag,-fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
    -mbranch-protection=standard -fPIE,$(call offered,$(flag))) \
    $(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDENING_LDFLAGS = -pie -Wl,-z,relro -Wl,-z,now
endif
# The same bytes from whatever folder they are built in, also if its name was reached by a symbolic link.
SAME_BYTES = '-ffile-prefix-map=$(CURDIR)=.'
export PWD := $(CURDIR)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDENING_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(SAME_NUMBERS) $(SAME_BYTES) $(OPENMP) -pthread -I. -I$(BUILD)/made $(LIB_CFLAGS) \
    $(if $(SANITIZE),$(SANITIZER) -fno-omit-frame-pointer)
ALL_LDFLAGS = $(HARDENING_LDFLAGS) $(LDFLAGS) $(OPENMP) -pthread $(SANITIZER)
# The test programs are many, and linking them takes longer than compiling: by gold, which is quicker, where it is, and without the
# debugging information, which a sanitizer reads. For a debugger: make TEST_CFLAGS= TEST_LDFLAGS= build/tests/FOLDER/test_NOUN
ifeq ($(SANITIZE),)
TEST_LDFLAGS := $(shell $(CC) -fuse-ld=gold -Wl,--version 2>/dev/null | grep -q gold && echo -fuse-ld=gold) -Wl,--strip-debug
# They spend their time in the library and the commands, not in themselves: less for the compiler to do.
TEST_CFLAGS := $(if $(filter -O2,$(CFLAGS)),-Og) -g0
endif

LIB_SOURCES := $(sort $(wildcard parser/*.c graph/*/*.c classify/*.c))
CLI_SOURCES := $(sort $(wildcard cli/*.c cli/*/*.c))
SUPPORT_SOURCES := $(sort $(wildcard tests/support/*.c))
BENCH_SOURCES := $(filter-out tests/bench/chaingen.c,$(sort $(wildcard tests/bench/*.c))) tests/support/projection.c
CHAINGEN_SOURCES := $(sort $(wildcard tests/support/chaingen*.c) tests/support/plan.c)
# tests/FOLDER/test_NOUN.c is one cmocka program each; that of the hashes, on which the others build, is run first
TEST_SOURCES := tests/parser/test_hasher.c $(filter-out tests/parser/test_hasher.c,$(sort $(wildcard tests/*/test_*.c)))

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB := $(BUILD)/libunktx.a
# the commands, and the program's main under another name, for tests that run them in their own process or in a fork of it
COMMANDS := $(BUILD)/libcommands.a
PROGRAM := $(BUILD)/tests/program.o
# what is installed: the walk alone, with no other name outside than those of include/unktx.h
PUBLIC_LIB := $(BUILD)/public/libunktx.a
# by the names under which each shell looks for them
COMPLETIONS := $(BUILD)/completion/bash/unktx $(BUILD)/completion/zsh/_unktx $(BUILD)/completion/fish/unktx.fish
MAN_PAGES := $(sort $(wildcard cli/man/*.1))
CHAINGEN := $(BUILD)/tests/bench/chaingen
BENCH := $(BUILD)/tests/bench/bench
# tests/fuzz/fuzz_NOUN.c is one fuzz target each, with its seeds in tests/fuzz/corpus/NOUN
FUZZ_NOUNS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 60
REPLAYS := $(FUZZ_NOUNS:%=$(BUILD)/tests/fuzz/replay_%)
FUZZERS := $(FUZZ_NOUNS:%=$(BUILD)/tests/fuzz/fuzzer_%)
TESTS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES))

all: $(BUILD)/unktx $(PUBLIC_LIB) $(COMPLETIONS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# the lists that are built in, as the numbers of C arrays
MADE := $(BUILD)/made/known-scripts.inc $(BUILD)/made/known-figures.inc
$(BUILD)/made/known-scripts.inc: graph/scripts/known-scripts.tsv
$(BUILD)/made/known-figures.inc: cli/inputs/known-figures.tsv
$(MADE):
	@mkdir -p $(@D)
	od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g' >$@.part
	@mv $@.part $@

# Under which names the loaded libraries are found: those that an object which is linked to them asks for. It asks for the functions
# too, so that dpkg-shlibdeps sees which releases have them.
LIBRARIES := $(LOADED:%=$(BUILD)/made/%.so)
$(BUILD)/made/igraph.so: graph/dag/shape.c
$(BUILD)/made/libmicrohttpd.so: cli/output/http_library.h
$(BUILD)/made/sqlite3.so: cli/output/sqlite_library.h
$(LIBRARIES): $(BUILD)/made/%.so:
	@mkdir -p $(@D)
	$(CC) -shared -nostdlib -Wl,--no-as-needed $$(sed -n 's/^ *F([a-z0-9_]*, \([A-Za-z0-9_]*\)).*/-Wl,-u,\1/p' $<) -o $@ $(shell pkg-config --libs $*)
$(BUILD)/made/libraries.h: $(LIBRARIES)
	@for library in $(LOADED); do \
	    file=$$($(READELF) -dW $(@D)/$$library.so | sed -n "s/.*(NEEDED).*\[\(lib$${library#lib}\.[^]]*\)\].*/\1/p"); \
	    [ -n "$$file" ] || { echo "$$library is not here as a shared library" >&2; exit 1; }; \
	    echo "#define $$(echo "$${library#lib}" | tr a-z A-Z)_FILE \"$$file\""; \
	done >$@.part
	@mv $@.part $@

$(addprefix $(BUILD)/,graph/dag/shape.o cli/output/http_library.o cli/output/sqlite_library.o): $(BUILD)/made/libraries.h
$(BUILD)/graph/scripts/catalogue.o: $(BUILD)/made/known-scripts.inc
$(BUILD)/cli/inputs/known_figures.o: $(BUILD)/made/known-figures.inc

# what it uses of ARMv8 it asks the processor for first
ifneq ($(filter aarch64%,$(shell $(CC) -dumpmachine)),)
$(BUILD)/parser/hasher_arm.o: ALL_CFLAGS += -march=armv8-a+crypto
endif

$(LIB): $(call objects,$(LIB_SOURCES))
	@rm -f $@
	ar rcsD $@ $^

$(PUBLIC_LIB): $(call objects,$(sort $(wildcard parser/*.c)))
	@mkdir -p $(@D)
	@rm -f $@
	$(LD) -r -o $(@D)/unktx.o $^
	$(OBJCOPY) --wildcard --keep-global-symbol='unktx_*' $(@D)/unktx.o
	ar rcsD $@ $(@D)/unktx.o

$(PROGRAM): $(BUILD)/cli/main.o
	@mkdir -p $(@D)
	$(OBJCOPY) --redefine-sym main=unktx_main $< $@

$(COMMANDS): $(call objects,$(filter-out cli/main.c,$(CLI_SOURCES))) $(PROGRAM)
	@rm -f $@
	ar rcsD $@ $^

$(BUILD)/unktx: $(call objects,$(CLI_SOURCES)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(COMPLETIONS): $(BUILD)/unktx
	@mkdir -p $(@D)
	$(BUILD)/unktx completion $(notdir $(@D)) >$@.part
	@mv $@.part $@

# all but what makes chains and measures, which is run for large ones too
$(call objects,$(TEST_SOURCES) $(filter-out $(CHAINGEN_SOURCES) $(BENCH_SOURCES),$(SUPPORT_SOURCES)) $(wildcard tests/fuzz/*.c)): ALL_CFLAGS += $(TEST_CFLAGS)

# What each of them is linked with, in one object: that is read in less time than archives with debugging information. A sanitizer has
# sections of its own, which are left as they are.
TESTED := $(call objects,$(SUPPORT_SOURCES)) $(COMMANDS) $(LIB)
LINKED := $(if $(SANITIZE),$(TESTED),$(BUILD)/tests/linked.o)
$(BUILD)/tests/linked.o: $(TESTED)
	$(LD) -r $(if $(TEST_LDFLAGS),--strip-debug) -o $@ --whole-archive $^

# the test that reads graph files back with igraph
$(BUILD)/tests/cli/test_graphfile: LIB_LIBS += $(shell pkg-config --libs igraph)
$(TESTS): $(BUILD)/%: $(BUILD)/%.o $(LINKED)
	$(CC) $(ALL_LDFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(LIB_LIBS) -lcmocka

$(CHAINGEN): $(call objects,tests/bench/chaingen.c $(CHAINGEN_SOURCES)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(BENCH): $(call objects,$(BENCH_SOURCES)) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(REPLAYS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(LINKED)
	$(CC) $(ALL_LDFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(LIB_LIBS) -lcmocka

$(FUZZERS): $(BUILD)/tests/fuzz/fuzzer_%: $(BUILD)/tests/fuzz/fuzz_%.o $(call objects,$(SUPPORT_SOURCES)) $(COMMANDS) $(LIB)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIB_LIBS) -lcmocka

# for a change that is meant to change what is written
digests: $(BUILD)/unktx
	UNKTX=$(BUILD)/unktx sh tests/digests.sh write

# How many entries of the check run at the same time, one more than processors since each waits for the disk now and then; none of
# them knows of the others.
CHECK_JOBS ?= $(shell jobs=$$(nproc 2>/dev/null || echo 1); [ $$jobs -le 4 ] || jobs=4; echo $$((jobs + 1)))
# What takes longest begins first, so that none of it is left alone at the end: the scripts, and then these.
LONG = tests/parser/test_hasher $(addprefix tests/cli/test_,resources no_memory index_faults scan to_height lack interrupt index_flows \
    folder_killed hostile explore_outputs dump_parts explore_commands damage sequential names index reorg)
# Files of the tests are in memory where 8 GiB are free for them there, and programs may run from there, unless $TMPDIR says where: a
# disk takes more of the processor, and has to be waited for.
IN_MEMORY = $(shell [ -z "$$TMPDIR" ] && ! grep -q '^[^ ]* /dev/shm [^ ]* [^ ]*noexec' /proc/mounts && \
    { df -Pk /dev/shm; grep MemAvailable /proc/meminfo; } 2>/dev/null | \
    awk '$$6 == "/dev/shm" { free = $$4 } /MemAvailable/ && $$2 >= 8 * 2^20 && free >= 8 * 2^20 { print "/dev/shm" }')
# $(call run_tests,TESTS,FUZZ_NOUNS,SCRIPTS): what they say that they skip is listed at the end; UNKTX tells which binary to run. Threads
# that have no work sleep: by default libgomp lets them spin, which takes the processor from the other entries.
run_tests = rm -f $(BUILD)/failed $(BUILD)/skipped; \
	printf '%s\n' $(patsubst %,script:%,$(3)) $(patsubst %,program:%,$(filter $(1),$(LONG)) $(filter-out $(LONG),$(1))) \
	    $(patsubst %,corpus:%,$(2)) | \
	    UNKTX=$(BUILD)/unktx CHAINGEN=$(CHAINGEN) BUILD=$(BUILD) CC="$(CC) $(SANITIZER)" MAKE="$(MAKE)" OMP_WAIT_POLICY=passive \
	    $(addprefix TMPDIR=,$(IN_MEMORY)) \
	    xargs -P $(CHECK_JOBS) -I@ sh tests/run.sh @ || echo "not all were run" >>$(BUILD)/failed; \
	if [ -s $(BUILD)/skipped ]; then echo "not tested here:"; sort $(BUILD)/skipped; fi; \
	if [ -s $(BUILD)/failed ]; then echo "FAILED:"; cat $(BUILD)/failed; exit 1; fi; echo "all test programs passed"

check: all $(TESTS) $(CHAINGEN) $(REPLAYS)
	@$(call run_tests,$(TESTS:$(BUILD)/%=%),$(FUZZ_NOUNS),deb browser folder export lists readme install built-in unlocks hidden pair keys protocols documents columns lint notebooks-data notebook graphfiles digests pages)

# What must be seen on every machine: every folder of the house, and the same bytes as elsewhere; without the tests that try long or
# kill processes, so that it ends in a bearable time where a processor is emulated.
FAST = $(filter-out tests/cli/% %/test_canon %/test_canon_giants %/test_shape %/test_index_killed tests/graph/test_tx_index% %/test_kv tests/graph/test_outpoints%,$(TESTS:$(BUILD)/%=%)) \
    tests/cli/test_scan tests/cli/test_templates
FAST_FUZZ = block protocol record scan script
check-fast: all $(FAST:%=$(BUILD)/%) $(CHAINGEN) $(FAST_FUZZ:%=$(BUILD)/tests/fuzz/replay_%)
	@$(call run_tests,$(FAST),$(FAST_FUZZ),notebooks-data digests)

# libFuzzer comes with clang (Debian: libclang-rt-14-dev or the like). What it finds new goes to BUILD/corpus/NOUN.
fuzz:
	$(MAKE) fuzz-run CC=clang SANITIZE=fuzzer-no-link,address,undefined CFLAGS="$(CFLAGS) -fno-sanitize-recover=all" BUILD=$(BUILD)-fuzz

fuzz-run: $(FUZZERS)
	@for noun in $(FUZZ_NOUNS); do \
	    mkdir -p $(BUILD)/corpus/$$noun; echo "== $$noun"; \
	    $(BUILD)/tests/fuzz/fuzzer_$$noun -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=4096 -timeout=25 -close_fd_mask=3 \
	        -print_final_stats=1 -artifact_prefix=$(BUILD)/ $(BUILD)/corpus/$$noun tests/fuzz/corpus/$$noun || exit 1; \
	done

# the lists of columns in the man pages, and docs/tables.md
columns: $(BUILD)/unktx
	UNKTX=$(BUILD)/unktx sh tests/columns.sh write

bench: $(BUILD)/unktx $(BENCH) $(CHAINGEN)
	UNKTX=$(BUILD)/unktx CHAINGEN=$(CHAINGEN) $(BENCH)

# a chain of two million blocks, as test_long_chain has a small one: minutes, and 2 GiB in memory
long: $(BUILD)/unktx $(BUILD)/tests/cli/test_long_chain
	LONG_CHAIN_BLOCKS=2000000 UNKTX=$(BUILD)/unktx $(BUILD)/tests/cli/test_long_chain

# House rules, then the static analysers where they are installed. cppcheck takes the address of what a function is to fill in for a
# use of it (ctuuninitvar); the compilers and valgrind see that better.
lint: $(MADE) $(BUILD)/made/libraries.h
	sh tests/lint.sh
	sh tests/width.sh
	sh tests/sizes.sh
	sh tests/format.sh
	@if command -v cppcheck >/dev/null; then cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=ctuuninitvar --error-exitcode=1 -I. -I$(BUILD)/made parser graph classify cli; else echo "cppcheck is not here: skipped"; fi
	@if command -v clang-tidy >/dev/null; then printf '%s\n' $(LIB_SOURCES) $(CLI_SOURCES) | \
	    xargs -P 2 -I@ clang-tidy --quiet --warnings-as-errors='*' @ -- -std=gnu11 -I. -I$(BUILD)/made $(LIB_CFLAGS); \
	else echo "clang-tidy is not here: skipped"; fi

# A test asks for more memory than there is, and is to be told so.
asan:
	ASAN_OPTIONS=allocator_may_return_null=1 $(MAKE) check SANITIZE=address,undefined BUILD=$(BUILD)-asan

# gcc's libgomp is not instrumented and gives false reports: clang with libomp
tsan:
	TSAN_OPTIONS="ignore_noninstrumented_modules=1 allocator_may_return_null=1" $(MAKE) check CC=clang SANITIZE=thread BUILD=$(BUILD)-tsan

# the test programs that are quick under it, and a scan (those of tests/cli run unktx in a process that it does not follow)
VALGRIND = valgrind --quiet --suppressions=tests/valgrind.supp --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
SLOW = $(BUILD)/tests/cli/% %/test_canon %/test_canon_giants %/test_shape %/test_tx_index_sums
# and what these ask the system for, valgrind gives in its place: memory as malloc takes it, and threads that cannot be made
REPLACED = %/test_mem %/test_parallel
valgrind: $(BUILD)/unktx $(TESTS)
	@for test in $(filter-out $(SLOW) $(REPLACED),$(TESTS)); do \
	    echo "== $${test#$(BUILD)/}"; $(VALGRIND) ./$$test >/dev/null || exit 1; done
	$(VALGRIND) $(BUILD)/unktx analyze --threads 1 --datadir tests/fixtures/regtest-xor -o $(BUILD)/valgrind >/dev/null

# libunktx is only ever linked statically, so that its users need what it needs
define PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR:$(PREFIX)%=$${prefix}%)
includedir=$${prefix}/include

Name: unktx
Description: Bitcoin block files, and which of their outputs have no address
Version: $(VERSION)
Requires: libsecp256k1 nettle
Cflags: -I$${includedir}
Libs: -L$${libdir} -lunktx -pthread $(OPENMP)
endef
export PKG_CONFIG_FILE

DEST_BIN = $(DESTDIR)$(PREFIX)/bin
DEST_MAN = $(DESTDIR)$(PREFIX)/share/man/man1
DEST_DATA = $(DESTDIR)$(PREFIX)/share/unktx
DEST_BASH = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
DEST_ZSH = $(DESTDIR)$(PREFIX)/share/zsh/$(ZSH_FOLDER)
DEST_FISH = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
DEST_LIB = $(DESTDIR)$(LIBDIR)
DEST_INCLUDE = $(DESTDIR)$(PREFIX)/include

install: all
	install -d $(DEST_BIN) $(DEST_MAN) $(DEST_DATA) $(DEST_LIB)/pkgconfig $(DEST_INCLUDE)
	install -m 755 $(BUILD)/unktx $(DEST_BIN)
	install -m 644 $(MAN_PAGES) $(DEST_MAN)
	install -m 644 graph/scripts/known-scripts.tsv cli/inputs/known-figures.tsv $(DEST_DATA)
	install -d $(DEST_BASH) $(DEST_ZSH) $(DEST_FISH)
	install -m 644 $(BUILD)/completion/bash/unktx $(DEST_BASH)
	install -m 644 $(BUILD)/completion/zsh/_unktx $(DEST_ZSH)
	install -m 644 $(BUILD)/completion/fish/unktx.fish $(DEST_FISH)
	install -m 644 $(PUBLIC_LIB) $(DEST_LIB)
	install -m 644 include/unktx.h $(DEST_INCLUDE)
	@echo "$$PKG_CONFIG_FILE" >$(BUILD)/unktx.pc
	install -m 644 $(BUILD)/unktx.pc $(DEST_LIB)/pkgconfig

uninstall:
	rm -f $(DEST_BIN)/unktx $(addprefix $(DEST_MAN)/,$(notdir $(MAN_PAGES)))
	rm -f $(DEST_LIB)/libunktx.a $(DEST_LIB)/pkgconfig/unktx.pc $(DEST_INCLUDE)/unktx.h
	rm -f $(DEST_BASH)/unktx $(DEST_ZSH)/_unktx $(DEST_FISH)/unktx.fish
	rm -rf $(DEST_DATA)

# needs Debian's jupyter-nbconvert, python3-ipykernel, python3-pandas and python3-matplotlib
notebook:
	/usr/bin/python3 -B notebooks-data/notebook.py

# needs dpkg-dev; built in BUILD/package with the flags of dpkg-buildflags, the packages are in BUILD/deb
deb:
	BUILD=$(BUILD) VERSION=$(VERSION) MAKE="$(MAKE)" sh debian/build.sh

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz

# the report and the pages of explore in a headless Chromium
browser: $(BUILD)/unktx $(CHAINGEN)
	BROWSER=all UNKTX=$(BUILD)/unktx CHAINGEN=$(CHAINGEN) sh tests/browser.sh

# the recipes of docs/engines.md; installs npm's @duckdb/node-api into BUILD/engines
engines: $(BUILD)/unktx
	UNKTX=$(BUILD)/unktx BUILD=$(BUILD) sh tests/engines.sh

.PHONY: all browser engines check check-fast columns digests fuzz fuzz-run bench long lint asan tsan valgrind install uninstall notebook deb clean
.SECONDARY:
# those of `make deb` are its own, and may be half written while a test builds the packages
-include $(shell find $(BUILD) -name package -prune -o -type f -name '*.d' -print 2>/dev/null)
