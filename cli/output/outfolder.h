/* outfolder: a folder of files that belong together: the tables of one run, and datapackage.json, which says what they
 * are (datapackage.h). The files appear together, once all are written (replacement.h); with them go those that the
 * manifest of the run before lists and this run does not make. Other files are left alone, links are not followed. The
 * folder itself is locked (flock) from outfolder_open to outfolder_close.
 *
 * Whenever a process is killed, all that it leaves in the folder is listed there, and what does not belong together is
 * told by its SHA-256: the manifest is in place before any file that it lists, tdags.csv and txs.csv after all others.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_OUTPUT_OUTFOLDER_H
#define UNKTX_CLI_OUTPUT_OUTFOLDER_H

#include "cli/output/datapackage.h"
#include "cli/output/listed.h"
#include "cli/output/outfile.h"

/* How many T-DAGs are new, grown, merged, shrunk, renamed or gone since the run before; `known` false: there is none to
 * compare with. */
struct folder_changes {
    bool known;
    uint32_t new;
    uint32_t grown;
    uint32_t merged;
    uint32_t shrunk;
    uint32_t renamed;
    uint32_t gone;
};

/* Makes the folder unless it is there. STATUS_REFUSED: the files there are of another network, rule set, compression or
 * filter, or this command (`maker`) would remove what another one wrote there, and `replace` is false; or its
 * datapackage.json is not unktx's. STATUS_BUSY: another process has it open so. A network that is not known yet ("")
 * agrees with any. The provenance's texts must stay until outfolder_close, `select` apart. */
enum status outfolder_open(const char *path, const struct datapackage_provenance *provenance, enum folder_maker maker,
                           bool replace, struct outfolder **folder, struct fault *fault) MUST_CHECK;
/* No folder but the tables of a database (sqlite.h): each file of CSV becomes one as it is written, other files
 * nothing. Neither is committed here. */
enum status outfolder_of_database(struct sqlite *database, struct outfolder **folder, struct fault *fault) MUST_CHECK;
bool outfolder_is_database(const struct outfolder *folder);
/* Tells what was not known when the folder was opened. STATUS_REFUSED as above. */
enum status outfolder_set_provenance(struct outfolder *folder, const struct datapackage_provenance *provenance,
                                     struct fault *fault) MUST_CHECK;
const char *outfolder_path(const struct outfolder *folder);
/* What is known of it so far: before the tables of dags are written, the tip is zero. */
const struct datapackage_provenance *outfolder_provenance(const struct outfolder *folder);

/* What the manifest of an earlier run with the same network, rule set, compression and filters says of the file; NULL:
 * there was none, or it has no such file. */
const struct manifest_file *outfolder_before(const struct outfolder *folder, const char *name);
/* What this run has written of that name until now (outfolder_take); NULL: nothing. */
const struct datapackage_file *outfolder_made(const struct outfolder *folder, const char *name);
/* STATUS_REFUSED: the tables of the run before are not those that their manifest tells of, see manifest_check. */
enum status outfolder_check_before(const struct outfolder *folder, struct fault *fault) MUST_CHECK;
/* What one file of a run finds out for another. NULL is legal: nothing is known then. */
void outfolder_set_changes(struct outfolder *folder, const struct folder_changes *changes);
struct folder_changes outfolder_changes(const struct outfolder *folder);
/* Leaves something in the folder for the command that writes another file of the run; `end` frees it with the folder.
 * Once at most. */
void outfolder_keep(struct outfolder *folder, void *kept, void (*end)(void *kept));
/* It; NULL: nothing was left, or there is no folder. */
void *outfolder_kept(const struct outfolder *folder);

/* May the file be written? For a command that finds out much before it writes. STATUS_REFUSED: something of that name
 * is there, and it is no regular file, or no manifest lists it and `replace` is false; or the command reads it
 * (sources.h). */
enum status outfolder_check(const struct outfolder *folder, const char *name, struct fault *fault) MUST_CHECK;
/* outfile_open on the file `name` (a static string) of the folder; outfile_commit then leaves it to the folder.
 * STATUS_REFUSED as outfolder_check. Without a folder (NULL) outfile_open, and `name` is a path. */
enum status outfolder_begin(struct outfolder *folder, struct outfile *file, const char *name, struct fault *fault)
    MUST_CHECK;
/* The whole file, of what was printed, which is freed. STATUS_NOMEM where a print failed. */
enum status outfolder_write(struct outfolder *folder, const char *name, struct printer *printer, struct fault *fault)
    MUST_CHECK;
/* For outfile_commit: takes over a file that is closed and not yet in its place. */
enum status outfolder_take(struct outfile *file, struct fault *fault) MUST_CHECK;

/* Writes the manifest, puts all files in place, removes what is left of the run before, and says on stderr what was
 * removed, and unless `quiet` what was written. On failure the folder is as it was, see replacement_make.
 * STATUS_REFUSED, and nothing is done: what is left is of another command, which could not be known when the folder was
 * opened. */
enum status outfolder_commit(struct outfolder *folder, bool quiet, struct fault *fault) MUST_CHECK;

/* Locks a folder: what lies in it is not to change between what is read of it and what is put there. *lock_plus_1 is
 * then its descriptor + 1, which the caller closes; 0 stays where it cannot be listed, and a file system without locks
 * has none. STATUS_BUSY: another process has it locked. */
enum status outfolder_lock(const char *path, int *lock_plus_1, struct fault *fault) MUST_CHECK;

/* Removes what was not put in place, and the folders that outfolder_open made if nothing is in them. NULL is legal. */
void outfolder_close(struct outfolder *folder);

#endif
