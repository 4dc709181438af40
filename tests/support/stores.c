#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/bytes.h"
#include "tests/support/command.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/table.h"

static const char *const tables[] = {"outputs", "stats", "tdags", "classes", "txs", "arcs", "leaves"};
#define TABLES (sizeof tables / sizeof *tables)

void store_digest(const char *store, char digest[DIGEST_SIZE + 1])
{
    struct run run = command_run_apart("check --threads 1 --store %s", store);
    if (run.exit_status != 0)
        fail_msg("check --store %s: exit status %d: %s", store, run.exit_status, run.err);
    const char *at = strstr(run.out, "digest ");
    if (!at || sscanf(at, "digest %64s", digest) != 1 || strlen(digest) != DIGEST_SIZE)
        fail_msg("check names no digest: %s", run.out);
    run_free(&run);
}

uint32_t store_blocks(const char *store)
{
    struct run run = command_run_apart("stats --store %s -o %s.stats.csv", store, store);
    uint32_t blocks = 0;
    if (run.exit_status == 0) {
        struct table stats = table_read(path_of("%s.stats.csv", store));
        blocks = (uint32_t)table_number(&stats, 0, table_column(&stats, "blocks"));
        table_free(&stats);
        remove(path_of("%s.stats.csv", store));
    } else if (!strstr(run.err, "no blocks yet") && !strstr(run.err, "is not finished") &&
               !strstr(run.err, "there is no store here")) {
        fail_msg("stats --store %s: %s", store, run.err);
    }
    run_free(&run);
    return blocks;
}

void store_tables(const char *store, const char *rules, const char *folder)
{
    make_dirs(folder);
    unktx_ok("outputs --store %s --rules %s -o %s/outputs.csv", store, rules, folder);
    unktx_ok("stats --store %s --by block -o %s/stats.csv", store, folder);
    unktx_ok("dags --no-unlocks --store %s --rules %s -o %s", store, rules, folder);
}

void assert_same_tables(const char *a, const char *b)
{
    char first[2000], second[2000]; /* copies: they may come from path_of */
    snprintf(first, sizeof first, "%s", a);
    snprintf(second, sizeof second, "%s", b);
    for (size_t i = 0; i < TABLES; i++)
        assert_same_file(path_of("%s/%s.csv", first, tables[i]), path_of("%s/%s.csv", second, tables[i]));
}

void assert_same_stores(const char *a, const char *b, const char *scratch)
{
    char first[DIGEST_SIZE + 1], second[DIGEST_SIZE + 1];
    store_digest(a, first);
    store_digest(b, second);
    assert_string_equal(first, second);
    store_tables(a, "core-22", path_of("%s/tables-a", scratch));
    store_tables(b, "core-22", path_of("%s/tables-b", scratch));
    assert_same_tables(path_of("%s/tables-a", scratch), path_of("%s/tables-b", scratch));
}

uint32_t store_page_size(const char *data_path)
{
    uint8_t head[44]; /* mm_dbs[0].md_pad of mdb.c after the headers of the page and of the meta page */
    FILE *file = fopen(data_path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    return load_le32(head + 40);
}
