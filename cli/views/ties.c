#include "cli/views/ties.h"

#include "cli/output/message.h"
#include "graph/dag/names.h"
#include "parser/money.h"

/* Things and groups that one chunk looks at. */
#define CHUNK 1024u

#define TIE_MAX (3u * TDAG_NAME_MAX + 2 * HASH256_HEX_SIZE + 8 * (PUT_U64_MAX + 1) + 64 + 2 * (EVIDENCE_SIZE_MAX + 65))
#define GROUP_MAX (TDAG_NAME_MAX + 20 * (PUT_U64_MAX + 1) + FAMILIES * 32u)

static size_t chunks_of(size_t rows) { return rows / CHUNK + (rows % CHUNK != 0); }

static size_t chunk_end(size_t chunk, size_t rows)
{
    size_t first = chunk * CHUNK;
    return rows - first < CHUNK ? rows : first + CHUNK;
}

/* ---- ties.csv ---- */

/* From `dag_id` to `role`: the T-DAG, if the piece is in one, and the outpoint that shows it. */
static char *put_end(char *p, const struct evidence_set *set, const struct evidence *piece)
{
    uint32_t dag = set->tdags->tx_dag[piece->tx];
    if (dag)
        p = put_u64(p, dag);
    *p++ = ',';
    if (dag)
        p = tdag_put_name(set->forest, set->tdags, dag, p);
    *p++ = ',';
    if (piece->ordinal == FOREST_NONE) {
        const uint8_t *outpoint = set->bytes.at + piece->at + piece->size;
        struct hash256 txid;
        memcpy(txid.bytes, outpoint, HASH256_SIZE);
        p = put_cell(put_hash_cell(p, &txid), load_le32(outpoint + HASH256_SIZE));
    } else {
        const struct forest_output *output = &set->forest->outputs[piece->ordinal];
        p = put_cell(put_hash_cell(p, &set->forest->txs[output->tx].txid), output->vout);
    }
    return put_text(p, evidence_role_name((enum evidence_role)piece->role));
}

static char *put_value(char *p, const struct evidence_set *set, const struct evidence *piece)
{
    const uint8_t *bytes = set->bytes.at + piece->at;
    uint8_t key[65];
    struct hash256 txid;
    switch ((enum evidence_kind)piece->kind) {
    case EVIDENCE_KEY: return put_hex(p, key, evidence_key_form(bytes, piece->size, key));
    case EVIDENCE_ADDRESS: memcpy(p, bytes, piece->size); return p + piece->size;
    case EVIDENCE_TX: memcpy(txid.bytes, bytes, HASH256_SIZE); return hash256_hex(&txid, p);
    case EVIDENCE_HASH:
    case EVIDENCE_PREIMAGE: break;
    }
    return piece->size > 0 ? put_hex(p, bytes, piece->size) : put_text(p, "\"\"");
}

static char *put_tie(char *p, const struct ties *ties, const struct evidence_thing *thing, const uint32_t *pieces,
                     uint32_t i)
{
    const struct evidence_set *set = ties->evidence;
    const struct evidence *first = &set->pieces.at[pieces[0]];
    uint32_t group = ties->groups.of_member[evidence_member(set, first)];
    p = put_cell(p, group);
    p = tdag_put_name(set->forest, &ties->groups.names, group, p);
    *p++ = ',';
    p = put_text(p, evidence_kind_name((enum evidence_kind)first->kind));
    *p++ = ',';
    p = put_value(p, set, first);
    *p++ = ',';
    p = put_cell(p, thing->members);
    p = put_end(p, set, first);
    *p++ = ',';
    return put_end(p, set, &set->pieces.at[pieces[i]]);
}

static enum status put_tie_row(struct text *text, const struct ties *ties, const struct evidence_thing *thing,
                               const uint32_t *pieces, uint32_t i)
{
    const struct evidence_set *set = ties->evidence;
    uint32_t dag = set->tdags->tx_dag[set->pieces.at[pieces[0]].tx];
    uint32_t tied = set->tdags->tx_dag[set->pieces.at[pieces[i]].tx];
    char *p = text_room(text,
                        TIE_MAX + dag_labels_cell_size(ties->labels, dag) + dag_labels_cell_size(ties->labels, tied));
    if (!p)
        return STATUS_NOMEM;
    p = dag_labels_put_cell(ties->labels, dag, put_tie(p, ties, thing, pieces, i));
    p = dag_labels_put_cell(ties->labels, tied, p);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status format_ties(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct ties *ties = context;
    const struct evidence_set *set = ties->evidence;
    (void)worker;
    for (size_t t = chunk * CHUNK; t < chunk_end(chunk, set->things_count); t++) {
        const struct evidence_thing *thing = &set->things[t];
        for (uint32_t i = 1; i < thing->members && evidence_ties(thing, ties->max_degree); i++) {
            if (put_tie_row(text, ties, thing, set->by_thing + set->begins[t], i) != STATUS_OK)
                return fault_nomem(fault);
        }
    }
    return STATUS_OK;
}

static enum status count_ties(struct ties *ties, struct fault *fault)
{
    const struct evidence_set *set = ties->evidence;
    ties->counts = mem_alloc((size_t)ties->groups.count + 1, sizeof *ties->counts);
    if (!ties->counts)
        return fault_nomem(fault);
    for (size_t t = 0; t < set->things_count; t++) {
        const struct evidence *first = &set->pieces.at[set->things[t].first];
        if (evidence_ties(&set->things[t], ties->max_degree))
            ties->counts[ties->groups.of_member[evidence_member(set, first)]][first->kind] += set->things[t].members -
                                                                                              1;
    }
    return STATUS_OK;
}

/* ---- groups.csv ---- */

struct group_row {
    uint32_t dags;
    uint32_t outputs;
    uint64_t txs;
    uint64_t value_sat;
    uint32_t first_height;
    uint32_t last_height;
    uint32_t families; /* mask */
    uint32_t last_tx;  /* of the last single output: those of one transaction are together */
};

static void add_tx(const struct ties *ties, struct group_row *row, uint32_t tx)
{
    uint32_t height = ties->evidence->forest->txs[tx].height;
    row->txs++;
    row->first_height = height < row->first_height ? height : row->first_height;
    row->last_height = height > row->last_height ? height : row->last_height;
}

static void add_dag(const struct ties *ties, struct group_row *row, uint32_t dag)
{
    const struct forest *forest = ties->evidence->forest;
    const struct tdags *tdags = ties->evidence->tdags;
    row->dags++;
    row->families |= 1u << ties->classes->rows[dag - 1].family;
    for (uint32_t m = tdags->first[dag - 1]; m < tdags->first[dag]; m++) {
        uint32_t tx = tdags->members[m];
        add_tx(ties, row, tx);
        for (uint32_t o = forest->txs[tx].first_output; o < forest->txs[tx + 1].first_output; o++) {
            if (forest->outputs[o].unknown >> ties->rules & 1)
                row->value_sat = add_saturating(row->value_sat, forest->outputs[o].value_sat);
        }
    }
}

static struct group_row row_of(const struct ties *ties, uint32_t group)
{
    const struct groups *groups = &ties->groups;
    const struct forest *forest = ties->evidence->forest;
    struct group_row row = {.first_height = UINT32_MAX, .last_tx = FOREST_NONE};
    for (uint32_t m = groups->begins[group - 1]; m < groups->begins[group]; m++) {
        uint32_t member = groups->in_group[m], dags = ties->evidence->tdags->count;
        if (member <= dags) {
            add_dag(ties, &row, member);
            continue;
        }
        const struct forest_output *output = &forest->outputs[member - dags - 1];
        row.outputs++;
        row.value_sat = add_saturating(row.value_sat, output->value_sat);
        if (output->tx != row.last_tx)
            add_tx(ties, &row, output->tx);
        row.last_tx = output->tx;
    }
    return row;
}

static char *put_families(char *p, uint32_t families)
{
    const char *start = p;
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (!(families >> f & 1))
            continue;
        if (p > start)
            *p++ = ' ';
        p = put_text(p, family_name((enum family)f));
    }
    return p;
}

static char *put_group(char *p, const struct ties *ties, uint32_t group)
{
    const struct forest *forest = ties->evidence->forest;
    struct group_row row = row_of(ties, group);
    p = put_cell(p, group);
    p = tdag_put_name(forest, &ties->groups.names, group, p);
    *p++ = ',';
    p = put_cell(put_cell(p, row.dags), row.outputs);
    p = put_cell(put_cell(p, row.txs), row.value_sat);
    p = put_cell(put_cell(p, row.first_height), row.last_height);
    p = put_cell(put_cell(p, forest->block_times[row.first_height]), forest->block_times[row.last_height]);
    p = put_families(p, row.families);
    for (unsigned k = 0; k < EVIDENCE_KINDS; k++) {
        *p++ = ',';
        p = put_u64(p, ties->counts[group][k]);
    }
    return p;
}

/* The labels of its T-DAGs as the last cell, where --labels is given, and the end of the row. */
static enum status put_group_end(struct text *text, const struct ties *ties, uint32_t group)
{
    struct label_union all = {0};
    struct label_span span = {0};
    enum status status = STATUS_OK;
    for (uint32_t m = ties->groups.begins[group - 1]; ties->labels && m < ties->groups.begins[group]; m++) {
        uint32_t member = ties->groups.in_group[m];
        if (member > ties->evidence->tdags->count || status != STATUS_OK)
            continue;
        span = dag_labels_of(ties->labels, member);
        status = label_union_add(&all, ties->labels->labels, &span);
    }
    span = label_union_span(&all);
    size_t size = ties->labels ? 1 + address_labels_size(ties->labels->labels, &span) : 0;
    char *p = status == STATUS_OK ? text_room(text, size + 1) : NULL;
    if (p) {
        p = ties->labels ? address_labels_put(ties->labels->labels, &span, put_text(p, ",")) : p;
        *p++ = '\n';
        text_end(text, p);
    }
    label_union_free(&all);
    return p ? STATUS_OK : STATUS_NOMEM;
}

static enum status format_groups(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct ties *ties = context;
    (void)worker;
    for (size_t g = chunk * CHUNK; g < chunk_end(chunk, ties->groups.count); g++) {
        char *p = text_room(text, GROUP_MAX);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_group(p, ties, (uint32_t)g + 1));
        if (put_group_end(text, ties, (uint32_t)g + 1) != STATUS_OK)
            return fault_nomem(fault);
    }
    return STATUS_OK;
}

/* ---- both ---- */

static enum status write_table(struct ties *ties, struct outfile *file, struct outfolder *folder, const char *name,
                               const struct outfile_table *table, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (folder)
        status = outfolder_begin(folder, file, name, fault);
    else
        outfile_discard(file);
    return status == STATUS_OK ? outfile_write_table(file, ties->threads, table, fault) : status;
}

enum status ties_write(struct ties *ties, struct outfolder *folder, struct fault *fault)
{
    const struct evidence_set *set = ties->evidence;
    enum status status = groups_find(set, ties->max_degree, &ties->groups, fault);
    if (status == STATUS_OK)
        status = tdags_name(set->forest, &ties->groups.names, fault);
    if (status == STATUS_OK)
        status = count_ties(ties, fault);
    if (status != STATUS_OK)
        return status;
    unsigned flags = ties->labels ? COLUMN_WITH_LABELS : 0;
    const struct outfile_table tables[2] = {
        {&schema_ties, flags, chunks_of(set->things_count), format_ties, ties},
        {&schema_groups, flags, chunks_of(ties->groups.count), format_groups, ties},
    };
    status = write_table(ties, &ties->files[0], folder, "ties.csv", &tables[0], fault);
    return status == STATUS_OK ? write_table(ties, &ties->files[1], folder, "groups.csv", &tables[1], fault) : status;
}

enum status ties_commit(struct ties *ties, struct fault *fault)
{
    enum status status = outfile_commit(&ties->files[0], fault);
    return status == STATUS_OK ? outfile_commit(&ties->files[1], fault) : status;
}

void ties_tell_left_out(const struct ties *ties)
{
    uint64_t left_out[EVIDENCE_KINDS] = {0}, most[EVIDENCE_KINDS] = {0}, markers = 0;
    const struct evidence_set *set = ties->evidence;
    for (size_t t = 0; t < set->things_count; t++) {
        const struct evidence_thing *thing = &set->things[t];
        unsigned kind = set->pieces.at[thing->first].kind;
        bool nobodys = thing->marker || thing->off_curve;
        markers += nobodys && thing->members > 1;
        if (nobodys || thing->members <= ties->max_degree)
            continue;
        left_out[kind]++;
        most[kind] = thing->members > most[kind] ? thing->members : most[kind];
    }
    for (unsigned k = 0; k < EVIDENCE_KINDS; k++) {
        if (left_out[k] > 0)
            message("left out above --max-degree %u: ties of kind %s, so many: %llu; the most shared is in %llu T-DAGs "
                    "and single outputs",
                    (unsigned)ties->max_degree, evidence_kind_name((enum evidence_kind)k), ULL(left_out[k]),
                    ULL(most[k]));
    }
    if (markers > 0)
        message("shared keys that nobody has (burn and marker keys, keys off the curve) tie nothing: %llu",
                ULL(markers));
}

void ties_close(struct ties *ties)
{
    outfile_abort(&ties->files[0]);
    outfile_abort(&ties->files[1]);
    mem_free(ties->counts);
    groups_free(&ties->groups);
}
