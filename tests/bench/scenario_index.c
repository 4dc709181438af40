#include "tests/bench/scenarios.h"

#include <stdio.h>

#include "graph/index/tx_index.h"
#include "tests/bench/floors.h"
#include "tests/bench/rows.h"

/* What index may take: 64 bytes a transaction, 14 an output, 9 an input. */
static void print_index(const char *index, const char *dir)
{
    double bytes = (double)store_bytes(index);
    double allowed = 64 * truth_number(dir, "txs", 0) + 14 * truth_number(dir, "outputs", 0) +
                     9 * truth_number(dir, "inputs", 0);
    printf("index: %.1f MB, %.2f x (64 bytes a transaction + 14 an output + 9 an input)\n", bytes / 1e6,
           bytes / allowed);
}

static struct usage index_of(const char *dir, const char *store, const char *more)
{
    return run("%s index --quiet --datadir %s --store %s --threads %u%s", bench.unktx, dir, store, bench.threads_max,
               more);
}

/* Transactions anywhere, found by txid by one thread: all of it is in memory after the first time. */
static void bench_look_ups(const char *store)
{
    enum { LOOK_UPS = 300000 };
    static struct hash256 txids[LOOK_UPS];
    struct tx_index *index;
    struct index_tx tx;
    struct fault fault = {0};
    if (index_open(store, &index, &fault) != STATUS_OK)
        die("bench: %s: %s", fault.path, fault.text);
    uint64_t seed = 1, txs = index_totals_of(index).txs;
    for (size_t i = 0; i < LOOK_UPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (index_tx_at(index, (seed >> 20) % txs, &tx, &fault) != STATUS_OK)
            die("bench: %s: %s", fault.path, fault.text);
        txids[i] = tx.txid;
    }
    int row = add_row("look-ups by txid", 1, LOOK_UPS, "M look-ups", -1);
    for (unsigned r = 0; r < bench.runs; r++) {
        double begin = now_s();
        for (size_t i = 0; i < LOOK_UPS; i++)
            if (index_tx_find(index, &txids[i], UINT64_MAX, &tx, &fault) != STATUS_OK)
                die("bench: WRONG: %s", fault.text);
        add_time(row, now_s() - begin);
    }
    index_close(index);
}

/* Memory and temporary files of the largest chain's index, for several --memory. */
static void bench_memory(const char *dir)
{
    static const struct {
        const char *name;
        double mib;
    } sizes[] = {{"256M", 256}, {"512M", 512}, {"2G", 2048}};
    char store[4096], temporary[4200], more[64];
    snprintf(store, sizeof store, "%s", in_base("memory-store"));
    snprintf(temporary, sizeof temporary, "%s/tio/tmp", store);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        remove_tree(store);
        snprintf(more, sizeof more, " --memory %s", sizes[i].name);
        bench.watched = temporary;
        struct usage usage = index_of(dir, store, more);
        bench.watched = NULL;
        double index = (double)store_bytes(in_base("memory-store/tio")), anon = (double)usage.anon_kib / 1024;
        printf("index --memory %s: %.2f s, at most %.1f MiB (%.2f x), temporary files %.1f MB (%.2f x the index)\n",
               sizes[i].name, usage.seconds, anon, anon / sizes[i].mib, (double)usage.watched / 1e6,
               (double)usage.watched / index);
        fflush(stdout);
    }
    remove_tree(store);
}

/* A second index after nothing, 10 and 1,000 new blocks, against the rate of the first. */
static void bench_index_again(double gib)
{
    static const unsigned blocks[3] = {0, 10, 1000};
    char dir[4096], store[4096], old[4096], options[128], name[64];
    snprintf(dir, sizeof dir, "%s", in_base("grown-%g", gib));
    snprintf(store, sizeof store, "%s", in_base("grown-store"));
    snprintf(old, sizeof old, "%s", in_base("grown-before"));
    remove_tree(dir);
    remove_tree(old);
    snprintf(options, sizeof options, "--spends --size %.0f", gib * 1073741824);
    make_chain(dir, options);
    double bytes = truth_number(dir, "bytes", 0);
    int first = rows_so_far(), whole = add_row("index, all of it", bench.threads_max, bytes, "GB", -1);
    add_usage(whole, index_of(dir, old, ""));
    for (unsigned b = 0; b < 3; b++) {
        if (blocks[b] > 0)
            run("%s --spends --blocks %u --block-bytes 150000 %s", bench.chaingen, blocks[b], dir);
        double all = truth_number(dir, "bytes", 0);
        snprintf(name, sizeof name, "index again, %u new blocks", blocks[b]);
        int row = add_row(name, bench.threads_max, blocks[b] ? all - bytes : all, "GB", whole);
        for (unsigned i = 0; i < bench.runs; i++) {
            remove_tree(store);
            run("cp -r %s %s", old, store);
            run("sync %s/tio/data.mdb", store); /* or the first commit writes the whole copy out */
            add_usage(row, index_of(dir, store, ""));
        }
    }
    print_header("index again (floor: the first index)");
    print_rows(first);
    run("%s check --store %s", bench.unktx, store);
    puts("check: right");
    remove_tree(dir);
    remove_tree(store);
    remove_tree(old);
}

void bench_index(double gib)
{
    static const char *const tables[3] = {"txs", "inputs", "outputs"};
    struct chain_files files[3];
    char dir[3][4096], store[4096], options[128], name[64];
    int first = rows_so_far(), floors[3], index[3], dumps[3];
    snprintf(store, sizeof store, "%s", in_base("index-store"));
    for (unsigned s = 0; s < 3; s++) {
        snprintf(dir[s], sizeof dir[s], "%s", in_base("linked-%g", gib * (1u << s)));
        snprintf(options, sizeof options, "--spends --size %.0f", gib * (1u << s) * 1073741824);
        make_chain(dir[s], options);
        files_open(&files[s], dir[s]);
        floors[s] = add_row(floor_names[FLOOR_TXID], bench.threads_max, (double)files[s].bytes, "GB", -1);
        index[s] = add_row("index", bench.threads_max, (double)files[s].bytes, "GB", floors[s]);
    }
    for (unsigned t = 0; t < 3; t++) {
        snprintf(name, sizeof name, "dump %s", tables[t]);
        dumps[t] = add_row(name, bench.threads_max, truth_number(dir[0], tables[t], 0), "M rows", -1);
    }
    for (unsigned i = 0; i < bench.runs; i++)
        for (unsigned s = 3; s-- > 0;) {
            run_floor(&files[s], FLOOR_TXID, bench.threads_max);
            add_time(floors[s], run_floor(&files[s], FLOOR_TXID, bench.threads_max));
            remove_tree(store);
            add_usage(index[s], index_of(dir[s], store, ""));
        }
    for (unsigned i = 0; i < bench.runs; i++)
        for (unsigned t = 0; t < 3; t++)
            add_usage(dumps[t],
                      run("%s dump %s --store %s --threads %u", bench.unktx, tables[t], store, bench.threads_max));
    bench_look_ups(store);
    print_header("index (floor: reading, walking, kinds and txids on as many threads) and dump, its rows thrown away");
    print_rows(first);
    run("%s check --store %s", bench.unktx, store);
    puts("check: right");
    print_index(in_base("index-store/tio"), dir[0]);
    bench_memory(dir[2]);
    bench_index_again(gib / 4);
    for (unsigned s = 0; s < 3; s++)
        files_close(&files[s]);
}
