/* export: what other engines read, made of a database of the tables (sqlite.h): the database itself, Neo4j's bulk
 * import, and a graph as nodes and edges. */
#ifndef UNKTX_CLI_VIEWS_EXPORT_H
#define UNKTX_CLI_VIEWS_EXPORT_H

#include "cli/inputs/address_labels.h"
#include "cli/output/outfolder.h"
#include "cli/output/sqlite.h"

/* Indexes, views and the table unktx_provenance, then the end of the database. */
enum status export_finish(struct sqlite *database, const struct datapackage_provenance *provenance, struct fault *fault)
    MUST_CHECK;

/* Writes nodes-*.csv and relationships-*.csv; needs the tables of dags and of outputs. The labels are those of
 * --labels, none where their count is 0. O(n log n) in the rows. */
enum status export_neo4j(struct sqlite *database, const struct address_labels *labels, struct outfolder *folder,
                         struct fault *fault) MUST_CHECK;

/* Writes nodes.csv and edges.csv: of transactions, or of roots and outputs; needs the tables of dags. O(n log n). */
enum status export_edges(struct sqlite *database, bool of_txs, struct outfolder *folder, struct fault *fault)
    MUST_CHECK;

#endif
