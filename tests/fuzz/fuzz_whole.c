/* Any bytes as a node's only blk file, through the commands: what scan takes in, check finds right, every other command
 * answers, and a scan in two steps on two threads makes the same store. The first byte chooses options. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/command.h"

enum {
    NULLDATA_STORED = 1,
    VERIFY = 2,
    COMPRESS = 4,
    THREADS = 8,
    TWO_STEPS = 16,
    XORED = 32,
    NEWER_RULES = 64,
};

static char *folder;

static void clean_up(void) { remove_tree(folder); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    temp_dir_in_memory();
    folder = temp_dir();
    atexit(clean_up);
    make_dirs(path_of("%s/data/regtest/blocks", folder));
    kv_map_step((size_t)1 << 20);
    return 0;
}

static void write_blocks(const uint8_t *data, size_t size, uint8_t options)
{
    static const uint8_t key[8] = {0x3a, 0x91, 0x07, 0xfe, 0x55, 0xc2, 0x10, 0x6b};
    static const uint8_t none[8];
    uint8_t *bytes = malloc(size ? size : 1);
    must(bytes != NULL, "memory");
    for (size_t i = 0; i < size; i++)
        bytes[i] = data[i] ^ (options & XORED ? key[i % 8] : 0);
    write_file(path_of("%s/data/regtest/blocks/blk00000.dat", folder), bytes, size);
    write_file(path_of("%s/data/regtest/blocks/xor.dat", folder), options & XORED ? key : none, sizeof key);
    free(bytes);
}

static int scan(const char *store, uint8_t options, const char *more)
{
    return command_exit("scan --quiet --datadir %s/data --store %s/%s --nulldata %s%s --threads %d%s", folder, folder,
                        store, options & NULLDATA_STORED ? "store" : "count", options & VERIFY ? " --verify" : "",
                        options & THREADS ? 2 : 1, more);
}

/* What check prints of the store; it may have no block only if the first one is `damaged`. */
static char *digest_of(const char *store, bool damaged)
{
    struct run run = command_run("check --store %s/%s --threads 1", folder, store);
    must(run.exit_status == 0 || (damaged && strstr(run.err, "has no blocks")), run.err);
    char *digest = strdup(run.out);
    run_free(&run);
    return digest;
}

static void read_with(const char *what, const char *more)
{
    int status = command_exit("%s --store %s/a -o %s/out%s", what, folder, folder, more);
    must(status == 0, what);
    remove_tree(path_of("%s/out", folder));
    unlink(path_of("%s/out", folder));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t options = data[0];
    write_blocks(data + 1, size - 1, options);
    int status = scan("a", options, "");
    must(status == 0 || status == 1 || status == 3, "a scan is done, done but for damage, or refused");
    if (status != 1) {
        char *digest = digest_of("a", status == 3);
        if (*digest) {
            read_with(options & COMPRESS ? "dags --compress" : "dags", options & NEWER_RULES ? " --rules core-22" : "");
            read_with("outputs", "");
            read_with("stats --by block", "");
        }
        if (options & TWO_STEPS) {
            int first = scan("b", (uint8_t)(options & ~THREADS), " --to-height 2");
            int second = scan("b", options ^ THREADS, "");
            must((first > second ? first : second) == status, "a scan in two steps ends as one in one step");
            char *again = digest_of("b", status == 3);
            must(strcmp(digest, again) == 0, "and makes the same store");
            free(again);
        }
        free(digest);
    }
    remove_tree(path_of("%s/a", folder));
    remove_tree(path_of("%s/b", folder));
    return 0;
}
