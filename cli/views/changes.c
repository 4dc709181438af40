#include "cli/views/changes.h"

#include "cli/inputs/tables_before.h"
#include "cli/output/message.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

/* A transaction of a T-DAG of now, by the beginning of its txid and its height. */
struct keyed {
    uint64_t key;
    uint32_t tx;
};

/* A T-DAG of now and one of before with `common` transactions in both. */
struct link {
    uint64_t pair; /* now << 32 | before, both from 1 on */
    uint64_t common;
};

struct changes {
    const struct forest *forest;
    const struct selection *selection;
    struct tables_before before;
    struct link *links; /* ascending */
    size_t links_count;
    uint8_t *stays; /* by T-DAG of before - 1: 1 if it has a link */
    struct text text;
    struct folder_changes counts;
};

static uint32_t now_of(const struct link *link) { return (uint32_t)(link->pair >> 32); }
static uint32_t before_of(const struct link *link) { return (uint32_t)link->pair; }

/* ---- which T-DAGs have a transaction in common ---- */

#define HEIGHT_BITS 24u

/* Copies with one txid (before BIP 30) are neighbours in order of their heights. */
static uint64_t key_of(const struct hash256 *txid, uint32_t height)
{
    uint64_t key;
    memcpy(&key, txid->bytes, sizeof key);
    return key << HEIGHT_BITS | (height & ((1u << HEIGHT_BITS) - 1));
}

/* The T-DAG of now of the first transaction with that txid whose key is `from` or above, and `to` at most; 0: none. */
static uint32_t dag_between(const struct changes *changes, const struct keyed *keyed, size_t count,
                            const struct hash256 *txid, uint64_t from, uint64_t to)
{
    for (size_t i = LOWER_BOUND(k, 0, count, keyed[k].key < from); i < count && keyed[i].key <= to; i++) {
        if (hash256_equal(&changes->forest->txs[keyed[i].tx].txid, txid))
            return changes->selection->tdags.tx_dag[keyed[i].tx];
    }
    return 0;
}

/* The T-DAG that has the transaction of before now, 0: none. Of several copies it is the one at the same height, else
 * the first, which a reorganisation moved. */
static uint32_t dag_of(const struct changes *changes, const struct keyed *keyed, size_t count,
                       const struct tx_before *before)
{
    uint64_t same = key_of(&before->txid, before->height);
    uint32_t dag = dag_between(changes, keyed, count, &before->txid, same, same);
    return dag ? dag
               : dag_between(changes, keyed, count, &before->txid, key_of(&before->txid, 0),
                             key_of(&before->txid, UINT32_MAX));
}

/* Joins equal neighbours, and counts them. */
static size_t join_links(struct link *links, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && links[kept - 1].pair == links[i].pair)
            links[kept - 1].common++;
        else
            links[kept++] = links[i];
    }
    return kept;
}

static bool link_all(struct changes *changes, struct keyed *keyed, struct keyed *spare, struct link *links,
                     struct link *spare_links)
{
    const struct tdags *tdags = &changes->selection->tdags;
    const struct tables_before *before = &changes->before;
    size_t members = tdags->first[tdags->count], count = 0;
    if (!keyed || !spare || !links || !spare_links || !changes->stays)
        return false;
    for (size_t m = 0; m < members; m++) {
        const struct forest_tx *tx = &changes->forest->txs[tdags->members[m]];
        keyed[m] = (struct keyed){key_of(&tx->txid, tx->height), tdags->members[m]};
    }
    const struct keyed *sorted = sort_by_key(keyed, spare, members, sizeof *keyed);
    for (size_t t = 0; t < before->txs_count; t++) {
        uint32_t now = dag_of(changes, sorted, members, &before->txs[t]);
        if (now == 0)
            continue;
        changes->stays[before->txs[t].dag - 1] = 1;
        links[count++] = (struct link){(uint64_t)now << 32 | before->txs[t].dag, 1};
    }
    struct link *in_order = sort_by_key(links, spare_links, count, sizeof *links);
    changes->links_count = join_links(in_order, count);
    changes->links = in_order;
    return true;
}

/* ---- rows ---- */

#define ROW_SIZE (TDAG_NAME_MAX + 16 + 7 * (PUT_U64_MAX + 1))

/* Before and now as two cells; NULL: empty. */
static char *put_two(char *p, const uint64_t *before, const uint64_t *now)
{
    p = before ? put_u64(p, *before) : p;
    *p++ = ',';
    p = now ? put_u64(p, *now) : p;
    *p++ = ',';
    return p;
}

static enum status put_row(struct changes *changes, const char *name, const char *what,
                           const struct tdag_before *before, const struct tdag_row *row)
{
    char *p = text_room(&changes->text, ROW_SIZE);
    if (!p)
        return STATUS_NOMEM;
    const uint64_t txs = row ? row->txs : 0;
    p = put_text(p, name);
    *p++ = ',';
    p = put_text(p, what);
    *p++ = ',';
    p = put_two(p, before ? &before->txs : NULL, row ? &txs : NULL);
    p = put_two(p, before ? &before->nodes : NULL, row ? &row->nodes : NULL);
    p = put_two(p, before ? &before->moved_value_sat : NULL, row ? &row->moved_value_sat : NULL);
    text_end(&changes->text, p);
    return STATUS_OK;
}

/* The T-DAG of before whose name stays: the one with the same first transaction, else the oldest. */
static const struct link *main_link(const struct changes *changes, const struct link *links, size_t count, uint32_t dag)
{
    const struct hash256 *first = &changes->forest->txs[changes->selection->classes.rows[dag - 1].first_tx].txid;
    for (size_t i = 0; i < count; i++) {
        if (hash256_equal(&changes->before.tdags[before_of(&links[i]) - 1].first_txid, first))
            return &links[i];
    }
    return &links[0];
}

static enum status put_joined(struct changes *changes, const struct link *links, size_t count, const struct link *main)
{
    enum status status = STATUS_OK;
    const char *space = "";
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (&links[i] == main)
            continue;
        status = text_printf(&changes->text, "%s%s", space, changes->before.tdags[before_of(&links[i]) - 1].name);
        space = " ";
    }
    return status == STATUS_OK ? text_printf(&changes->text, "\n") : status;
}

/* What became of the T-DAGs of before that are in T-DAG `dag` now; NULL: nothing. */
static const char *judge(struct changes *changes, const struct link *links, size_t count, uint32_t dag)
{
    const struct tdag_row *row = &changes->selection->classes.rows[dag - 1];
    if (count == 0) {
        changes->counts.new ++;
        return "new";
    }
    if (count > 1) {
        changes->counts.merged++;
        return "merged";
    }
    const struct tdag_before *before = &changes->before.tdags[before_of(links) - 1];
    if (links->common < before->rows) {
        changes->counts.shrunk++;
        return "shrunk";
    }
    if (row->txs == before->txs && row->nodes == before->nodes && row->moved_value_sat == before->moved_value_sat)
        return NULL;
    changes->counts.grown++;
    return "grown";
}

static enum status put_now(struct changes *changes, const struct link *links, size_t count, uint32_t dag)
{
    char name[TDAG_NAME_MAX + 1];
    const char *what = judge(changes, links, count, dag);
    if (!what)
        return STATUS_OK;
    const struct link *main = count > 0 ? main_link(changes, links, count, dag) : NULL;
    *tdag_put_name(changes->forest, &changes->selection->tdags, dag, name) = '\0';
    enum status status = put_row(changes, name, what, main ? &changes->before.tdags[before_of(main) - 1] : NULL,
                                 &changes->selection->classes.rows[dag - 1]);
    return status == STATUS_OK ? put_joined(changes, links, count, main) : status;
}

static enum status put_all(struct changes *changes)
{
    enum status status = STATUS_OK;
    size_t at = 0;
    for (uint32_t d = 1; d <= changes->selection->tdags.count && status == STATUS_OK; d++) {
        size_t end = at;
        while (end < changes->links_count && now_of(&changes->links[end]) == d)
            end++;
        status = put_now(changes, changes->links + at, end - at, d);
        at = end;
    }
    for (size_t i = 0; i < changes->before.tdags_count && status == STATUS_OK; i++) {
        if (changes->stays[i])
            continue;
        changes->counts.gone++;
        status = put_row(changes, changes->before.tdags[i].name, "gone", &changes->before.tdags[i], NULL);
        if (status == STATUS_OK)
            status = text_printf(&changes->text, "\n");
    }
    return status;
}

/* ---- all of it ---- */

static enum status make(struct changes *changes, struct fault *fault)
{
    const struct tdags *tdags = &changes->selection->tdags;
    size_t members = tdags->first[tdags->count], count = changes->before.txs_count;
    struct keyed *keyed = mem_alloc(members, sizeof *keyed), *spare = mem_alloc(members, sizeof *spare);
    struct link *links = mem_alloc(count, sizeof *links), *spare_links = mem_alloc(count, sizeof *spare_links);
    changes->stays = mem_alloc(changes->before.tdags_count, 1);
    bool linked = link_all(changes, keyed, spare, links, spare_links);
    mem_free(keyed);
    mem_free(spare);
    enum status status = linked ? schema_put_header(&changes->text, &schema_changes, 0) : STATUS_NOMEM;
    if (status == STATUS_OK)
        status = put_all(changes);
    mem_free(links);
    mem_free(spare_links);
    mem_free(changes->stays);
    changes->counts.known = true;
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status write_file(struct changes *changes, struct outfolder *folder, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = outfolder_begin(folder, &file, "changes.csv", fault);
    if (status == STATUS_OK) {
        file.table = &schema_changes;
        status = outfile_flush(&file, &changes->text, fault);
    }
    return outfile_finish(&file, status, fault);
}

static void tell(const struct folder_changes *counts)
{
    message("T-DAGs since the run before: new %u, grown %u, merged %u, shrunk %u, gone %u (changes.csv)",
            (unsigned)counts->new, (unsigned)counts->grown, (unsigned)counts->merged, (unsigned)counts->shrunk,
            (unsigned)counts->gone);
}

enum status changes_write(struct outfolder *folder, const struct forest *forest, const struct selection *selection,
                          bool quiet, struct fault *fault)
{
    struct changes changes = {.forest = forest, .selection = selection};
    if (!outfolder_continues(folder, "tdags.csv") || !outfolder_continues(folder, "txs.csv"))
        return STATUS_OK;
    enum status status = tables_before_read(outfolder_path(folder), &changes.before, fault);
    bool readable = status == STATUS_OK;
    if (status == STATUS_FORMAT || status == STATUS_IO) {
        message_fault(fault);
        message("what has changed since the run before is left out");
        status = STATUS_OK;
    }
    if (readable)
        status = make(&changes, fault);
    if (readable && status == STATUS_OK)
        status = write_file(&changes, folder, fault);
    if (readable && status == STATUS_OK) {
        outfolder_set_changes(folder, &changes.counts);
        if (!quiet)
            tell(&changes.counts);
    }
    text_free(&changes.text);
    tables_before_free(&changes.before);
    return status;
}
