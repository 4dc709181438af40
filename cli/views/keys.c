#include "cli/views/keys.h"

#include "graph/dag/names.h"
#include "parser/address.h"
#include "parser/pubkey.h"

/* Pieces of evidence that one chunk looks at. */
#define CHUNK_PIECES 1024u

/* Two txids, the T-DAG's name, numbers; a key with its addresses, or a hash with its preimage and operation. */
#define ROW_MAX                                                                                                        \
    (2u * HASH256_HEX_SIZE + TDAG_NAME_MAX + 14 * (PUT_U64_MAX + 1) + 64 + 2 * (EVIDENCE_SIZE_MAX + 65) +              \
     KEY_ADDRESSES * (ADDRESS_SIZE_MAX + 1))

/* From `height` to `number`. */
static char *put_place(char *p, const struct evidence_set *set, const struct evidence *piece)
{
    const struct forest_output *output = &set->forest->outputs[piece->ordinal];
    const struct forest_tx *tx = &set->forest->txs[output->tx];
    p = put_cell(put_cell(p, tx->height), tx->index);
    p = put_hash_cell(p, &tx->txid);
    p = put_cell(p, output->vout);
    p = put_text(p, evidence_role_name((enum evidence_role)piece->role));
    *p++ = ',';
    return put_cell(p, piece->number);
}

/* The spender, which shows the piece, where it does. */
static char *put_spender(char *p, const struct evidence_set *set, const struct evidence *piece)
{
    if (piece && piece->role == ROLE_SCRIPT_SIG)
        return put_cell(put_hash_cell(p, &set->forest->txs[piece->tx].txid),
                        set->forest->outputs[piece->ordinal].spender_vin);
    *p++ = ',';
    *p++ = ',';
    return p;
}

/* From `first_height` on. */
static char *put_thing(char *p, const struct evidence_set *set, const struct evidence *piece,
                       const struct evidence_thing *thing)
{
    uint32_t dag = set->tdags->tx_dag[piece->tx];
    p = put_cell(put_cell(p, thing->first_height), thing->last_height);
    p = put_cell(put_cell(p, thing->dags), thing->members);
    if (dag)
        p = put_u64(p, dag);
    *p++ = ',';
    return dag ? tdag_put_name(set->forest, set->tdags, dag, p) : p;
}

/* The addresses of a key that is on the curve, a comma after each, and the labels of all. */
static enum status put_addresses(char **p, const struct keys *keys, const uint8_t *key, size_t size, bool on_curve,
                                 struct label_union *found)
{
    const struct network *network = network_by_genesis(&store_identity_of(keys->store)->genesis);
    enum status status = STATUS_OK;
    for (unsigned a = 0; a < KEY_ADDRESSES && status == STATUS_OK; a++) {
        char *address = *p;
        if (on_curve)
            *p = address_put_of_key(address, network, key, size, (enum key_address)a);
        if (keys->labels && *p > address) {
            const struct address_labels *labels = keys->labels->labels;
            struct label_span span = address_labels_of(labels, address, (size_t)(*p - address));
            status = label_union_add(found, labels, &span);
        }
        *(*p)++ = ',';
    }
    return status;
}

static enum status put_key(char **row, const struct keys *keys, const struct evidence *piece, struct label_union *found)
{
    const struct evidence_set *set = keys->evidence;
    const uint8_t *key = set->bytes.at + piece->at;
    bool on_curve = pubkey_on_curve(key, piece->size);
    const struct evidence_thing thing = evidence_thing_of(set, piece);
    char *p = put_place(*row, set, piece);
    if (piece->role == ROLE_MULTISIG)
        p = put_u64(p, piece->of);
    *p++ = ',';
    p = put_spender(p, set, piece);
    p = put_hex(p, key, piece->size);
    *p++ = ',';
    p = put_cell(put_cell(p, piece->size == 33), on_curve);
    p = put_cell(p, thing.marker);
    enum status status = put_addresses(&p, keys, key, piece->size, on_curve, found);
    *row = put_thing(p, set, piece, &thing);
    return status;
}

static enum status put_hash(char **row, const struct keys *keys, const struct evidence *piece,
                            struct label_union *found)
{
    const struct evidence_set *set = keys->evidence;
    const struct evidence_thing thing = evidence_thing_of(set, piece);
    const struct evidence *preimage = thing.preimage == FOREST_NONE ? NULL : &set->pieces.at[thing.preimage];
    (void)found;
    char *p = put_place(*row, set, piece);
    p += script_asm(&piece->operation, 1, p);
    *p++ = ',';
    p = put_hex(p, set->bytes.at + piece->at, piece->size);
    *p++ = ',';
    p = put_cell(put_cell(p, piece->of), thing.marker);
    if (preimage)
        p = preimage->size > 0 ? put_hex(p, set->bytes.at + preimage->at, preimage->size) : put_text(p, "\"\"");
    *p++ = ',';
    *row = put_thing(put_spender(p, set, preimage), set, piece, &thing);
    return STATUS_OK;
}

/* A row but for its end; adds the labels of its addresses. */
typedef enum status put_piece(char **p, const struct keys *keys, const struct evidence *piece,
                              struct label_union *found);

/* The cells of --labels, of a key those of its addresses first, and the end of the row. */
static enum status put_row_end(struct text *text, const struct keys *keys, const struct evidence *piece,
                               struct label_union *found)
{
    uint32_t dag = keys->evidence->tdags->tx_dag[piece->tx];
    bool with_own = keys->labels && piece->kind == EVIDENCE_KEY;
    struct label_span span = label_union_span(found);
    size_t own = with_own ? 1 + address_labels_size(keys->labels->labels, &span) : 0;
    char *p = text_room(text, own + dag_labels_cell_size(keys->labels, dag) + 1);
    if (!p)
        return STATUS_NOMEM;
    if (with_own)
        p = address_labels_put(keys->labels->labels, &span, put_text(p, ","));
    p = dag_labels_put_cell(keys->labels, dag, p);
    *p++ = '\n';
    text_end(text, p);
    found->count = 0;
    return STATUS_OK;
}

static enum status put_row(struct text *text, const struct keys *keys, const struct evidence *piece, put_piece *put,
                           struct label_union *found)
{
    char *p = text_room(text, ROW_MAX);
    if (!p)
        return STATUS_NOMEM;
    enum status status = put(&p, keys, piece, found);
    text_end(text, p);
    return status == STATUS_OK ? put_row_end(text, keys, piece, found) : status;
}

static enum status format_pieces(const struct keys *keys, size_t chunk, struct text *text, enum evidence_kind kind,
                                 put_piece *put, struct fault *fault)
{
    const struct evidence_set *set = keys->evidence;
    size_t first = chunk * CHUNK_PIECES, left = set->pieces.count - first;
    size_t end = first + (left < CHUNK_PIECES ? left : CHUNK_PIECES);
    struct label_union found = {0};
    enum status status = STATUS_OK;
    for (size_t i = first; i < end && status == STATUS_OK; i++) {
        const struct evidence *piece = &set->pieces.at[i];
        /* of hashes that were opened there are two pieces, the output's and the spender's */
        if (piece->kind != kind || piece->hidden || (kind == EVIDENCE_HASH && piece->role == ROLE_SCRIPT_SIG))
            continue;
        status = put_row(text, keys, piece, put, &found);
    }
    label_union_free(&found);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status format_keys(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    (void)worker;
    return format_pieces(context, chunk, text, EVIDENCE_KEY, put_key, fault);
}

static enum status format_hashes(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    (void)worker;
    return format_pieces(context, chunk, text, EVIDENCE_HASH, put_hash, fault);
}

static enum status write_table(struct keys *keys, struct outfile *file, const struct table_schema *schema,
                               outfile_format *format, struct outfolder *folder, const char *path, struct fault *fault)
{
    size_t pieces = keys->evidence->pieces.count;
    size_t chunks = pieces / CHUNK_PIECES + (pieces % CHUNK_PIECES != 0);
    const struct outfile_table table = {schema, keys->labels ? COLUMN_WITH_LABELS : 0, chunks, format, keys};
    enum status status = outfolder_begin(folder, file, path, fault);
    return status == STATUS_OK ? outfile_write_table(file, keys->threads, &table, fault) : status;
}

enum status keys_write(struct keys *keys, struct outfolder *folder, const char *path, struct fault *fault)
{
    return write_table(keys, &keys->files[0], &schema_keys, format_keys, folder, path, fault);
}

enum status hashes_write(struct keys *keys, struct outfolder *folder, const char *path, struct fault *fault)
{
    return write_table(keys, &keys->files[1], &schema_hashes, format_hashes, folder, path, fault);
}

enum status keys_commit(struct keys *keys, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (unsigned f = 0; f < 2 && status == STATUS_OK; f++) {
        if (keys->files[f].table)
            status = outfile_finish(&keys->files[f], status, fault);
    }
    return status;
}

void keys_close(struct keys *keys)
{
    outfile_abort(&keys->files[0]);
    outfile_abort(&keys->files[1]);
}
