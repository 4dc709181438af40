#include "tests/support/chaingen_parts.h"

#include "parser/mem.h"
#include "parser/pubkey.h"

/* Keys and hash locks of a holder are two: nothing ties them. */
enum { OF_KEY, OF_LOCK, HELD };

static unsigned held_by(unsigned kind) { return kind == NONSTANDARD ? OF_LOCK : OF_KEY; }

uint32_t gen_draw_holder(struct gen *gen)
{
    return gen->options.holders ? 1 + rng_below(&gen->state.rng, gen->options.holders) : 0;
}

void gen_count_member(struct gen *gen, uint32_t holder, unsigned kind)
{
    if (!holder)
        return;
    if (!gen->members)
        gen->members = must_alloc(HELD * ((size_t)gen->options.holders + 1), sizeof *gen->members);
    gen->members[HELD * holder + held_by(kind)]++;
}

void gen_note_held(struct gen *gen, uint32_t vout, unsigned kind)
{
    if (!gen->holder || !gen->options.list_holders)
        return;
    must_reserve(&gen->held, &gen->held_capacity, gen->held_count + 1, sizeof *gen->held);
    gen->held[gen->held_count++] = (struct held){vout, HELD * gen->holder + held_by(kind)};
}

void gen_list_held(struct gen *gen, const struct hash256 *txid)
{
    char hex[HASH256_HEX_SIZE + 1] = {0}, path[4096];
    if (gen->held_count == 0)
        return;
    if (!gen->holders) {
        snprintf(path, sizeof path, "%s/holders.csv", gen->options.dir);
        gen->holders = fopen(path, "w");
        if (!gen->holders || fputs("txid,vout,holder\n", gen->holders) < 0)
            gen_die("cannot write", path);
    }
    hash256_hex(txid, hex);
    for (size_t i = 0; i < gen->held_count; i++)
        fprintf(gen->holders, "%s,%u,%u\n", hex, gen->held[i].vout, gen->held[i].holder);
    gen->held_count = 0;
}

void gen_put_held(struct gen *gen, struct bytes *b)
{
    struct rng rng = {gen->options.seed ^ (uint64_t)gen->holder << 32};
    put_random(b, &rng, 32);
}

void gen_put_held_key(struct gen *gen, struct bytes *b)
{
    struct rng rng = {gen->options.seed ^ (uint64_t)gen->holder << 32};
    size_t start = b->size;
    do { /* every second number is x of a point */
        b->size = start;
        put(b, "\x21\x02", 2);
        put_random(b, &rng, 32);
    } while (!pubkey_on_curve(b->data + start + 1, 33));
}

void gen_print_holders(const struct gen *gen, FILE *out)
{
    uint64_t groups = 0, ties = 0;
    for (size_t h = 0; gen->members && h < HELD * ((size_t)gen->options.holders + 1); h++) {
        groups += gen->members[h] > 1;
        ties += gen->members[h] > 1 ? gen->members[h] - 1 : 0;
    }
    fprintf(out, ",\n \"groups\": %ju, \"ties\": %ju", (uintmax_t)groups, (uintmax_t)ties);
}

void gen_close_holders(struct gen *gen)
{
    if (gen->holders && fclose(gen->holders) != 0)
        gen_die("cannot write", "holders.csv");
    mem_free(gen->members);
    mem_free(gen->held);
}
