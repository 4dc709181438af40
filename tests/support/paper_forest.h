/* paper_forest: a regtest chain whose T-DAGs are those of the paper's Table III (arXiv 2103.09459, as docs/paper.md has
 * it): each printed row, and so many T-DAGs of other shapes that the totals are the printed ones too. Test support.
 *
 * The paper prints 15 rows of 273; of the other 258 only their sums can be had, 296 T-DAGs with 336,672 nodes and
 * 353,924 edges, so their shapes are made up. Nor does it say which T-DAGs its script filter takes away: here they are
 * of the first row. */
#ifndef UNKTX_TESTS_SUPPORT_PAPER_FOREST_H
#define UNKTX_TESTS_SUPPORT_PAPER_FOREST_H

#include <stdint.h>

#define PAPER_TDAGS 30333u
#define PAPER_NODES 803782u /* with the artificial root of each of the nine fan-ins */
#define PAPER_EDGES 797432u
#define PAPER_CLASSES 273u

/* A printed row; of the fan-ins without the artificial root. */
struct paper_row {
    uint32_t tdags;
    uint32_t height;
    uint32_t nodes;
    uint32_t edges;
    uint32_t roots;
};
#define PAPER_ROWS 15u
extern const struct paper_row paper_rows[PAPER_ROWS];

/* What the filter takes away, in the order of notebooks-data/paper-scripts.txt. */
#define PAPER_PATTERNS 5u
extern const uint32_t paper_filtered[PAPER_PATTERNS];

/* Writes DATADIR/regtest/blocks/blk00000.dat: some 40 MB. */
void paper_forest_write(const char *datadir);

#endif
