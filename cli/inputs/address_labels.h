/* address_labels: whom addresses and T-DAGs belong to, as the files of --labels say. Two forms, told apart by the
 * file's name: a GraphSense TagPack in YAML (its name ends in .yaml or .yml; label_file.h), else CSV (RFC 4180) whose
 * first line names the columns address, label and, if there is one, source; other columns are passed over.
 *
 * What stands as an address is one of
 *   - an address, as the tables show it (Bech32 in either case);
 *   - 16 to 64 hexadecimal digits: the name of a T-DAG, or the txid of a transaction in one, or the beginning of it.
 * Any number of labels may be given to one of them: each counts once. A group of T-DAGs has the labels of these.
 *
 * Nothing is ever stored. Hostile input: a file of up to LABELS_FILE_MAX bytes is read as a whole, characters that a
 * terminal would obey are refused, and each field is bounded. Look-ups are binary searches, so no choice of names
 * slows them. Thread rule: reading by one thread; a const one is shareable. */
#ifndef UNKTX_CLI_INPUTS_ADDRESS_LABELS_H
#define UNKTX_CLI_INPUTS_ADDRESS_LABELS_H

#include "cli/options.h"
#include "cli/output/text.h"
#include "parser/network.h"

#define LABELS_FILE_MAX ((size_t)256 << 20)
/* Bytes of one field, none of them a terminator. */
#define LABEL_ADDRESS_MAX 128u
#define LABEL_TEXT_MAX 1024u
#define LABEL_SOURCE_MAX 4096u
/* The least digits that name a T-DAG. */
#define LABEL_DIGITS_MIN 16u

struct address_label {
    const char *address;
    const char *label;
    const char *source; /* NULL: none given */
    uint32_t order;     /* of reading */
    uint32_t id;        /* of the label: labels in the order of their bytes have ascending ids from 0 */
};

struct label_chunk;

/* A place in a file. Lines and columns count from 1; a column is a character. */
struct label_place {
    const char *path;
    size_t line;
    size_t column;
};

/* Labels whose address is one of the same networks, and the first of them. */
#define LABEL_PLACES 3u
struct label_networks {
    unsigned networks; /* as address_networks */
    uint64_t count;
    struct label_place places[LABEL_PLACES];
    const char *addresses[LABEL_PLACES];
    uint32_t orders[LABEL_PLACES]; /* of reading */
};
/* Main, the test networks by their two forms, and none. */
#define LABEL_NETWORKS 5u

/* Zero-initialise; address_labels_free in any case. */
struct address_labels {
    struct address_label *entries; /* in order of address, then label; no two are equal in both */
    size_t count;
    size_t capacity;
    const char **names; /* the labels by id */
    size_t names_count;
    struct label_chunk *chunks; /* where the texts are */
    const char *last_address;   /* the one that was kept last: neighbours with the same one share it */
    uint64_t passed_over;       /* tags of other currencies */
    struct label_networks networks[LABEL_NETWORKS];
    unsigned last_networks; /* of the entry that was added last */
};

/* Reads the files of --labels, none if there are none, and says on stderr how many tags were passed over.
 * STATUS_FORMAT: the first thing wrong, with path, line and column. O(n log n). */
enum status address_labels_read(const struct settings *settings, struct address_labels *labels, struct fault *fault)
    MUST_CHECK;
/* Says on stderr which addresses no output of the network can have (NULL: of main): how many labels have such a one,
 * and where the first of them are. */
void address_labels_tell(const struct address_labels *labels, const struct network *network);
void address_labels_free(struct address_labels *labels);

/* Some labels: those with `count` ids, in ascending order, or where `ids` is NULL those of entries first ... */
struct label_span {
    const uint32_t *ids;
    size_t first;
    size_t count;
};

/* The labels of an address; a count of 0 for none. O(log n). */
struct label_span address_labels_of(const struct address_labels *labels, const char *address, size_t size);
/* entries[*first .. *end - 1]: those whose addresses begin so, Bech32 in either case. O(log n). */
void address_labels_begin(const struct address_labels *labels, const char *beginning, size_t size, size_t *first,
                          size_t *end);
/* Calls `take` with the labels that the transaction's T-DAG has through this txid, those of one name at a time. Stops
 * at a status other than STATUS_OK and returns it. O(log n) for each name that begins with the same 16 digits. */
typedef enum status address_labels_take(void *context, const struct label_span *span);
enum status address_labels_of_txid(const struct address_labels *labels, const struct hash256 *txid,
                                   address_labels_take *take, void *context) MUST_CHECK;
/* The id of the span's label i, 0 .. count - 1; ascending. */
static inline uint32_t address_labels_id_at(const struct address_labels *labels, const struct label_span *span,
                                            size_t i)
{
    return span->ids ? span->ids[i] : labels->entries[span->first + i].id;
}
/* The id of a label; false if no entry has it. O(log n). */
bool address_labels_id(const struct address_labels *labels, const char *label, uint32_t *id);
/* For a label that no entry has: the first that differs from it in the case of ASCII letters alone; NULL for none.
 * O(n). */
const char *address_labels_other_case(const struct address_labels *labels, const char *label);

/* The first LABELS_SHOWN labels as a field of a table: "A; B", in quotes where needed, and how many more there are.
 * Returns the end; writes at most address_labels_size bytes. The same without quotes is for a line of text. */
#define LABELS_SHOWN 32u
size_t address_labels_size(const struct address_labels *labels, const struct label_span *span);
char *address_labels_put(const struct address_labels *labels, const struct label_span *span, char *out);
char *address_labels_put_text(const struct address_labels *labels, const struct label_span *span, char *out);
/* All of them as one more pair of a JSON object, ,"labels":["A","B"], or as a line of text that begins with `indent`
 * and has the first LABELS_SHOWN; no line where there are none. STATUS_NOMEM. */
enum status address_labels_print(const struct address_labels *labels, const struct label_span *span, bool json,
                                 const char *indent, struct text *text) MUST_CHECK;

/* The labels of several addresses or T-DAGs, each once. Zero-initialise; label_union_free in any case. */
struct label_union {
    uint32_t *ids;
    size_t count;
    size_t capacity;
};
/* STATUS_NOMEM. Amortised O(labels of the span). */
enum status label_union_add(struct label_union *all, const struct address_labels *labels, const struct label_span *span)
    MUST_CHECK;
/* All that was added, valid until the next call. O(n log n). */
struct label_span label_union_span(struct label_union *all);
void label_union_free(struct label_union *all);

#endif
