/* forms: what BLISS found out about pieces of T-DAGs, kept from one command to the next, since a hard piece takes as
 * much work each time. docs/store-format.md, "Forms", has the file.
 *
 * A form is found again by a key of the piece, a digest of all that the form follows from. So what is found is what
 * would be computed: whether a form is kept changes the time only. Keeping is best effort: where the folder cannot be
 * written (a read-only file system, a full disk, another process that writes the file, a lack of memory), the next
 * command computes again. A file that is damaged, or of another version, is as good as none.
 *
 * Thread rule: any thread, there is a lock inside. */
#ifndef UNKTX_GRAPH_STORE_FORMS_H
#define UNKTX_GRAPH_STORE_FORMS_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/status.h"

#define FORMS_KEY_SIZE 16u
#define FORMS_DIGEST_SIZE 16u
#define FORMS_FILE "forms"
/* Grows by one when the same piece gets another form (classify/canon.c, classify/irreducible.c) or the file another
 * layout. */
#define FORMS_VERSION 1u
/* So many at most are in the file (12 MiB): those that this process used before others. */
#define FORMS_MAX (UINT32_C(1) << 18)

struct form {
    bool decided;                      /* false: beyond the budget of BLISS; the other members are then zero */
    uint8_t digest[FORMS_DIGEST_SIZE]; /* of the canonical form */
    double automorphisms_log10;        /* log10 of their number */
};

struct forms; /* opaque */

/* The forms of the store in `folder`. The file is read when the first form is looked for. */
enum status forms_new(const char *folder, struct forms **forms, struct fault *fault) MUST_CHECK;
/* Writes the file if there is something new to keep, then frees. NULL is legal. O(forms). */
void forms_close(struct forms *forms);

/* What is new is not written to the file. */
void forms_leave_file(struct forms *forms);

/* Is a form kept under that key? `*form` is valid only then. O(1). */
bool forms_find(struct forms *forms, const uint8_t key[FORMS_KEY_SIZE], struct form *form) MUST_CHECK;
/* Keeps a form, unless there is one of that key, or no room. O(1). */
void forms_add(struct forms *forms, const uint8_t key[FORMS_KEY_SIZE], const struct form *form);

#endif
