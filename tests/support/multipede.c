#include "tests/support/multipede.h"

#include <stdbool.h>
#include <stdlib.h>

static uint32_t below(uint64_t *state, uint32_t n)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 32) * n >> 32);
}

static bool differ(const uint32_t *triple)
{
    return triple[0] != triple[1] && triple[0] != triple[2] && triple[1] != triple[2];
}

/* A random order of three of each; then each triple that has a pair twice changes places with others until it has not.
 */
static void make_triples(uint32_t pairs, uint64_t seed, uint32_t *triples)
{
    for (uint32_t i = 0; i < 3 * pairs; i++) {
        uint32_t j = below(&seed, i + 1);
        triples[i] = triples[j];
        triples[j] = i / 3;
    }
    for (uint32_t w = 0; w < pairs; w++)
        while (!differ(triples + 3 * w)) {
            uint32_t a = 3 * w + below(&seed, 3), b = below(&seed, 3 * pairs), kept = triples[a];
            bool was_good = differ(triples + b - b % 3);
            triples[a] = triples[b];
            triples[b] = kept;
            if (was_good && !differ(triples + b - b % 3)) { /* back */
                triples[b] = triples[a];
                triples[a] = kept;
            }
        }
}

void multipede_arcs(uint32_t pairs, uint64_t seed, uint32_t *from, uint32_t *to)
{
    uint32_t *triples = calloc(3 * (size_t)pairs, sizeof *triples), arcs = 0;
    if (!triples)
        abort();
    make_triples(pairs, seed, triples);
    for (uint32_t w = 0; w < pairs; w++)
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t odd[3] = {k & 1, k >> 1, (k & 1) ^ (k >> 1)};
            for (uint32_t i = 0; i < 3; i++) {
                from[arcs] = 2 * triples[3 * w + i] + odd[i];
                to[arcs++] = 2 * pairs + 4 * w + k;
            }
        }
    free(triples);
}

void multipede_add(struct forest_builder *builder, uint32_t pairs, uint64_t seed)
{
    uint32_t arcs = MULTIPEDE_ARCS(pairs), first = 0;
    uint32_t *from = calloc(2 * (size_t)arcs, sizeof *from), *spent = calloc(2 * (size_t)pairs, sizeof *spent);
    if (!from || !spent)
        abort();
    multipede_arcs(pairs, seed, from, from + arcs);
    for (uint32_t v = 0; v < 2 * pairs; v++) {
        uint32_t tx = forest_add_tx(builder, 1, 6, 0, 0);
        first = v == 0 ? tx : first;
    }
    for (uint32_t i = 0; i < arcs; i++) {
        if (i % 3 == 0)
            forest_add_tx(builder, 0, 0, 1, 0);
        forest_add_spend(builder, first + from[i], spent[from[i]]++);
    }
    free(from);
    free(spent);
}
