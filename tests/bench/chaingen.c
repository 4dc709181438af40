/* chaingen: writes a regtest chain like mainnet's of recent years, or one of T-DAGs, with its truth as JSON.
 *
 *   chaingen [--size BYTES] [--blocks N] [--tracked N] [--tdags N] [--giants PERCENT] [--random TXS] [--seed N]
 *            [--xor] [--holders N [--list-holders]] [--spends] [--planted PER_10K] [--block-bytes N] DIR
 *
 * The parts are written in the order tracked, tdags, size, blocks; in a DIR that has a chain already, they are added
 * to it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/chaingen.h"

/* The model's giants, scaled: nine 20,000-root fan-ins, a 2,260-deep one with 10 roots, a chain of 200,000 and a
 * T-DAG of a million transactions. */
static void plant_giants(struct gen *gen, struct rng *rng, uint32_t percent)
{
    uint32_t fan_ins = (9 * percent + 50) / 100;
    for (uint32_t i = 0; i < fan_ins; i++)
        gen_plant(gen, plan_fan_in(20000));
    gen_plant(gen, plan_deep(2260, 10));
    gen_plant(gen, plan_deep(2000 * percent, 1));
    gen_plant(gen, plan_random(rng, 10000 * percent));
}

/* How the chain is to be, and its parts. */
struct order {
    struct gen_options how;
    uint64_t size;
    uint64_t tracked;
    uint32_t blocks;
    uint32_t tdags;
    uint32_t giants;
    uint32_t random;
    bool help;
};

/* A whole number up to `most`; "200M" is none. */
static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    bool is_number = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number <= most;
    if (!is_number)
        fprintf(stderr, "chaingen: '%s' is no whole number up to %llu\n", text, (unsigned long long)most);
    return is_number;
}

static bool read_options(int argc, char **argv, struct order *order)
{
    static const struct option options[] = {
        {"size", 1, NULL, 's'},   {"blocks", 1, NULL, 'b'},  {"tracked", 1, NULL, 't'},
        {"tdags", 1, NULL, 'd'},  {"giants", 1, NULL, 'g'},  {"seed", 1, NULL, 'r'},
        {"xor", 0, NULL, 'x'},    {"planted", 1, NULL, 'p'}, {"block-bytes", 1, NULL, 'k'},
        {"spends", 0, NULL, 'c'}, {"holders", 1, NULL, 'h'}, {"list-holders", 0, NULL, 'l'},
        {"random", 1, NULL, 'm'}, {"help", 0, NULL, 'H'},    {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t number = 0, most = strchr("str", option) ? UINT64_MAX : UINT32_MAX;
        if (optarg && !read_number(optarg, most, &number))
            return false;
        switch (option) {
        case 's': order->size = number; break;
        case 'b': order->blocks = (uint32_t)number; break;
        case 't': order->tracked = number; break;
        case 'd': order->tdags = (uint32_t)number; break;
        case 'g': order->giants = (uint32_t)number; break;
        case 'm': order->random = (uint32_t)number; break;
        case 'r': order->how.seed = number; break;
        case 'x': order->how.xored = true; break;
        case 'c': order->how.spends = true; break;
        case 'h': order->how.holders = (uint32_t)number; break;
        case 'l': order->how.list_holders = true; break;
        case 'p': order->how.planted_per_10k = (uint32_t)number; break;
        case 'k': order->how.block_bytes = (uint32_t)number; break;
        case 'H': order->help = true; return false;
        default: return false;
        }
    }
    order->how.dir = argv[optind];
    return optind + 1 == argc;
}

int main(int argc, char **argv)
{
    struct order order = {.how = {.seed = 1, .planted_per_10k = 50, .stale_every = 200}};
    if (!read_options(argc, argv, &order)) {
        fputs(
            "usage: chaingen [--size BYTES] [--blocks N] [--tracked N] [--tdags N] [--giants PERCENT] [--random TXS] "
            "[--seed N] [--xor] [--holders N [--list-holders]] [--spends] [--planted PER_10K] [--block-bytes N] DIR\n",
            order.help ? stdout : stderr);
        return order.help ? 0 : 2;
    }
    struct gen *gen = gen_open(&order.how);
    struct rng rng = {order.how.seed};
    if (order.tracked)
        gen_tracked(gen, order.tracked);
    if (order.giants)
        plant_giants(gen, &rng, order.giants);
    if (order.random)
        gen_plant(gen, plan_random(&rng, order.random));
    if (order.tdags || order.giants || order.random)
        gen_tdags(gen, order.tdags);
    if (order.size)
        gen_blocks(gen, 0, order.size);
    if (order.blocks)
        gen_blocks(gen, order.blocks, 0);
    gen_print_truth(gen, stdout);
    gen_close(gen);
    return 0;
}
