/* manifest: the datapackage.json of a folder, read back. What it says is not trusted: names are looked at before a file
 * is touched, and nothing of it is cut to fit. */
#ifndef UNKTX_CLI_OUTPUT_MANIFEST_H
#define UNKTX_CLI_OUTPUT_MANIFEST_H

#include "cli/output/datapackage.h"

#define MANIFEST_NAME_SIZE 64u

/* A file that was read to make the tables. */
struct manifest_input {
    char *path;                   /* NULL: none */
    char sha256[DATAPACKAGE_HEX]; /* "" for @known */
};

/* A file of the folder: a plain name, not datapackage.json. What the manifest does not say is not compared. */
struct manifest_file {
    char name[MANIFEST_NAME_SIZE];
    uint64_t bytes; /* UINT64_MAX: not said */
    char sha256[DATAPACKAGE_HEX];
};

/* Zero-initialise; manifest_free in any case. */
struct manifest {
    char network[NETWORK_LABEL_SIZE];
    struct hash256 tip; /* valid with has_tip */
    uint32_t tip_height;
    uint32_t first_height; /* above 0: of a partial store */
    bool has_tip;
    enum rules rules;
    bool compress;
    char nodes[16]; /* of a list of edges: what --nodes was; "" if that is not said */
    struct manifest_input exclude_scripts;
    struct manifest_input scripts;
    char *select; /* filters of T-DAGs; NULL for none */
    struct manifest_file *files;
    size_t files_count;
    size_t files_capacity;
};

/* STATUS_NOT_FOUND: the folder has none. STATUS_REFUSED: it is not unktx's. STATUS_FORMAT: it is no JSON, or no file
 * but a FIFO, say. */
enum status manifest_read(const char *folder, struct manifest *manifest, struct fault *fault) MUST_CHECK;
void manifest_free(struct manifest *manifest);

/* The file's whole text, with a terminator after it, and its path; the caller frees both, also on failure.
 * STATUS_NOT_FOUND, STATUS_FORMAT as above. STATUS_LIMIT: it is larger than any that unktx writes. */
enum status manifest_load(const char *folder, char **path, char **text, size_t *size, struct fault *fault) MUST_CHECK;

/* For whom writes into the folder: to what manifest_read or manifest_load said of a file that is no manifest
 * (STATUS_FORMAT, STATUS_LIMIT) the way out is added. Returns `status`. */
enum status manifest_in_the_way(enum status status, struct fault *fault) MUST_CHECK;

/* The file of that name, or NULL. */
const struct manifest_file *manifest_find(const struct manifest *manifest, const char *name);

/* In what tables of that provenance would differ from those of the folder, in a word or two: the network, the rule set
 * or an option; NULL: in nothing but how far the chain went. Without a network in it that one is not compared. */
const char *manifest_difference(const struct manifest *before, const struct datapackage_provenance *provenance);

/* Are the tables of T-DAGs in the folder those that its manifest tells of? By their sizes, and small ones by their
 * SHA-256. STATUS_REFUSED: one is another. Files that are not there, or that also other commands write (outputs.csv),
 * are passed over. O(files + 16 MiB). */
enum status manifest_check(const struct manifest *manifest, const char *folder, struct fault *fault) MUST_CHECK;

/* The SHA-256 of a file, in hexadecimal; `what` it is, for the fault. STATUS_FORMAT: it is no regular file.
 * STATUS_NOT_FOUND, STATUS_IO. O(its size). */
enum status manifest_hash_file(const char *path, const char *what, char hex[DATAPACKAGE_HEX], struct fault *fault)
    MUST_CHECK;

#endif
