/* unktx index --sequential keeps to its --memory, also where most blocks of the chain wait for their turn. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

#define CHAIN_BYTES (UINT64_C(240) << 20)
#define MEMORY_KIB (256 << 10)

/* Blocks of all heights in all files. In a process of its own: what this one has had resident would count as its
 * child's. */
static void make_chain(void)
{
    const char *data = path_of("%s/data", dir);
    int status;
    pid_t child = fork();
    if (child == 0) {
        make_dirs(data);
        struct gen *gen = gen_open(&(struct gen_options){
            .dir = data, .seed = 4, .xored = true, .block_bytes = 1000000, .window = 1000, .spends = true});
        gen_blocks(gen, 0, CHAIN_BYTES);
        gen_close(gen);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_memory(void **state)
{
    (void)state;
    struct rusage usage;
    int status;
    if (SANITIZED) {
        print_message("skipped: a sanitizer has memory of its own\n");
        skip();
    }
    unktx_starts_anew();
    make_chain();
    pid_t child = unktx_start("index --sequential --quiet --memory %dK --datadir %s/data --store %s/by-file",
                              MEMORY_KIB, dir, dir);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    print_message("%ld KiB\n", usage.ru_maxrss);
    assert_true(usage.ru_maxrss <= MEMORY_KIB);
    unktx_ok("index --no-sequential --quiet --datadir %s/data --store %s/by-chain", dir, dir);
    assert_same_index(path_of("%s/by-file", dir), path_of("%s/by-chain", dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
