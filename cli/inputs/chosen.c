#include "cli/inputs/chosen.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/inputs/operand.h"
#include "graph/dag/names.h"

/* ---- a T-DAG ---- */

uint64_t chosen_number(const char *word)
{
    size_t size = strlen(word);
    return size > 0 && !operand_is_padded(word) && size < TDAG_NAME_MIN && strspn(word, "0123456789") == size
               ? strtoull(word, NULL, 10)
               : 0;
}

bool chosen_is_dag(const char *word)
{
    struct prefix prefix;
    bool is_zero = *word && !word[strspn(word, "0")];
    return !is_zero && (chosen_number(word) > 0 || prefix_parse(word, strlen(word), &prefix));
}

static bool parse_class(const char *word, struct prefix *prefix)
{
    size_t size = strcspn(word, "?");
    return size <= 2 * CANON_ID_SIZE && (!word[size] || !word[size + 1]) && prefix_parse(word, size, prefix);
}

/* Several members of one T-DAG count once: they are looked at T-DAG by T-DAG. */
static enum status meet_dags(const struct forest *forest, const struct tdags *tdags, const struct prefix *prefix,
                             uint32_t *dag, struct prefix_matches *matches)
{
    enum status status = STATUS_OK;
    for (uint32_t d = 1; d <= tdags->count && status == STATUS_OK; d++) {
        char name[TDAG_NAME_MAX + 32];
        uint32_t m = tdags->first[d - 1];
        while (m < tdags->first[d] && !prefix_is_of_txid(prefix, &forest->txs[tdags->members[m]].txid))
            m++;
        if (m == tdags->first[d])
            continue;
        *dag = d;
        char *end = tdag_put_name(forest, tdags, d, name);
        snprintf(end, 32, " (number %u)", (unsigned)d);
        status = prefix_add(matches, name);
    }
    return status;
}

/* A class stands for its T-DAG where it has one; *last is the last class met. */
static enum status meet_classes(const struct classes *classes, const struct prefix *prefix, uint32_t *dag,
                                const struct class_row **last, struct prefix_matches *matches)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < classes->classes_count && status == STATUS_OK; i++) {
        const struct class_row *class = &classes->classes[i];
        char name[] = "class 0123456789abcdef0123456789abcdef";
        char *id = name + strlen("class ");
        put_hex(id, class->class_id, CANON_ID_SIZE);
        if (!prefix_is_of(prefix, id))
            continue;
        *last = class;
        if (matches->count == 1 && class->tdags == 1 && class->first_dag == *dag)
            continue; /* its id and a txid in it begin alike */
        if (matches->count == 0)
            *dag = class->first_dag;
        status = prefix_add(matches, name);
    }
    return status;
}

static enum status by_prefix(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                             const struct prefix *prefix, uint32_t *dag, struct fault *fault)
{
    struct prefix_matches matches = {0};
    const struct class_row *class = NULL;
    enum status status = meet_dags(forest, tdags, prefix, dag, &matches);
    uint64_t dags = matches.count;
    if (status == STATUS_OK && classes)
        status = meet_classes(classes, prefix, dag, &class, &matches);
    bool several = dags == 0 && matches.count == 1 && class->tdags > 1;
    enum status one = prefix_require_one(&matches, prefix,
                                         classes ? "T-DAGs (their names, txids in them, or ids of their classes)"
                                                 : "T-DAGs (their names, or txids in them)",
                                         fault);
    if (status == STATUS_OK && several)
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                         "%s is the class of %u T-DAGs: 'unktx show --class %s' lists them", prefix->digits,
                         (unsigned)class->tdags, prefix->digits);
    return status == STATUS_OK ? one : fault_nomem(fault);
}

enum status chosen_dag(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                       const char *word, uint32_t *dag, struct fault *fault)
{
    struct prefix prefix;
    uint64_t number = chosen_number(word);
    if (number > 0 && number <= tdags->count) {
        *dag = (uint32_t)number;
        return STATUS_OK;
    }
    enum status status = STATUS_NOT_FOUND;
    if (prefix_parse(word, strlen(word), &prefix) || (classes && parse_class(word, &prefix)))
        status = by_prefix(forest, tdags, classes, &prefix, dag, fault);
    if (status == STATUS_NOT_FOUND && number > 0)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "no T-DAG %s: there are %u under %s, and no name or txid in them begins so", word,
                         (unsigned)tdags->count, rules_name(tdags->rules));
    if (status == STATUS_NOT_FOUND && operand_is_padded(word)) {
        struct fault found = *fault;
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "%s; a number has no zeros before it", found.text);
    }
    return status;
}

/* ---- a class ---- */

bool chosen_is_class(const char *word)
{
    struct prefix prefix;
    return parse_class(word, &prefix);
}

enum status chosen_class(const struct classes *classes, const char *word, const struct class_row **class,
                         struct fault *fault)
{
    struct prefix_matches matches = {0};
    struct prefix prefix;
    enum status status = STATUS_OK;
    if (!parse_class(word, &prefix))
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "%s is no class id", word);
    for (uint32_t i = 0; i < classes->classes_count && status == STATUS_OK; i++) {
        char id[2 * CANON_ID_SIZE + 1] = "";
        put_hex(id, classes->classes[i].class_id, CANON_ID_SIZE);
        if (!prefix_is_of(&prefix, id))
            continue;
        *class = &classes->classes[i];
        status = prefix_add(&matches, id);
    }
    enum status one = prefix_require_one(&matches, &prefix, "class ids", fault);
    return status == STATUS_OK ? one : fault_nomem(fault);
}
