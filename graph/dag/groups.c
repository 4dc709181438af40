#include "graph/dag/groups.h"

#include "parser/stop.h"
#include "parser/union_find.h"

/* Every member for itself, then those joined that share what ties. False: stopped. */
static bool join_members(const struct evidence_set *set, uint32_t max_degree, uint32_t *parent, uint32_t members)
{
    for (uint32_t m = 0; m < members; m++) {
        if (stop_due(m))
            return false;
        parent[m] = m;
    }
    for (size_t t = 0; t < set->things_count; t++) {
        if (stop_due(t))
            return false;
        if (!evidence_ties(&set->things[t], max_degree))
            continue;
        const uint32_t *pieces = set->by_thing + set->begins[t];
        uint32_t first = union_find(parent, evidence_member(set, &set->pieces.at[pieces[0]]));
        for (uint32_t i = 1; i < set->things[t].members; i++) {
            uint32_t other = union_find(parent, evidence_member(set, &set->pieces.at[pieces[i]]));
            uint32_t low = first < other ? first : other, high = first < other ? other : first;
            parent[high] = low;
            first = low;
        }
    }
    return true;
}

static uint32_t first_tx(const struct evidence_set *set, uint32_t member)
{
    const struct tdags *tdags = set->tdags;
    return member <= tdags->count ? tdags_first_tx(tdags, member) : set->forest->outputs[member - tdags->count - 1].tx;
}

/* Members are in two runs, T-DAGs and outputs, each in order of its first transactions; the next one of both, 0 after
 * the last. */
static uint32_t next_member(const struct evidence_set *set, uint32_t *dag, uint32_t *output, uint32_t members)
{
    if (*dag > set->tdags->count && *output >= members)
        return 0;
    if (*output >= members || (*dag <= set->tdags->count && first_tx(set, *dag) <= first_tx(set, *output)))
        return (*dag)++;
    return (*output)++;
}

/* Numbers the groups of two members or more in order of their first member. A root is the least of its group, so that
 * whoever has another root makes it one of several. */
static enum status number_groups(const struct evidence_set *set, uint32_t *parent, struct groups *groups)
{
    uint32_t members = groups->members, member;
    uint32_t dag = 1, output = set->tdags->count + 1;
    uint64_t *several = mem_alloc((size_t)members / 64 + 1, sizeof *several); /* bits of roots */
    ARRAY(uint32_t) first = {0};
    enum status status = several ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t m = 1; status == STATUS_OK && m < members; m++) {
        uint32_t root = union_find(parent, m);
        several[root / 64] |= (uint64_t)(root != m) << root % 64;
        status = stop_due(m) ? STATUS_INTERRUPTED : STATUS_OK;
    }
    for (uint32_t step = 0; status == STATUS_OK && (member = next_member(set, &dag, &output, members)) != 0; step++) {
        if (stop_due(step))
            status = STATUS_INTERRUPTED;
        uint32_t root = union_find(parent, member);
        if (!(several[root / 64] >> root % 64 & 1))
            continue;
        if (!groups->of_member[root]) {
            if (!PUSH(first, first_tx(set, member)))
                status = STATUS_NOMEM;
            groups->of_member[root] = ++groups->count;
        }
        groups->of_member[member] = groups->of_member[root];
    }
    groups->names = (struct tdags){.rules = set->tdags->rules, .count = groups->count, .members = first.at};
    mem_free(several);
    return status;
}

static enum status list_members(const struct evidence_set *set, struct groups *groups)
{
    uint32_t members = groups->members, member, dag = 1, output = set->tdags->count + 1;
    groups->begins = mem_alloc((size_t)groups->count + 2, sizeof *groups->begins);
    groups->names.first = mem_alloc((size_t)groups->count + 1, sizeof *groups->names.first);
    if (!groups->begins || !groups->names.first)
        return STATUS_NOMEM;
    for (uint32_t m = 1; m < members; m++) {
        if (stop_due(m))
            return STATUS_INTERRUPTED;
        if (groups->of_member[m])
            groups->begins[groups->of_member[m] + 1]++;
    }
    for (uint32_t g = 1; g <= groups->count; g++) {
        groups->begins[g + 1] += groups->begins[g];
        groups->names.first[g] = g;
    }
    groups->in_group = mem_alloc(groups->begins[groups->count + 1], sizeof *groups->in_group);
    if (!groups->in_group)
        return STATUS_NOMEM;
    for (uint32_t step = 0; (member = next_member(set, &dag, &output, members)) != 0; step++) {
        if (stop_due(step))
            return STATUS_INTERRUPTED;
        if (groups->of_member[member])
            groups->in_group[groups->begins[groups->of_member[member]]++] = member;
    }
    return STATUS_OK;
}

enum status groups_find(const struct evidence_set *set, uint32_t max_degree, struct groups *groups, struct fault *fault)
{
    *groups = (struct groups){.members = (uint32_t)evidence_members_bound(set)};
    uint32_t *parent = mem_alloc(groups->members, sizeof *parent);
    groups->of_member = mem_alloc(groups->members, sizeof *groups->of_member);
    enum status status = parent && groups->of_member ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK && !join_members(set, max_degree, parent, groups->members))
        status = STATUS_INTERRUPTED;
    if (status == STATUS_OK)
        status = number_groups(set, parent, groups);
    mem_free(parent);
    if (status == STATUS_OK)
        status = list_members(set, groups);
    if (status == STATUS_INTERRUPTED)
        return stop_check(fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

void groups_free(struct groups *groups)
{
    mem_free(groups->of_member);
    mem_free(groups->begins);
    mem_free(groups->in_group);
    tdags_free(&groups->names);
    *groups = (struct groups){0};
}
