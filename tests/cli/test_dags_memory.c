/* unktx dags takes at most 140 bytes of memory for each stored transaction and 24 for each unknown output, as resident
 * at its peak, beyond what a smaller chain takes, and one large page. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

#define BYTES_A_TX 140.0
#define BYTES_AN_OUTPUT 24.0
#define LARGE_PAGE (2048.0 * 1024) /* by which memory grows */

struct chain {
    const char *name;
    uint32_t tdags;
    double txs;
    double outputs;
    double peak; /* bytes */
};

static double number_of(const char *json, const char *name)
{
    const char *at = strstr(json, name);
    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

/* In a process of its own: what this one has had resident would count as its child's. */
static void make_chain(struct chain *chain)
{
    const char *path = path_of("%s/%s", dir, chain->name);
    struct rng rng = {1};
    size_t size;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct gen *gen = gen_open(&(struct gen_options){.dir = path, .seed = 1});
        gen_plant(gen, plan_random(&rng, chain->tdags));
        gen_tdags(gen, chain->tdags);
        gen_close(gen);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char *truth = read_file(path_of("%s/%s/truth.json", dir, chain->name), &size);
    assert_non_null(truth);
    chain->txs = number_of(truth, "\"txs\": ");
    chain->outputs = number_of(truth, "\"tracked\": ");
    free(truth);
}

static void measure(struct chain *chain)
{
    struct rusage usage;
    int status;
    make_chain(chain);
    unktx_ok("scan --datadir %s/%s --store %s/%s-store --quiet", dir, chain->name, dir, chain->name);
    pid_t child = unktx_start("dags --store %s/%s-store --no-unlocks --threads 2 -o %s/%s-out", dir, chain->name, dir,
                              chain->name);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    chain->peak = (double)usage.ru_maxrss * 1024;
}

static void memory_grows_as_promised(void **state)
{
    (void)state;
    struct chain small = {.name = "small", .tdags = 25000}, large = {.name = "large", .tdags = 80000};
    if (SANITIZED) {
        print_message("skipped: a sanitizer has memory of its own\n");
        skip();
    }
    unktx_starts_anew();
    measure(&small);
    measure(&large);
    double txs = large.txs - small.txs, outputs = large.outputs - small.outputs;
    double promised = BYTES_A_TX * txs + BYTES_AN_OUTPUT * outputs + LARGE_PAGE;
    print_message("%.0f transactions and %.0f outputs more: %.1f bytes a transaction\n", txs, outputs,
                  (large.peak - small.peak - BYTES_AN_OUTPUT * outputs) / txs);
    assert_true(txs > 200000);
    if (large.peak - small.peak > promised)
        fail_msg("%.0f bytes more, not %.0f", large.peak - small.peak, promised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_grows_as_promised)};
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
