/* findings: what is wrong in the files of a blocks folder, kept until the last look at them is over, so that each place
 * is told once.
 *
 * Ownership: findings own their list; findings_free at the end. Thread rule: one thread. */
#ifndef UNKTX_GRAPH_SCAN_FINDINGS_H
#define UNKTX_GRAPH_SCAN_FINDINGS_H

#include "graph/scan/ingest.h"
#include "parser/blkfile.h"

enum finding_type { FINDING_GAP, FINDING_UNREADABLE, FINDING_OTHER_KEY };

struct finding {
    uint32_t file; /* index in the blkdir */
    enum finding_type type;
    bool left_by_crash; /* of a gap: no block is lost by it */
    union {
        struct blk_gap gap;
        size_t fault; /* index in faults */
        uint8_t key[XOR_KEY_SIZE];
    };
};

/* Zero-initialise. */
struct findings {
    struct finding *list;
    size_t count;
    size_t capacity;
    struct fault *faults;
    size_t faults_count;
    size_t faults_capacity;
    uint32_t forked; /* blocks of the BLAKE2b fork */
};

enum status findings_add_gap(struct findings *findings, uint32_t file, const struct blk_gap *gap,
                             uint64_t last_repeated, struct fault *fault) MUST_CHECK;
enum status findings_add_unreadable(struct findings *findings, uint32_t file, const struct fault *what,
                                    struct fault *fault) MUST_CHECK;
/* What a scan of the file found: its key where that is another, its gaps and its blocks of the fork. Gaps before
 * `last_repeated`, the offset of its last record that the files have at an earlier place too, were left by a crash: a
 * node that was killed and starts again overwrites the end of its last file, so that after the new records come the
 * rest of a torn old one, and then old ones that are in the files a second time. No block is lost. */
enum status findings_add_scan(struct findings *findings, uint32_t file, const struct blk_scan *scan,
                              uint64_t last_repeated, struct fault *fault) MUST_CHECK;
void findings_clear(struct findings *findings);
void findings_free(struct findings *findings);

/* True if some file has bytes that are no record, apart from what a node under way or a crash leaves. O(findings). */
bool findings_any_gap(const struct findings *findings, const struct blkdir *dir);

/* Tells them, and the names that are no files: damages to options->damage, each counted in *damages, the rest to
 * options->message. Of the gaps of a file the first ten are told one by one, the others as a sum. Findings of one file
 * were added one after another. O(findings). */
void findings_report(const struct findings *findings, const struct blkdir *dir, const struct ingest_options *options,
                     uint64_t *damages);

#endif
