/* spend_search: an input that spends a script without a signature, a preimage or a time. Internal to parser/;
 * script_anyone_can_spend (script.h) is for others.
 *
 * The script is run as Core's EvalScript runs it, with items of the spender's that are all alike at first. Where the
 * run comes to a comparison, a branch, or another place that would go otherwise with other items, these are noted as a
 * spend to try next. So a run is both the proof and what the next one is made from. Numbers are followed as sums of the
 * spender's items, so that equations can be solved. Which spends are tried is a matter of effort, never of truth.
 *
 * spend_run.c is the run, spend_ideas.c what to try next, spend_search.c the order of trying.
 * Pure functions over borrowed bytes; no allocation, some 200 KB of the thread's stack; any thread. */
#ifndef UNKTX_PARSER_SPEND_SEARCH_H
#define UNKTX_PARSER_SPEND_SEARCH_H

#include "parser/opcode.h"
#include "parser/pushes.h"
#include "parser/script_number.h"

/* Writes the scriptSig with which the script ends true under the consensus rules of today, pushes alone, and returns
 * its size in `*spend_size`; no signature, no preimage of a hash that the script pushes and no time condition is in
 * it. False where none was found. The same answer for the same script, always. O(size): no run begins once SPEND_WORK
 * steps are done, and SPEND_WORK_OF_CHOICE more where an operation chooses among numbers. Items that are all alike have
 * so many, the others as many again, and once more where stacks were too deep for the first room. */
bool spend_search(const uint8_t *script, size_t size, uint8_t spend[SCRIPT_SIZE_MAX], size_t *spend_size);

/* ---- between the three files ---- */

#define SPEND_RUNS_MAX 160u
#define SPEND_WORK(size)                                                                                               \
    (1000u + 10u * (size))          /* operations, bytes hashed by the eight, items moved, ideas by eight each */
#define SPEND_RUNS_OF_CHOICE 600u   /* with OP_ABS, OP_MIN, OP_MAX or OP_WITHIN */
#define SPEND_WORK_OF_CHOICE 12000u /* so many more */
#define SPEND_ITEMS 16u             /* from the top of the stack down, set one by one; those below are all alike */
#define SPEND_PENDING 64u           /* spends noted at the same time; of more, the oldest are forgotten */
#define SPEND_SEEN 1024u            /* slots for hashes of spends that were noted; a power of two */
#define SPEND_KEPT 8u               /* equations that an idea keeps true */
#define SPEND_NO_ITEM 0xffu

/* What numbers of a run are sums of: how many items are shown, the number that each is, and the size of each. */
#define SPEND_COUNT 0u
#define SPEND_VALUE 1u
#define SPEND_SIZE (SPEND_VALUE + SPEND_ITEMS)
#define SPEND_VARIABLES (SPEND_SIZE + SPEND_ITEMS)

struct spend_item {
    const uint8_t *data; /* borrowed from the script or from spend_ones; NULL: the bytes are in `made` */
    uint16_t size;
    uint8_t made[32];
};

/* What is shown. Item 0 is the top one. */
struct spend {
    struct spend_item items[SPEND_ITEMS];
    uint16_t count; /* more if a run takes more, unless it has asked how many there are */
};

static inline const struct spend_item *spend_item(const struct spend *spend, size_t from_top)
{
    return &spend->items[from_top < SPEND_ITEMS ? from_top : SPEND_ITEMS - 1];
}

/* An item on the stack. */
struct spend_value {
    const uint8_t *data;   /* borrowed; NULL: the bytes are in `made` */
    const uint8_t *hashed; /* of a hash: the bytes of the script's own that it is made from, NULL for any other */
    uint16_t size;
    uint16_t hashed_size;
    uint8_t item;      /* which item shown it is */
    uint8_t hash_item; /* of which one it is the hash */
    uint8_t hash;      /* by which operation, 0 for none */
    bool asked;        /* a push of the script */
    bool shown;        /* what was shown has a part in it */
    bool is_sum;       /* as a number it is a constant and so many times each variable: */
    int16_t times[SPEND_VARIABLES];
    uint64_t variables; /* those with bit v set alone; the others have no times */
    uint8_t made[32];
};

/* A number for each variable whose bit is set; the others have 0, and it is not written. */
struct spend_terms {
    uint64_t variables;
    int64_t of[SPEND_VARIABLES];
};

/* So many times the change of each variable, summed, is `sum`. */
struct spend_equation {
    struct spend_terms times;
    int64_t sum;
    unsigned pivot; /* of one that is kept: the variable that the others lead to */
};

/* Spends to try. */
struct spend_notes {
    struct spend pending[SPEND_PENDING]; /* a ring */
    size_t first;
    size_t count;
    uint64_t seen[SPEND_SEEN]; /* hashes of all that were noted */
};

struct spend_ideas {
    const uint8_t *script;
    size_t size;
    struct spend_notes *notes;   /* NULL: none are taken */
    const struct spend *running; /* what the ideas change */
    struct spend_equation kept[SPEND_KEPT];
    size_t kept_count;
    size_t work;
    size_t work_most; /* no run begins after it */
    size_t runs_most;
    struct spend_value *items; /* room for the stacks of a run */
    size_t room;               /* in items; STACK_ITEMS_MAX is enough for any run */
    bool cramped;              /* a run failed for want of room */
};

/* Empty. What its other members tell to be of no account is not written: this is done for each item of each run. */
static inline struct spend_value spend_blank(void)
{
    struct spend_value v;
    v.data = v.hashed = NULL;
    v.size = v.hashed_size = 0;
    v.item = v.hash_item = SPEND_NO_ITEM;
    v.hash = 0;
    v.asked = v.shown = false;
    v.is_sum = true;
    v.variables = 0;
    return v;
}

/* How many times the variable is in it. */
static inline int spend_times(const struct spend_value *v, unsigned variable)
{
    return v->variables >> variable & 1 ? v->times[variable] : 0;
}

extern const uint8_t spend_ones[SCRIPT_PUSH_MAX]; /* a true item of any size */

static inline const uint8_t *spend_bytes(const struct spend_value *v) { return v->data ? v->data : v->made; }

/* Runs the script with that; true if it spends. Notes ideas on the way. With `whole` the number of items is as given,
 * else `count` grows as the run takes more. */
bool spend_run(struct spend_ideas *ideas, struct spend *spend, bool whole);

/* Notes a spend to try, unless it was noted before. */
void spend_note(struct spend_ideas *ideas, const struct spend *spend);
/* Ideas: to show one more item; to show those bytes as an item (nothing where `item` is none); that a - b be that
 * number; that the value be true, or false; that two values have the same bytes, or other bytes. */
void spend_idea_count(struct spend_ideas *ideas, size_t count);
void spend_idea_bytes(struct spend_ideas *ideas, unsigned item, const uint8_t *data, size_t size);
void spend_idea_difference(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b,
                           int64_t difference);
void spend_idea_number(struct spend_ideas *ideas, const struct spend_value *v, int64_t number);
void spend_idea_truth(struct spend_ideas *ideas, const struct spend_value *v, bool truth);
void spend_idea_equal(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b);
void spend_idea_unequal(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b);
/* Whether the item's hash, or the first of two (OP_HASH160, OP_HASH256), stands in the script: then a preimage was
 * asked for, and the idea is to show another item. */
bool spend_is_preimage(struct spend_ideas *ideas, const struct spend_value *item, const struct spend_value *hash);
/* That a - b be another number than it is. */
void spend_idea_other(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b);
/* That an operation on two numbers (script_number_of_two) go otherwise, if it is a comparison or a choice of one; that
 * the number have another size. */
void spend_idea_result(struct spend_ideas *ideas, uint8_t code, const struct spend_value *a,
                       const struct spend_value *b);
void spend_idea_sizes(struct spend_ideas *ideas, const struct spend_value *v);
/* That a - b stay what it is, in the ideas that come next. */
void spend_keep(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b);

#endif
