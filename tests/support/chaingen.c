#include "tests/support/chaingen_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/mem.h"
#include "parser/sha256.h"

enum { ACTIVE_PLANS = 512, BIG_PLAN = 1000 };

const char *const gen_rules_names[GEN_RULES] = {"core-0.18", "core-0.19", "core-22"};

/* The regtest genesis block: header and the coinbase that all networks share (Core, src/kernel/chainparams.cpp). */
static const char genesis_hex[] =
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3"
    "888a51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000"
    "000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e2062"
    "72696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe554827"
    "1967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    "ac00000000";

void gen_die(const char *what, const char *path)
{
    fprintf(stderr, "chaingen: %s: %s: %s\n", path, what, strerror(errno));
    exit(1);
}

/* ---- plans ---- */

void gen_plant(struct gen *gen, struct plan *plan)
{
    struct gen_truth *truth = &gen->state.truth;
    struct plan_sums sums = plan_sum(plan);
    plan->holder = gen_draw_holder(gen);
    gen_count_member(gen, plan->holder, plan->level == 0 ? NONSTANDARD : PUBKEY);
    for (unsigned r = plan->level; r < GEN_RULES; r++) {
        truth->tdags[r]++;
        truth->nodes[r] += sums.nodes;
        truth->edges[r] += sums.edges;
        truth->heights[r] += sums.height;
        truth->tdag_txs[r] += sums.txs;
        truth->families[r][plan->family]++;
    }
    if (sums.txs >= BIG_PLAN) {
        must_reserve(&gen->big, &gen->big_capacity, gen->big_count + 1, sizeof(struct plan *));
        gen->big[gen->big_count++] = plan;
    } else {
        must_reserve(&gen->active, &gen->active_capacity, gen->active_count + 1, sizeof(struct plan *));
        gen->active[gen->active_count++] = plan;
    }
}

/* Writes the next transaction of some plan; big ones get a third of the turns. False when there is none. */
static bool step_plans(struct gen *gen)
{
    struct rng *rng = &gen->state.rng;
    bool take_big = gen->big_count > 0 && (gen->active_count == 0 || rng_below(rng, 3) == 0);
    struct plan **plans = take_big ? gen->big : gen->active;
    size_t *count = take_big ? &gen->big_count : &gen->active_count;
    if (*count == 0)
        return false;
    size_t pick = rng_below(rng, (uint32_t)*count);
    gen_add_plan_tx(gen, plans[pick]);
    if (plans[pick]->next == plans[pick]->count) {
        plan_free(plans[pick]);
        plans[pick] = plans[--*count];
    }
    return true;
}

/* With `later` chances in 16, its outputs are of a kind that only later rule sets call unknown. */
static struct plan *random_family(struct gen *gen, uint32_t later)
{
    struct rng *rng = &gen->state.rng;
    struct plan *plan = plan_of_family(rng, rng_below(rng, PLAN_FAMILIES), true);
    plan->level = rng_below(rng, 16) < later ? 1 + rng_below(rng, 2) : 0;
    return plan;
}

/* Completes what has been planted. */
static void drain(struct gen *gen)
{
    while (step_plans(gen))
        if (gen_block_full(gen))
            gen_next_block(gen);
    if (gen->txs > 1)
        gen_next_block(gen);
}

void gen_blocks(struct gen *gen, uint32_t blocks, uint64_t bytes)
{
    struct rng *rng = &gen->state.rng;
    uint32_t to_height = gen->state.height + blocks;
    uint64_t to_bytes = gen->state.truth.bytes + bytes;
    gen_make_coins(gen);
    while (blocks ? gen->state.height + 1 < to_height : gen->state.truth.bytes < to_bytes) {
        while (!gen_block_full(gen)) {
            if (rng_below(rng, 10000) >= gen->options.planted_per_10k) {
                gen_add_plain_tx(gen);
                continue;
            }
            if (gen->active_count < 64 || (gen->active_count < ACTIVE_PLANS && rng_below(rng, 16) == 0))
                gen_plant(gen, random_family(gen, 8));
            step_plans(gen);
        }
        gen_next_block(gen);
    }
    if (blocks)
        gen_add_plain_tx(gen);
    drain(gen);
}

void gen_tracked(struct gen *gen, uint64_t count)
{
    uint64_t to = gen->state.truth.tracked + count;
    gen_make_coins(gen);
    while (gen->state.truth.tracked < to) {
        gen_add_tracked_tx(gen);
        if (gen_block_full(gen))
            gen_next_block(gen);
    }
    drain(gen);
}

void gen_tdags(struct gen *gen, uint32_t tdags)
{
    struct rng *rng = &gen->state.rng;
    gen_make_coins(gen);
    while (tdags > 0 || gen->active_count > 0) {
        while (tdags > 0 && gen->active_count < ACTIVE_PLANS) {
            gen_plant(gen, rng_below(rng, 6) ? plan_of_table(rng) : random_family(gen, 1));
            tdags--;
        }
        step_plans(gen);
        if (gen_block_full(gen))
            gen_next_block(gen);
    }
    drain(gen);
}

/* ---- opening and closing ---- */

static FILE *open_in(const struct gen *gen, const char *name, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", gen->options.dir, name);
    return fopen(path, mode);
}

static void write_key(struct gen *gen)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/xor.dat", gen->blocks_dir);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(gen->state.key, 1, 8, file) != 8 || fclose(file) != 0)
        gen_die("cannot write", path);
}

static void begin_chain(struct gen *gen)
{
    struct state *state = &gen->state;
    state->rng.state = gen->options.seed;
    store_le64(state->key, gen->options.xored ? rng_next(&state->rng) | 1 : 0);
    state->rng.state = gen->options.seed + 1; /* the same chain with and without a key */
    write_key(gen);
    uint8_t block[285];
    for (size_t i = 0; i < sizeof block; i++)
        sscanf(genesis_hex + 2 * i, "%2hhx", &block[i]);
    gen->chain = must_alloc(1, sizeof *gen->chain);
    gen->chain_capacity = 1;
    sha256d(block, HEADER, &gen->chain[0]);
    struct bytes record = {0};
    reserve(&record, sizeof block + RECORD_HEAD);
    put(&record, gen_magic, 4);
    put_u32(&record, sizeof block);
    put(&record, block, sizeof block);
    struct gen_truth *truth = &state->truth;
    truth->bytes = record.size;
    truth->blocks = truth->txs = truth->inputs = truth->outputs = truth->kind_count[PUBKEY] = truth->tracked = 1;
    truth->kind_sat[PUBKEY] = 5000000000;
    for (unsigned r = 1; r < GEN_RULES; r++)
        truth->unknown_txs[r] = truth->roots[r] = 1;
    gen_write_record(gen, &record);
    mem_free(record.data);
}

static bool resume_chain(struct gen *gen)
{
    FILE *file = open_in(gen, "chaingen.state", "rb");
    if (!file)
        return false;
    bool ok = fread(&gen->state, sizeof gen->state, 1, file) == 1;
    gen->chain_capacity = gen->state.height + 1;
    gen->chain = must_alloc(gen->chain_capacity, sizeof *gen->chain);
    if (!ok || fread(gen->chain, sizeof *gen->chain, gen->chain_capacity, file) != gen->chain_capacity)
        gen_die("cannot read", "chaingen.state");
    fclose(file);
    file = gen->options.spends ? open_in(gen, "chaingen.coins", "rb") : NULL;
    if (!file)
        return true;
    for (struct coin coin; fread(&coin, sizeof coin, 1, file) == 1;) {
        must_reserve(&gen->coins, &gen->coins_capacity, gen->coins_count + 1, sizeof coin);
        gen->coins[gen->coins_count++] = coin;
    }
    fclose(file);
    return true;
}

struct gen *gen_open(const struct gen_options *options)
{
    struct gen *gen = must_alloc(1, sizeof *gen);
    char path[4096];
    gen->options = *options;
    snprintf(path, sizeof path, "%s/regtest/blocks", options->dir);
    gen->blocks_dir = strcpy(must_alloc(strlen(path) + 1, 1), path);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0777);
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        gen_die("cannot create", path);
    gen->window = must_alloc(options->window ? options->window : 64, sizeof *gen->window);
    must_reserve(&gen->txids, &gen->txids_capacity, 1, sizeof *gen->txids);
    must_reserve(&gen->wtxids, &gen->wtxids_capacity, 1, sizeof *gen->wtxids);
    gen->txs = 1; /* the coinbase's place */
    if (!resume_chain(gen))
        begin_chain(gen);
    return gen;
}

void gen_fork(struct gen *gen, uint32_t height)
{
    size_t kept = 0;
    for (size_t i = 0; i < gen->coins_count; i++)
        if (gen->coins[i].height <= height)
            gen->coins[kept++] = gen->coins[i];
    gen->coins_count = kept;
    gen->state.height = height;
}

uint32_t gen_height(const struct gen *gen) { return gen->state.height; }

struct hash256 gen_tip(const struct gen *gen) { return gen->chain[gen->state.height]; }

const struct gen_truth *gen_truth_of(const struct gen *gen) { return &gen->state.truth; }

static void print_array(FILE *out, const char *name, const uint64_t *values)
{
    fprintf(out, ",\n \"%s\": [%ju, %ju, %ju]", name, (uintmax_t)values[0], (uintmax_t)values[1], (uintmax_t)values[2]);
}

void gen_print_truth(const struct gen *gen, FILE *out)
{
    const struct gen_truth *t = &gen->state.truth;
    char tip[HASH256_HEX_SIZE + 1] = {0};
    hash256_hex(&gen->chain[gen->state.height], tip);
    fprintf(out, "{\"tip\": \"%s\",\n \"blocks\": %ju, \"txs\": %ju, \"inputs\": %ju, \"outputs\": %ju,\n", tip,
            (uintmax_t)t->blocks, (uintmax_t)t->txs, (uintmax_t)t->inputs, (uintmax_t)t->outputs);
    fprintf(out, " \"stale\": %ju, \"bytes\": %ju, \"tracked\": %ju, \"spent\": %ju, \"info\": %ju",
            (uintmax_t)t->stale, (uintmax_t)t->bytes, (uintmax_t)t->tracked, (uintmax_t)t->spent,
            (uintmax_t)(t->info + 200 * t->blocks));
    for (unsigned k = 0; k < KIND_NAMES; k++)
        fprintf(out, ",\n \"%s\": [%ju, %ju]", kind_names[k], (uintmax_t)t->kind_count[k], (uintmax_t)t->kind_sat[k]);
    fputs(",\n \"rules\": [\"core-0.18\", \"core-0.19\", \"core-22\"]", out);
    print_array(out, "unknown_txs", t->unknown_txs);
    print_array(out, "roots", t->roots);
    print_array(out, "tdags", t->tdags);
    print_array(out, "nodes", t->nodes);
    print_array(out, "edges", t->edges);
    print_array(out, "heights", t->heights);
    print_array(out, "tdag_txs", t->tdag_txs);
    for (unsigned f = 0; f < PLAN_FAMILIES; f++) {
        uint64_t counts[GEN_RULES] = {t->families[0][f], t->families[1][f], t->families[2][f]};
        print_array(out, plan_family_names[f], counts);
    }
    if (gen->options.holders)
        gen_print_holders(gen, out);
    fputs("}\n", out);
}

void gen_close(struct gen *gen)
{
    gen_flush_window(gen);
    gen_flush_file(gen);
    FILE *file = open_in(gen, "chaingen.state", "wb");
    size_t count = gen->state.height + 1;
    if (!file || fwrite(&gen->state, sizeof gen->state, 1, file) != 1 ||
        fwrite(gen->chain, sizeof *gen->chain, count, file) != count || fclose(file) != 0)
        gen_die("cannot write", "chaingen.state");
    file = gen->options.spends ? open_in(gen, "chaingen.coins", "wb") : NULL;
    if (file &&
        (fwrite(gen->coins, sizeof *gen->coins, gen->coins_count, file) != gen->coins_count || fclose(file) != 0))
        gen_die("cannot write", "chaingen.coins");
    file = open_in(gen, "truth.json", "w");
    if (!file)
        gen_die("cannot write", "truth.json");
    gen_print_truth(gen, file);
    if (fclose(file) != 0)
        gen_die("cannot write", "truth.json");
    gen_close_holders(gen);
    uint32_t window = gen->options.window ? gen->options.window : 64;
    for (uint32_t i = 0; i < window; i++)
        mem_free(gen->window[i].data);
    mem_free(gen->window);
    mem_free(gen->body.data);
    mem_free(gen->txids);
    mem_free(gen->wtxids);
    mem_free(gen->chain);
    mem_free(gen->coins);
    mem_free(gen->new_coins);
    mem_free(gen->active);
    mem_free(gen->big);
    mem_free(gen->blocks_dir);
    mem_free(gen);
}
