/* explore_things: what is found by its first digits is what looking at all of them finds, a whole one first. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/views/explore_things.h"

#define THINGS 3000u

static struct explore_shown shown;
static char texts[THINGS][2 * 40 + 1];
static enum evidence_kind kinds[THINGS];

/* Preimages of few different bytes, so that many are beginnings of others, and hashes that begin as they do; none
 * twice. */
static void add(uint32_t i)
{
    uint8_t bytes[40] = {0};
    struct evidence piece = {.thing = EVIDENCE_ALONE, .kind = (uint8_t)kinds[i], .role = ROLE_SCRIPT_SIG};
    struct fault fault = {0};
    for (;;) {
        piece.size = (uint16_t)(kinds[i] == EVIDENCE_HASH ? 20 : 4 + rand() % 37);
        for (unsigned b = 4; b < piece.size; b++)
            bytes[b] = (uint8_t)(rand() % 8 ? 0 : rand() % 3);
        for (unsigned b = 0; b < piece.size; b++)
            snprintf(texts[i] + 2 * (size_t)b, 3, "%02x", (unsigned)bytes[b]);
        uint32_t j = 0;
        while (j < i && (kinds[j] != kinds[i] || strcmp(texts[j], texts[i]) != 0))
            j++;
        if (j == i)
            break;
    }
    assert_int_equal(evidence_add(&shown.evidence, &piece, bytes, NULL, &fault), STATUS_OK);
}

struct taken {
    uint32_t count;
    uint32_t first;
    bool seen[THINGS];
};

static void take(void *context, uint32_t thing)
{
    struct taken *taken = context;
    assert_false(taken->seen[thing]);
    taken->seen[thing] = true;
    taken->first = taken->count++ == 0 ? thing : taken->first;
}

static void what_begins_so_is_found(void **state)
{
    static const uint8_t seed[16];
    struct fault fault = {0};
    (void)state;
    srand(7);
    evidence_begin(NULL, NULL, seed, &shown.evidence);
    for (uint32_t i = 0; i < THINGS; i++) {
        kinds[i] = i % 5 == 0 ? EVIDENCE_HASH : EVIDENCE_PREIMAGE;
        add(i);
    }
    assert_int_equal(explore_things_order(&shown, &fault), STATUS_OK);
    for (uint32_t i = 0; i < THINGS; i++) {
        size_t size = i % 2 ? strlen(texts[i]) : 8 + (size_t)rand() % (strlen(texts[i]) - 7);
        char digits[sizeof *texts];
        struct taken taken = {0};
        snprintf(digits, sizeof digits, "%.*s", (int)size, texts[i]);
        explore_things_find(&shown, kinds[i], digits, UINT32_MAX, take, &taken);
        uint32_t expected = 0, whole = UINT32_MAX;
        for (uint32_t j = 0; j < THINGS; j++) {
            bool begins = kinds[j] == kinds[i] && strncmp(texts[j], digits, size) == 0;
            assert_int_equal(taken.seen[j], begins);
            expected += begins;
            whole = begins && strlen(texts[j]) == size ? j : whole;
        }
        assert_int_equal(taken.count, expected);
        assert_true(whole == UINT32_MAX || taken.first == whole);
    }
    for (unsigned k = 0; k <= EVIDENCE_PREIMAGE; k++)
        free(shown.ordered[k].at);
    evidence_free(&shown.evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_begins_so_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
