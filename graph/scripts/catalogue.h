/* catalogue: the scripts that are known by name: what they look like, what they are, when they were first seen, and who
 * says so. One list is built in (graph/scripts/known-scripts.tsv, which says what its columns mean); files of the same
 * form can be added to it.
 *
 * Entries whose only kind is nulldata name *protocols*: what is written after OP_RETURN can never be spent, so these
 * say something about an output, but nothing about a T-DAG.
 *
 * Thread rule: a const catalogue is shareable. Ownership: texts are the catalogue's. */
#ifndef UNKTX_GRAPH_SCRIPTS_CATALOGUE_H
#define UNKTX_GRAPH_SCRIPTS_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/hidden.h"
#include "parser/status.h"

#define CATALOGUE_MAX 128u
#define CATALOGUE_NAME_MAX 48u /* bytes of a name */

/* Entries of a catalogue, by their numbers. */
struct name_set {
    uint64_t bits[CATALOGUE_MAX / 64];
};

static inline void name_set_add(struct name_set *set, size_t i) { set->bits[i / 64] |= (uint64_t)1 << i % 64; }
static inline void name_set_remove(struct name_set *set, size_t i) { set->bits[i / 64] &= ~((uint64_t)1 << i % 64); }
static inline bool name_set_has(const struct name_set *set, size_t i) { return set->bits[i / 64] >> i % 64 & 1; }

static inline void name_set_join(struct name_set *set, const struct name_set *other)
{
    for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
        set->bits[w] |= other->bits[w];
}

static inline struct name_set name_set_without(const struct name_set *set, const struct name_set *other)
{
    struct name_set rest;
    for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
        rest.bits[w] = set->bits[w] & ~other->bits[w];
    return rest;
}

/* The lowest number in the set, CATALOGUE_MAX if it is empty. To walk a set, remove what was found. */
static inline size_t name_set_first(const struct name_set *set)
{
    for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
        if (set->bits[w])
            return w * 64 + (size_t)__builtin_ctzll(set->bits[w]);
    return CATALOGUE_MAX;
}

struct known_script {
    char *line; /* the texts below are parts of it */
    const char *name;
    const char *pattern;
    const char *first_seen;
    const char *source;
    const char *what;
    unsigned kinds;        /* mask of enum kind */
    unsigned hidden_in;    /* mask of enum hidden_in: it names only scripts that such an output hides; 0: any script */
    bool over_template;    /* the pattern is over the template, not the asm */
    bool anyone_can_spend; /* and script_anyone_can_spend must hold */
    bool keys_off_curve;   /* and a public key in it must be no point of the curve */
    const char *head;      /* plain text with which whatever matches begins */
    const char *tail;      /* and ends */
    size_t head_size;
    size_t tail_size;
};

struct catalogue {
    struct known_script *entries;
    size_t count;
    size_t capacity;
    size_t by_name[CATALOGUE_MAX]; /* numbers in order of name */
};

/* The built-in entries. Zero-initialise; catalogue_free at the end in any case. */
enum status catalogue_read_built_in(struct catalogue *catalogue, struct fault *fault) MUST_CHECK;
/* Adds those of a file. STATUS_FORMAT names the line: a name that is taken or no name, a wrong number of columns, an
 * unknown condition, a pattern that regcomp refuses, more than CATALOGUE_MAX entries. */
enum status catalogue_read(struct catalogue *catalogue, const char *path, struct fault *fault) MUST_CHECK;
void catalogue_free(struct catalogue *catalogue);

/* The number of the entry of that name, CATALOGUE_MAX if there is none. O(log entries). */
size_t catalogue_find(const struct catalogue *catalogue, const char *name);

/* True for entries that name what stands after OP_RETURN. */
bool catalogue_is_protocol(const struct catalogue *catalogue, size_t i);

/* The names in the set, in alphabetical order with a space between two, without a terminator; returns the end. `out`
 * has catalogue_names_size bytes. */
char *catalogue_put_names(const struct catalogue *catalogue, const struct name_set *set, char *out);
size_t catalogue_names_size(const struct catalogue *catalogue);

#endif
