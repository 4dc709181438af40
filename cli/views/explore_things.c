#include "cli/views/explore_things.h"

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

#define WORD_BYTES 8u /* that things are sorted by at once */

/* ---- in order ---- */

struct keyed {
    uint64_t key;
    uint32_t thing;
};

/* What is sorted: bytes of a thing, of a key those after the first. */
struct tail {
    const uint8_t *bytes;
    size_t size;
};

static struct tail tail_of(const struct explore_shown *shown, uint32_t thing)
{
    const struct evidence *piece = explore_thing_piece(shown, thing);
    size_t from = piece->kind == EVIDENCE_KEY && piece->size > 0;
    return (struct tail){shown->evidence.bytes.at + piece->at + from, piece->size - from};
}

/* As a number, with zeros after the last one. */
static uint64_t word_at(const struct tail *tail, size_t from)
{
    uint8_t word[WORD_BYTES] = {0};
    if (tail->size > from)
        memcpy(word, tail->bytes + from, tail->size - from < WORD_BYTES ? tail->size - from : WORD_BYTES);
    return load_be64(word);
}

/* Room to sort in. */
struct sorting {
    const struct explore_shown *shown;
    struct keyed *keyed; /* twice as many as are sorted at once */
    uint32_t room;
};

/* Things that are alike up to byte `from`. Those that end before it differ in their sizes at most, in the zeros that
 * they were taken to end with: they are sorted by these. The two keys of one point stay as they are. */
static void sort_run(const struct sorting *sorting, uint32_t *things, uint32_t count, size_t from)
{
    const struct explore_shown *shown = sorting->shown;
    size_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct tail tail = tail_of(shown, things[i]);
        sorting->keyed[i] = (struct keyed){word_at(&tail, from), things[i]};
        longest = tail.size > longest ? tail.size : longest;
    }
    bool by_size = longest <= from;
    for (uint32_t i = 0; i < count && by_size; i++)
        sorting->keyed[i].key = tail_of(shown, things[i]).size;
    const struct keyed *sorted = sort_by_key(sorting->keyed, sorting->keyed + count, count, sizeof *sorted);
    for (uint32_t i = 0; i < count; i++)
        things[i] = sorted[i].thing;
    for (uint32_t first = 0, end; first < count && !by_size; first = end) {
        struct tail tail = tail_of(shown, things[first]);
        uint64_t word = word_at(&tail, from);
        for (end = first + 1; end < count; end++) {
            tail = tail_of(shown, things[end]);
            if (word_at(&tail, from) != word)
                break;
        }
        if (end - first > 1)
            sort_run(sorting, things + first, end - first, from + WORD_BYTES);
    }
}

static bool is_thing(const struct explore_shown *shown, uint32_t piece, enum evidence_kind kind)
{
    const struct evidence *at = explore_thing_piece(shown, piece);
    return at->kind == (uint8_t)kind &&
           (at->thing == EVIDENCE_ALONE || shown->evidence.things[at->thing].first == piece);
}

static uint8_t first_byte(const struct explore_shown *shown, uint32_t thing)
{
    struct tail tail = tail_of(shown, thing);
    return tail.size > 0 ? tail.bytes[0] : 0;
}

/* By the first byte at once, so that there need be room for a part of them only. */
static enum status order_kind(const struct explore_shown *shown, enum evidence_kind kind,
                              struct explore_ordered *ordered)
{
    uint32_t pieces = (uint32_t)shown->evidence.pieces.count, begins[257] = {0};
    for (uint32_t i = 0; i < pieces; i++) {
        if (is_thing(shown, i, kind))
            begins[first_byte(shown, i) + 1]++;
    }
    struct sorting sorting = {.shown = shown};
    for (unsigned b = 0; b < 256; b++) {
        sorting.room = begins[b + 1] > sorting.room ? begins[b + 1] : sorting.room;
        begins[b + 1] += begins[b];
    }
    ordered->at = mem_alloc(begins[256], sizeof *ordered->at);
    sorting.keyed = mem_alloc(2 * (size_t)sorting.room, sizeof *sorting.keyed);
    bool enough = ordered->at && sorting.keyed;
    for (uint32_t i = 0; enough && i < pieces; i++) {
        if (is_thing(shown, i, kind))
            ordered->at[begins[first_byte(shown, i)]++] = i;
    }
    for (unsigned b = 0; enough && b < 256; b++) { /* begins[b] is its end now */
        uint32_t begin = b > 0 ? begins[b - 1] : 0;
        sort_run(&sorting, ordered->at + begin, begins[b] - begin, 0);
    }
    ordered->count = enough ? begins[255] : 0;
    mem_free(sorting.keyed);
    return enough ? STATUS_OK : STATUS_NOMEM;
}

enum status explore_things_order(struct explore_shown *shown, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (unsigned k = EVIDENCE_KEY; k <= EVIDENCE_PREIMAGE && status == STATUS_OK; k++)
        status = order_kind(shown, (enum evidence_kind)k, &shown->ordered[k]);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

/* ---- by what they begin with ---- */

void explore_thing_text(const struct explore_shown *shown, uint32_t thing, char out[EXPLORE_THING_SIZE])
{
    const struct evidence *piece = explore_thing_piece(shown, thing);
    const uint8_t *bytes = shown->evidence.bytes.at + piece->at;
    uint8_t key[65];
    char *end = piece->kind == EVIDENCE_KEY ? put_hex(out, key, evidence_key_form(bytes, piece->size, key))
                                            : put_hex(out, bytes, piece->size);
    *end = '\0';
}

/* Of a thing the digits that it is sorted by, compared with the first ones asked for. */
static int compare(const struct explore_shown *shown, uint32_t thing, const char *digits, size_t size)
{
    char text[EXPLORE_THING_SIZE];
    struct tail tail = tail_of(shown, thing);
    *put_hex(text, tail.bytes, tail.size) = '\0';
    return strncmp(text, digits, size);
}

/* A key that is asked for in its uncompressed form begins with 04 and all of x; the parity of y is not looked at. */
static bool fits(const char *text, const char *digits, size_t size, bool of_key)
{
    if (!of_key || strncmp(text, digits, 2) == 0)
        return strncmp(text, digits, size) == 0;
    bool uncompressed = digits[0] == '0' && (digits[1] == '4' || digits[1] == '6' || digits[1] == '7');
    size_t x = size < 66 ? size : 66;
    return uncompressed && size <= 130 && strncmp(text + 2, digits + 2, x - 2) == 0;
}

void explore_things_find(const struct explore_shown *shown, enum evidence_kind kind, const char *word, uint32_t most,
                         explore_thing_take *take, void *context)
{
    const struct explore_ordered *ordered = &shown->ordered[kind];
    char text[EXPLORE_THING_SIZE], digits[TARGET_MAX + 1] = "";
    size_t size = strlen(word), skipped = kind == EVIDENCE_KEY ? 2 : 0;
    if (size >= sizeof digits)
        return;
    for (size_t i = 0; i <= size; i++)
        digits[i] = (char)(word[i] >= 'A' && word[i] <= 'F' ? word[i] - 'A' + 'a' : word[i]);
    size_t sorted = size - skipped;
    if (kind == EVIDENCE_KEY && sorted > 64) /* of x, which both forms have */
        sorted = 64;
    uint32_t first = (uint32_t)LOWER_BOUND(i, 0, ordered->count,
                                           compare(shown, ordered->at[i], digits + skipped, sorted) < 0);
    for (uint32_t i = first; i < ordered->count && i - first < EXPLORE_LOOKED_AT_MAX && most > 0; i++) {
        if (compare(shown, ordered->at[i], digits + skipped, sorted) > 0)
            break;
        explore_thing_text(shown, ordered->at[i], text);
        if (!fits(text, digits, size, kind == EVIDENCE_KEY))
            continue;
        take(context, ordered->at[i]);
        most--;
    }
}
