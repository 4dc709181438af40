/* An index whose file is damaged: whatever bytes are changed, every command that reads it, and one that builds on it,
 * ends in an answer or in an error with a text. The input is a list of changes of 8 bytes each to an index that is made
 * at the start: page (2), offset in it (2), what to do (2), a number (2). */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "parser/bytes.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"

static char *folder, path[300], txid[HASH256_HEX_SIZE + 1];
static uint8_t *base, *bytes;
static size_t base_size;

static void clean_up(void) { remove_tree(folder); }

/* A part of the chain is added later, and blocks are taken back: the index then has all its tables. */
static void make_index(void)
{
    struct gen_options options = {.dir = path_of("%s/data", folder),
                                  .seed = 3,
                                  .block_bytes = 1500,
                                  .window = 1,
                                  .planted_per_10k = 1000,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 30, 0);
    uint32_t height = gen_height(gen);
    must(command_exit("index --quiet --threads 1 --datadir %s/data --store %s", folder, folder) == 0, "a first index");
    gen_fork(gen, height - 3);
    gen_blocks(gen, 8, 0);
    gen_close(gen);
    must(command_exit("index --quiet --threads 1 --datadir %s/data --store %s", folder, folder) == 0, "a second one");
    struct run run = command_run("dump txs --from-height 3 --to-height 3 --store %s", folder);
    must(sscanf(strchr(run.out, '\n'), "\n3,0,%64[0-9a-f]", txid) == 1, "a txid");
    run_free(&run);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    temp_dir_in_memory();
    folder = temp_dir();
    atexit(clean_up);
    snprintf(path, sizeof path, "%s/tio/data.mdb", folder);
    kv_map_step((size_t)1 << 20);
    make_index();
    base = (uint8_t *)read_file(path, &base_size);
    bytes = malloc(base_size);
    must(base && bytes, "the index is read back");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const commands[] = {"check --threads 1",
                                           "dump inputs --threads 1 -o /dev/null",
                                           "dump outputs --threads 1 -o /dev/null",
                                           "dump txs --threads 1 -o /dev/null",
                                           "dump blocks --threads 1 -o /dev/null",
                                           "tx 7 -o /dev/null"};
    size_t end = damage(bytes, base, base_size, data, size);
    kv_open_leaves(size / DAMAGE_SIZE % 2 ? 0 : UINT64_MAX); /* looked at on opening, or on the way to a key */
    write_file(path, bytes, end);
    for (size_t i = 0; i <= sizeof commands / sizeof *commands + 2; i++) {
        struct run run;
        if (i < sizeof commands / sizeof *commands)
            run = command_run("%s --store %s", commands[i], folder);
        else if (i == sizeof commands / sizeof *commands)
            run = command_run("travel %s -o /dev/null --store %s", txid, folder);
        else if (i == sizeof commands / sizeof *commands + 1)
            run = command_run("tx %s -o /dev/null --store %s", txid, folder);
        else /* takes blocks back, and adds some */
            run = command_run("index --quiet --threads 1 --datadir %s/data --store %s --to-height 20", folder, folder);
        must(run.exit_status == 0 || (run.exit_status == 1 && run.err[0]), "an answer, or an error with a text");
        must(run.exit_status == 0 || size > 0, "an undamaged index is read");
        run_free(&run);
    }
    remove_tree(path_of("%s/tio/tmp", folder));
    return 0;
}
