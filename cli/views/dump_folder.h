/* dump_folder: the folder that a partitioned dump is written into: whose it is, and what may be done in it. Only the
 * files that dumps make are replaced or removed; all else is left alone, and links are not followed.
 *
 * Thread rule: one thread at a time. */
#ifndef UNKTX_CLI_VIEWS_DUMP_FOLDER_H
#define UNKTX_CLI_VIEWS_DUMP_FOLDER_H

#include "cli/output/partitions.h"

/* Set path, resume and replace, the rest zero; dump_folder_close in any case. */
struct dump_folder {
    const char *path;
    bool resume;
    bool replace;
    bool has_before;
    struct partitions before; /* the manifest of an earlier dump, empty if there is none */
    int lock_plus_1;
};

/* Makes the folder unless it is there, locks it and reads its manifest. STATUS_REFUSED: it is not a dump's; or it is of
 * another network, other tables or cut otherwise than `plan`, and `replace` is false. STATUS_BUSY. */
enum status dump_folder_open(struct dump_folder *folder, const struct partitions *plan, struct fault *fault) MUST_CHECK;
void dump_folder_close(struct dump_folder *folder);

/* May all files of the plan be written? STATUS_REFUSED: something that no dump made is where one of them, or its
 * folder, goes. O(files). */
enum status dump_folder_check(const struct dump_folder *folder, const struct partitions *plan, struct fault *fault)
    MUST_CHECK;
/* Removes files of an earlier dump that are not in the plan, and says how many they were. O(files). */
enum status dump_folder_clear(const struct dump_folder *folder, const struct partitions *plan, size_t *removed,
                              struct fault *fault) MUST_CHECK;

/* outfile_open for a file of the plan, whose folder is made. STATUS_REFUSED as dump_folder_check. */
enum status dump_folder_begin(const struct dump_folder *folder, const struct partition *file, struct outfile *out,
                              struct fault *fault) MUST_CHECK;
/* Takes the folder of a file away that did not come about. */
void dump_folder_leave(const struct dump_folder *folder, const struct partition *file);

#endif
