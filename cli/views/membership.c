#include "cli/views/membership.h"

#include "cli/views/tables.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/search.h"

/* A transaction's T-DAG under one rule set. */
struct member {
    uint32_t number; /* 0: none */
    char name[TDAG_NAME_MAX + 1];
    char class_id[CLASS_ID_TEXT + 1];
    enum family family;
    uint32_t depth;
    bool is_root;
    bool is_spender;
    struct dag_labels labels; /* with --labels */
};

static bool is_before(const struct forest_tx *tx, uint32_t height, uint32_t index)
{
    return tx->height < height || (tx->height == height && tx->index < index);
}

uint32_t membership_find(const struct forest *forest, uint32_t height, uint32_t index, const struct hash256 *txid)
{
    size_t at = LOWER_BOUND(t, 0, forest->txs_count, is_before(&forest->txs[t], height, index));
    bool found = at < forest->txs_count && forest->txs[at].height == height && forest->txs[at].index == index &&
                 hash256_equal(&forest->txs[at].txid, txid);
    return found ? (uint32_t)at : FOREST_NONE;
}

/* All T-DAGs but one are left out before classes are made. */
static enum status classify_one(const struct membership *membership, uint32_t dag, struct selection *selection,
                                struct fault *fault)
{
    struct tdags *tdags = &selection->tdags;
    uint8_t *drop = mem_alloc((size_t)tdags->count + 1, 1);
    if (!drop)
        return fault_nomem(fault);
    memset(drop, 1, (size_t)tdags->count + 1);
    drop[dag] = 0;
    tdags_drop(tdags, drop);
    mem_free(drop);
    return classify(membership->forest, tdags, false, store_forms(membership->store), membership->threads,
                    &selection->classes, fault);
}

static void fill(const struct membership *membership, const struct selection *selection, uint32_t tx,
                 struct member *member)
{
    enum rules rules = selection->tdags.rules;
    const struct tdag_row *row = &selection->classes.rows[selection->tdags.tx_dag[tx] - 1];
    *put_class_id(member->class_id, row->class_id, row->class_exact) = '\0';
    member->family = row->family;
    member->depth = selection->classes.depths[tx];
    member->is_root = forest_is_root(membership->forest, tx, rules);
    member->is_spender = forest_unknown_inputs(membership->forest, tx, rules) > 0;
}

static enum status find(const struct membership *membership, enum rules rules, uint32_t tx, struct member *member,
                        struct fault *fault)
{
    struct selection selection = {0};
    const struct forest *forest = membership->forest;
    bool all = membership->filter || membership->compress;
    enum status status;
    if (all) {
        status = selection_make(membership->store, forest, rules, membership->filter, membership->compress,
                                membership->threads, &selection, fault);
    } else {
        status = tdags_find(forest, rules, &selection.tdags, fault);
        if (status == STATUS_OK)
            status = tdags_name(forest, &selection.tdags, fault);
    }
    member->number = status == STATUS_OK ? selection.tdags.tx_dag[tx] : 0;
    if (member->number > 0) {
        *tdag_put_name(forest, &selection.tdags, member->number, member->name) = '\0';
        if (membership->labels)
            status = payments_find_labels(membership->store, forest, &selection, membership->labels, member->number,
                                          membership->threads, &member->labels, membership->said, fault);
        if (status == STATUS_OK && !all)
            status = classify_one(membership, member->number, &selection, fault);
        if (status == STATUS_OK)
            fill(membership, &selection, tx, member);
    }
    selection_free(&selection);
    return status;
}

static const char *role_of(const struct member *member)
{
    if (!member->is_root)
        return "spender";
    return member->is_spender ? "root and spender" : "root";
}

static enum status put_labels(struct text *text, const struct member *member, bool json)
{
    struct label_span span = dag_labels_of(&member->labels, member->number);
    return member->labels.labels ? address_labels_print(member->labels.labels, &span, json, "      ", text) : STATUS_OK;
}

static enum status put_text_line(struct text *text, enum rules rules, const struct member *member)
{
    const char *what = rules == RULES_HIDDEN ? " (no rule of Core)" : "";
    if (member->number == 0)
        return text_printf(text, "    %s%s: in no T-DAG\n", rules_name(rules), what);
    enum status status = text_printf(text, "    %s%s: T-DAG %s, number %u, %s, class %s; %s, depth %u\n",
                                     rules_name(rules), what, member->name, (unsigned)member->number,
                                     family_name(member->family), member->class_id, role_of(member),
                                     (unsigned)member->depth);
    return status == STATUS_OK ? put_labels(text, member, false) : status;
}

static enum status put_object(struct text *text, enum rules rules, const struct member *member)
{
    const char *comma = rules == 0 ? "" : ",\n  ";
    if (member->number == 0)
        return text_printf(text, "%s{\"rules\":\"%s\",\"dag\":null}", comma, rules_name(rules));
    enum status status = text_printf(text,
                                     "%s{\"rules\":\"%s\",\"dag\":\"%s\",\"dag_id\":%u,\"family\":\"%s\","
                                     "\"class_id\":\"%s\",\"role\":\"%s\",\"depth\":%u",
                                     comma, rules_name(rules), member->name, (unsigned)member->number,
                                     family_name(member->family), member->class_id, role_of(member),
                                     (unsigned)member->depth);
    if (status == STATUS_OK)
        status = put_labels(text, member, true);
    return status == STATUS_OK ? text_printf(text, "}") : status;
}

enum status membership_put(const struct membership *membership, uint32_t tx, bool json, struct text *text,
                           struct fault *fault)
{
    enum status status = STATUS_OK;
    unsigned end = membership->with_hidden ? RULES_WITH_HIDDEN : RULES;
    for (unsigned r = 0; r < end && status == STATUS_OK; r++) {
        struct member member = {0};
        if (tx != FOREST_NONE)
            status = find(membership, (enum rules)r, tx, &member, fault);
        if (status != STATUS_OK) {
            dag_labels_free(&member.labels);
            return status;
        }
        status = json ? put_object(text, (enum rules)r, &member) : put_text_line(text, (enum rules)r, &member);
        dag_labels_free(&member.labels);
    }
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}
