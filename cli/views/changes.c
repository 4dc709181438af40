#include "cli/views/changes.h"

#include <pthread.h>
#include <stdlib.h>

#include "cli/inputs/dag_labels.h"
#include "cli/inputs/tables_before.h"
#include "cli/output/message.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/search.h"
#include "parser/sort.h"

/* A T-DAG of now and one of before with `common` transactions in both. */
struct link {
    uint64_t pair; /* now << 32 | before, both from 1 on */
    uint64_t common;
};

/* Nearly every T-DAG of before is in one of now at most. */
struct main_link {
    uint32_t now; /* 0: in none */
    uint32_t common;
};

/* Where a worker is among the transactions of now, and the links that are no main ones. */
struct walk {
    uint32_t at;
    uint32_t height;
    struct link *others;
    size_t count;
    size_t capacity;
};

/* The transactions of now by the first 32 bits of their txids: bits << 32 | number, ascending. */
struct lookup {
    pthread_mutex_t lock;
    bool is_made;
    enum status status;
    uint64_t *keys;
    uint32_t *starts; /* by the highest `bits` bits: the first key; one more closes the last */
    unsigned bits;
    size_t count;
};

struct changes {
    const struct forest *forest;
    const struct selection *selection;
    unsigned threads;
    struct tables_before before;
    struct main_link *mains; /* by T-DAG of before - 1 */
    struct walk *walks;      /* by worker */
    struct lookup lookup;
    struct link *links; /* ascending */
    size_t links_count;
    struct folder_changes counts;
};

static uint32_t now_of(const struct link *link) { return (uint32_t)(link->pair >> 32); }
static uint32_t before_of(const struct link *link) { return (uint32_t)link->pair; }

/* ---- which transaction of now is one of before ---- */

static uint32_t key_of(const struct hash256 *txid) { return load_be32(txid->bytes); }

static void fill_lookup(struct lookup *lookup, uint64_t *keys, uint64_t *spare, const struct forest *forest,
                        const struct tdags *tdags)
{
    size_t starts = (size_t)1 << lookup->bits, at = 0;
    for (uint32_t t = 0; t < forest->txs_count; t++) {
        if (tdags->tx_dag[t])
            keys[lookup->count++] = (uint64_t)key_of(&forest->txs[t].txid) << 32 | t;
    }
    lookup->keys = sort_by_key(keys, spare, lookup->count, sizeof *keys);
    for (size_t s = 0; s < starts; s++) {
        while (at < lookup->count && lookup->keys[at] >> (64 - lookup->bits) < s)
            at++;
        lookup->starts[s] = (uint32_t)at;
    }
    lookup->starts[starts] = (uint32_t)lookup->count;
    mem_free(lookup->keys == keys ? spare : keys);
}

static enum status make_lookup(struct lookup *lookup, const struct forest *forest, const struct tdags *tdags)
{
    size_t members = tdags->first[tdags->count];
    for (lookup->bits = 1; (size_t)1 << lookup->bits < members / 4;)
        lookup->bits++;
    uint64_t *keys = mem_alloc_large(members, sizeof *keys), *spare = mem_alloc_large(members, sizeof *spare);
    lookup->starts = mem_alloc(((size_t)1 << lookup->bits) + 1, sizeof *lookup->starts);
    if (keys && spare && lookup->starts) {
        fill_lookup(lookup, keys, spare, forest, tdags);
        return STATUS_OK;
    }
    mem_free(keys);
    mem_free(spare);
    return STATUS_NOMEM;
}

/* Where the chain has only grown, nobody asks: made when somebody does. */
static enum status lookup_ready(struct changes *changes)
{
    struct lookup *lookup = &changes->lookup;
    pthread_mutex_lock(&lookup->lock);
    if (!lookup->is_made)
        lookup->status = make_lookup(lookup, changes->forest, &changes->selection->tdags);
    lookup->is_made = true;
    pthread_mutex_unlock(&lookup->lock);
    return lookup->status;
}

/* The T-DAG that has the transaction of before now, 0: none. Of several copies (before BIP 30) it is the one at the
 * same height, else the first, which a reorganisation moved. */
static uint32_t look_up(const struct changes *changes, const struct hash256 *txid, uint32_t height)
{
    const struct lookup *lookup = &changes->lookup;
    const struct forest *forest = changes->forest;
    uint64_t key = key_of(txid);
    uint32_t first = 0;
    size_t slot = (size_t)(key << lookup->bits >> 32), end = lookup->starts[slot + 1];
    for (size_t i = LOWER_BOUND(k, lookup->starts[slot], end, lookup->keys[k] >> 32 < key);
         i < end && lookup->keys[i] >> 32 == key; i++) {
        uint32_t tx = (uint32_t)lookup->keys[i];
        if (!hash256_equal(&forest->txs[tx].txid, txid))
            continue;
        first = first ? first : changes->selection->tdags.tx_dag[tx];
        if (forest->txs[tx].height == height)
            return changes->selection->tdags.tx_dag[tx];
    }
    return first;
}

/* To the first transaction of now from that height on. */
static void walk_to(const struct changes *changes, struct walk *walk, uint32_t height)
{
    const struct forest *forest = changes->forest;
    uint32_t from = height < walk->height ? 0 : walk->at, near = 0;
    while (from < forest->txs_count && forest->txs[from].height < height && near++ < 64)
        from++;
    walk->at = (uint32_t)LOWER_BOUND(t, from, forest->txs_count, forest->txs[t].height < height);
    walk->height = height;
}

static bool has_txid(const struct forest_tx *tx, const char *txid)
{
    char hex[HASH256_HEX_SIZE];
    hash256_digits(load_le64(tx->txid.bytes + HASH256_SIZE - sizeof(uint64_t)), hex);
    if (memcmp(hex, txid, 16) != 0)
        return false;
    hash256_hex(&tx->txid, hex);
    return memcmp(hex, txid, sizeof hex) == 0;
}

/* Both are in chain order, so it is most often the next one of now. */
static enum status dag_of(struct changes *changes, struct walk *walk, const struct tx_before *before, uint32_t *dag)
{
    const struct forest *forest = changes->forest;
    const uint32_t *tx_dag = changes->selection->tdags.tx_dag;
    struct hash256 txid;
    if (strlen(before->txid) != HASH256_HEX_SIZE)
        return STATUS_FORMAT;
    if (walk->height != before->height)
        walk_to(changes, walk, before->height);
    for (; walk->at < forest->txs_count && forest->txs[walk->at].height == before->height; walk->at++) {
        if (tx_dag[walk->at] && has_txid(&forest->txs[walk->at], before->txid)) {
            *dag = tx_dag[walk->at++];
            return STATUS_OK;
        }
    }
    if (!hash256_parse(before->txid, &txid))
        return STATUS_FORMAT;
    enum status status = lookup_ready(changes);
    *dag = status == STATUS_OK ? look_up(changes, &txid, before->height) : 0;
    return status;
}

/* ---- which T-DAGs have a transaction in common ---- */

/* Which link becomes the main one depends on the threads, what all links say together does not. */
static enum status visit_tx(void *context, unsigned worker, const struct tx_before *before)
{
    struct changes *changes = context;
    struct walk *walk = &changes->walks[worker];
    struct main_link *main = &changes->mains[before->dag - 1];
    uint32_t now = 0, none = 0;
    enum status status = dag_of(changes, walk, before, &now);
    if (status != STATUS_OK || now == 0)
        return status;
    if (__atomic_compare_exchange_n(&main->now, &none, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) || none == now) {
        __atomic_fetch_add(&main->common, 1, __ATOMIC_RELAXED);
        return STATUS_OK;
    }
    status = mem_reserve(&walk->others, &walk->capacity, walk->count + 1, sizeof *walk->others);
    if (status == STATUS_OK)
        walk->others[walk->count++] = (struct link){(uint64_t)now << 32 | before->dag, 1};
    return status;
}

/* Joins equal neighbours, and adds up what they count. */
static size_t join_links(struct link *links, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && links[kept - 1].pair == links[i].pair)
            links[kept - 1].common += links[i].common;
        else
            links[kept++] = links[i];
    }
    return kept;
}

static enum status gather_links(struct changes *changes, struct fault *fault)
{
    size_t count = 0, most = changes->before.tdags_count;
    for (unsigned w = 0; w < changes->threads; w++)
        most += changes->walks[w].count;
    struct link *links = mem_alloc_large(most, sizeof *links), *spare = mem_alloc_large(most, sizeof *spare);
    if (!links || !spare) {
        mem_free(links);
        mem_free(spare);
        return fault_nomem(fault);
    }
    for (size_t d = 0; d < changes->before.tdags_count; d++) {
        if (changes->mains[d].now)
            links[count++] = (struct link){(uint64_t)changes->mains[d].now << 32 | (d + 1), changes->mains[d].common};
    }
    for (unsigned w = 0; w < changes->threads; w++) {
        for (size_t i = 0; i < changes->walks[w].count; i++)
            links[count++] = changes->walks[w].others[i];
    }
    changes->links = sort_by_key(links, spare, count, sizeof *links);
    changes->links_count = join_links(changes->links, count);
    mem_free(changes->links == links ? spare : links);
    return STATUS_OK;
}

static enum status link_all(struct changes *changes, const char *folder, struct fault *fault)
{
    changes->mains = mem_alloc_large(changes->before.tdags_count, sizeof *changes->mains);
    changes->walks = mem_alloc(changes->threads, sizeof *changes->walks);
    enum status status = changes->mains && changes->walks ? STATUS_OK : fault_nomem(fault);
    pthread_mutex_init(&changes->lookup.lock, NULL);
    if (status == STATUS_OK)
        status = tables_before_txs(folder, changes->threads, &changes->before, visit_tx, changes, fault);
    pthread_mutex_destroy(&changes->lookup.lock);
    mem_free(changes->lookup.keys);
    mem_free(changes->lookup.starts);
    if (status == STATUS_OK)
        status = gather_links(changes, fault);
    for (unsigned w = 0; changes->walks && w < changes->threads; w++)
        mem_free(changes->walks[w].others);
    mem_free(changes->walks);
    return status;
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

static enum status put_row(struct text *text, const char *name, const char *what, const struct tdag_before *before,
                           const struct tdag_row *row)
{
    char *p = text_room(text, ROW_SIZE);
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
    text_end(text, p);
    return STATUS_OK;
}

/* The T-DAG of before that it is compared to: the one with the same first transaction, whose name stays, else the
 * oldest. */
static const struct link *main_link(const struct changes *changes, const struct link *links, size_t count, uint32_t dag)
{
    const struct hash256 *first = &changes->forest->txs[tdags_first_tx(&changes->selection->tdags, dag)].txid;
    for (size_t i = 0; i < count; i++) {
        if (hash256_equal(&changes->before.tdags[before_of(&links[i]) - 1].first_txid, first))
            return &links[i];
    }
    return &links[0];
}

/* The names of before that its own does not tell, and the end of the row of T-DAG `dag` of now, 0 for none. */
static enum status put_joined(const struct changes *changes, const struct link *links, size_t count, const char *name,
                              uint32_t dag, struct text *text)
{
    const struct dag_labels *labels = changes->selection->labels;
    const char *space = "";
    for (size_t i = 0; i < count; i++) {
        char *p = text_room(text, TDAG_NAME_MAX + 1);
        if (!p)
            return STATUS_NOMEM;
        char *other = put_text(p, space), *end = tables_before_put_name(&changes->before, before_of(&links[i]), other);
        if ((size_t)(end - other) == strlen(name) && memcmp(other, name, strlen(name)) == 0)
            continue;
        text_end(text, end);
        space = " ";
    }
    char *p = text_room(text, dag_labels_cell_size(labels, dag) + 1);
    if (!p)
        return STATUS_NOMEM;
    p = dag_labels_put_cell(labels, dag, p);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static const char *count_one(uint32_t *count, const char *word)
{
    ++*count;
    return word;
}

/* What became of the T-DAGs of before that are in T-DAG `dag` now, whose name it is; NULL: nothing. */
static const char *judge(const struct changes *changes, const struct link *links, size_t count, uint32_t dag,
                         const char *name, struct folder_changes *counts)
{
    const struct tdag_row *row = &changes->selection->classes.rows[dag - 1];
    char name_before[TDAG_NAME_MAX + 1];
    if (count == 0)
        return count_one(&counts->new, "new");
    if (count > 1)
        return count_one(&counts->merged, "merged");
    const struct tdag_before *before = &changes->before.tdags[before_of(links) - 1];
    if (links->common < before->rows)
        return count_one(&counts->shrunk, "shrunk");
    if (row->txs != before->txs || row->nodes != before->nodes || row->moved_value_sat != before->moved_value_sat)
        return count_one(&counts->grown, "grown");
    *tables_before_put_name(&changes->before, before_of(links), name_before) = '\0';
    return strcmp(name, name_before) == 0 ? NULL : count_one(&counts->renamed, "renamed");
}

static enum status put_now(const struct changes *changes, const struct link *links, size_t count, uint32_t dag,
                           struct text *text, struct folder_changes *counts)
{
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(changes->forest, &changes->selection->tdags, dag, name) = '\0';
    const char *what = judge(changes, links, count, dag, name, counts);
    if (!what)
        return STATUS_OK;
    const struct link *main = count > 0 ? main_link(changes, links, count, dag) : NULL;
    enum status status = put_row(text, name, what, main ? &changes->before.tdags[before_of(main) - 1] : NULL,
                                 &changes->selection->classes.rows[dag - 1]);
    return status == STATUS_OK ? put_joined(changes, links, count, name, dag, text) : status;
}

static enum status put_gone(const struct changes *changes, size_t d, struct text *text, struct folder_changes *counts)
{
    char name[TDAG_NAME_MAX + 1];
    if (changes->mains[d - 1].now)
        return STATUS_OK;
    counts->gone++;
    *tables_before_put_name(&changes->before, d, name) = '\0';
    enum status status = put_row(text, name, "gone", &changes->before.tdags[d - 1], NULL);
    return status == STATUS_OK ? put_joined(changes, NULL, 0, name, 0, text) : status;
}

/* ---- all of it ---- */

#define CHUNK_DAGS 4096u

static size_t chunks_of(size_t tdags) { return tdags / CHUNK_DAGS + (tdags % CHUNK_DAGS != 0); }

static void add_counts(struct folder_changes *sums, const struct folder_changes *counts)
{
    __atomic_fetch_add(&sums->new, counts->new, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sums->grown, counts->grown, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sums->merged, counts->merged, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sums->shrunk, counts->shrunk, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sums->renamed, counts->renamed, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sums->gone, counts->gone, __ATOMIC_RELAXED);
}

/* First the chunks of T-DAGs of now, then those of before. */
static enum status format(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct changes *changes = context;
    struct folder_changes counts = {0};
    size_t now = changes->selection->tdags.count, before = changes->before.tdags_count, first_gone = chunks_of(now);
    bool is_gone = chunk >= first_gone;
    size_t count = is_gone ? before : now, d = (is_gone ? chunk - first_gone : chunk) * CHUNK_DAGS + 1;
    size_t end = count - d < CHUNK_DAGS ? count + 1 : d + CHUNK_DAGS;
    enum status status = STATUS_OK;
    size_t at = LOWER_BOUND(i, 0, changes->links_count, now_of(&changes->links[i]) < d);
    (void)worker;
    for (; d < end && status == STATUS_OK; d++) {
        size_t last = at;
        while (!is_gone && last < changes->links_count && now_of(&changes->links[last]) == d)
            last++;
        status = is_gone ? put_gone(changes, d, text, &counts)
                         : put_now(changes, changes->links + at, last - at, (uint32_t)d, text, &counts);
        at = last;
    }
    add_counts(&changes->counts, &counts);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status write_file(struct changes *changes, size_t chunks, struct outfolder *folder, struct fault *fault)
{
    const struct outfile_table table = {&schema_changes, changes->selection->labels ? COLUMN_WITH_LABELS : 0, chunks,
                                        format, changes};
    struct outfile file = {0};
    enum status status = outfolder_begin(folder, &file, "changes.csv", fault);
    if (status == STATUS_OK)
        status = outfile_write_table(&file, changes->threads, &table, fault);
    return outfile_finish(&file, status, fault);
}

static void tell(const struct folder_changes *counts)
{
    message("T-DAGs since the run before: new %u, grown %u, merged %u, shrunk %u, renamed %u, gone %u (changes.csv)",
            (unsigned)counts->new, (unsigned)counts->grown, (unsigned)counts->merged, (unsigned)counts->shrunk,
            (unsigned)counts->renamed, (unsigned)counts->gone);
}

/* Both tables, unless they are those of now (*unchanged); *readable false where they were told to be none. */
static enum status read_before(struct changes *changes, const struct outfolder *folder, bool *unchanged, bool *readable,
                               struct fault *fault)
{
    enum status status = tables_before_check(folder, changes->threads, unchanged, fault);
    if (status == STATUS_OK && !*unchanged)
        status = tables_before_read(outfolder_path(folder), changes->threads, &changes->before, fault);
    if (status == STATUS_OK && !*unchanged)
        status = link_all(changes, outfolder_path(folder), fault);
    *readable = status == STATUS_OK;
    if (status != STATUS_REFUSED && status != STATUS_FORMAT && status != STATUS_IO && status != STATUS_NOT_FOUND)
        return status;
    message_fault(fault);
    message("what has changed since the run before is left out");
    return STATUS_OK;
}

enum status changes_write(struct outfolder *folder, const struct forest *forest, const struct selection *selection,
                          bool quiet, unsigned threads, struct fault *fault)
{
    struct changes changes = {.forest = forest, .selection = selection, .threads = threads, .counts = {.known = true}};
    bool unchanged, readable;
    if (!outfolder_before(folder, "tdags.csv") || !outfolder_before(folder, "txs.csv"))
        return STATUS_OK;
    enum status status = read_before(&changes, folder, &unchanged, &readable, fault);
    size_t chunks = unchanged ? 0 : chunks_of(selection->tdags.count) + chunks_of(changes.before.tdags_count);
    if (readable && status == STATUS_OK)
        status = write_file(&changes, chunks, folder, fault);
    if (readable && status == STATUS_OK) {
        outfolder_set_changes(folder, &changes.counts);
        if (!quiet)
            tell(&changes.counts);
    }
    mem_free(changes.links);
    mem_free(changes.mains);
    tables_before_free(&changes.before);
    return status;
}
