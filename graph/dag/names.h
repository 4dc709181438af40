/* names: what a T-DAG is called (docs/model.md, section 8): the first hexadecimal digits of its first transaction's
 * txid, as printed. The name stays while the T-DAG grows unless an older transaction joins; when two become one, the
 * older name stays.
 *
 * Thread rule: tdags_name changes the tdags; the rest reads. */
#ifndef UNKTX_GRAPH_DAG_NAMES_H
#define UNKTX_GRAPH_DAG_NAMES_H

#include "graph/dag/forest.h"

#define TDAG_NAME_MIN 16u
#define TDAG_NAME_MAX HASH256_HEX_SIZE

/* Decides how long each name is: the least even number of digits from 16 on with which no other T-DAG of these begins.
 * T-DAGs whose first transactions have the same txid (coinbases before BIP 34), and groups (evidence.h) that begin with
 * outputs of one transaction, have the same name, of 64 digits. O(T-DAGs). */
enum status tdags_name(const struct forest *forest, struct tdags *tdags, struct fault *fault) MUST_CHECK;

/* Writes the name of T-DAG `dag` (1..count) without a terminator, at most TDAG_NAME_MAX bytes; returns its end. */
char *tdag_put_name(const struct forest *forest, const struct tdags *tdags, uint32_t dag, char *out);

#endif
