/* groups: the connected components of what ties T-DAGs and single unknown outputs (evidence.h). */
#ifndef UNKTX_GRAPH_DAG_GROUPS_H
#define UNKTX_GRAPH_DAG_GROUPS_H

#include "graph/dag/evidence.h"

/* Groups, numbered 1.. in order of their first transaction, then of its output. */
struct groups {
    uint32_t count;
    uint32_t *of_member; /* by member: its group, 0 for none */
    uint32_t members;    /* length of of_member */
    uint32_t *begins;    /* count + 1: members of group g are in_group[begins[g - 1] .. begins[g] - 1] */
    uint32_t *in_group;
    struct tdags names; /* for tdag_put_name: group g has one transaction, its first */
};

/* The connected components of what ties. O(pieces + members). groups_free in any case. */
enum status groups_find(const struct evidence_set *set, uint32_t max_degree, struct groups *groups, struct fault *fault)
    MUST_CHECK;
void groups_free(struct groups *groups);

#endif
