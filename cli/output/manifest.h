/* manifest: the datapackage.json of a folder, read back. What it says is not trusted: names are looked at before a file
 * is touched. */
#ifndef UNKTX_CLI_OUTPUT_MANIFEST_H
#define UNKTX_CLI_OUTPUT_MANIFEST_H

#include "cli/output/datapackage.h"

#define MANIFEST_PATH_SIZE 1024u

/* A file that was read to make the tables; an empty path: none. */
struct manifest_input {
    char path[MANIFEST_PATH_SIZE];
    char sha256[DATAPACKAGE_HEX]; /* "" for @known */
};

/* Zero-initialise; manifest_free in any case. */
struct manifest {
    char network[NETWORK_LABEL_SIZE];
    struct hash256 tip; /* valid with has_tip */
    uint32_t tip_height;
    bool has_tip;
    enum rules rules;
    bool compress;
    struct manifest_input exclude_scripts;
    struct manifest_input scripts;
    char select[DATAPACKAGE_SELECT_SIZE]; /* filters of T-DAGs; "" for none */
    /* files of the folder: plain names, none of them datapackage.json */
    char (*names)[sizeof((struct datapackage_file *)0)->name];
    size_t names_count;
    size_t names_capacity;
};

/* STATUS_NOT_FOUND: the folder has none. STATUS_REFUSED: it is not unktx's. STATUS_FORMAT: it is no JSON. */
enum status manifest_read(const char *folder, struct manifest *manifest, struct fault *fault) MUST_CHECK;
void manifest_free(struct manifest *manifest);

#endif
