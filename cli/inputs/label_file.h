/* label_file: what the readers of the two forms of label files share. Internal to address_labels.h. */
#ifndef UNKTX_CLI_INPUTS_LABEL_FILE_H
#define UNKTX_CLI_INPUTS_LABEL_FILE_H

#include "cli/inputs/address_labels.h"

/* STATUS_FORMAT: "line L, column C: " and the rest as printf does. */
enum status label_refuse(const struct label_place *place, struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum label_field { LABEL_ADDRESS, LABEL_LABEL, LABEL_SOURCE };

/* One field, which begins at the place: STATUS_FORMAT for one that is too long or has a character that is not
 * printable, an address that is empty or has a space, and an empty label. */
enum status label_check(enum label_field field, const char *text, size_t size, const struct label_place *place,
                        struct fault *fault) MUST_CHECK;

/* A copy that stays as long as the labels do, terminated; NULL without memory. */
const char *label_keep(struct address_labels *labels, const char *text, size_t size);
/* The same of an address, in the one form in which it is looked up. */
const char *label_keep_address(struct address_labels *labels, const char *text, size_t size);
/* Adds an entry of texts that were kept; `source` may be NULL, and so may the place, without which nothing is said of
 * an address that no output can have. */
enum status label_add(struct address_labels *labels, const char *address, const char *label, const char *source,
                      const struct label_place *place, struct fault *fault) MUST_CHECK;

/* Puts what was added in order: only then the labels can be looked up. O(n log n). */
enum status address_labels_settle(struct address_labels *labels, struct fault *fault) MUST_CHECK;

/* Each reads the whole text of a file, of printable characters, tabs and line breaks. */
enum status label_csv_read(struct address_labels *labels, const char *path, const char *text, size_t size,
                           struct fault *fault) MUST_CHECK;
/* A GraphSense TagPack: a mapping with a list `tags` of mappings. What stands beside `tags`, or in a mapping `header`
 * there, is inherited by every tag that does not have it itself. Of the fields address, tx_hash, label, source,
 * currency and network are read, all others are passed over. A tag whose network (currency where it has none) is
 * another than BTC is passed over; one without either is taken. Source: "Property inheritance" and "Property override"
 * in README_tagpacks.md of graphsense-tagpack-tool, and its tagpack.py for `header`, `network` and keys that occur
 * twice, which are refused.
 *
 * Collections are at most TAGPACK_DEPTH deep. An alias stands for a text of at most TAGPACK_ANCHORS anchors, never for
 * a collection whose fields would be read. */
#define TAGPACK_DEPTH 16u
#define TAGPACK_ANCHORS 64u
enum status tagpack_read(struct address_labels *labels, const char *path, const char *text, size_t size,
                         struct fault *fault) MUST_CHECK;

#endif
