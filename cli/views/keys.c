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
static char *put_thing(char *p, const struct evidence_set *set, const struct evidence *piece)
{
    const struct evidence_thing *thing = &set->things.at[piece->thing];
    uint32_t dag = set->tdags->tx_dag[piece->tx];
    p = put_cell(put_cell(p, thing->first_height), thing->last_height);
    p = put_cell(put_cell(p, thing->dags), thing->members);
    if (dag)
        p = put_u64(p, dag);
    *p++ = ',';
    if (dag)
        p = tdag_put_name(set->forest, set->tdags, dag, p);
    *p++ = '\n';
    return p;
}

static char *put_key(char *p, const struct keys *keys, const struct evidence *piece)
{
    const struct evidence_set *set = keys->evidence;
    const uint8_t *key = set->bytes.at + piece->at;
    const struct network *network = network_by_genesis(&store_identity_of(keys->store)->genesis);
    bool on_curve = pubkey_on_curve(key, piece->size);
    p = put_place(p, set, piece);
    if (piece->role == ROLE_MULTISIG)
        p = put_u64(p, piece->of);
    *p++ = ',';
    p = put_spender(p, set, piece);
    p = put_hex(p, key, piece->size);
    *p++ = ',';
    p = put_cell(put_cell(p, piece->size == 33), on_curve);
    p = put_cell(p, set->things.at[piece->thing].marker);
    for (unsigned a = 0; a < KEY_ADDRESSES; a++) {
        if (on_curve)
            p = address_put_of_key(p, network, key, piece->size, (enum key_address)a);
        *p++ = ',';
    }
    return put_thing(p, set, piece);
}

static char *put_hash(char *p, const struct keys *keys, const struct evidence *piece)
{
    const struct evidence_set *set = keys->evidence;
    const struct evidence_thing *thing = &set->things.at[piece->thing];
    const struct evidence *preimage = thing->preimage == FOREST_NONE ? NULL : &set->pieces.at[thing->preimage];
    p = put_place(p, set, piece);
    p += script_asm(&piece->operation, 1, p);
    *p++ = ',';
    p = put_hex(p, set->bytes.at + piece->at, piece->size);
    *p++ = ',';
    p = put_cell(put_cell(p, piece->of), thing->marker);
    if (preimage)
        p = preimage->size > 0 ? put_hex(p, set->bytes.at + preimage->at, preimage->size) : put_text(p, "\"\"");
    *p++ = ',';
    p = put_spender(p, set, preimage);
    return put_thing(p, set, piece);
}

typedef char *put_piece(char *p, const struct keys *keys, const struct evidence *piece);

static enum status format_pieces(const struct keys *keys, size_t chunk, struct text *text, enum evidence_kind kind,
                                 put_piece *put, struct fault *fault)
{
    const struct evidence_set *set = keys->evidence;
    size_t first = chunk * CHUNK_PIECES, left = set->pieces.count - first;
    for (size_t i = first; i < first + (left < CHUNK_PIECES ? left : CHUNK_PIECES); i++) {
        const struct evidence *piece = &set->pieces.at[i];
        /* of hashes that were opened there are two pieces, the output's and the spender's */
        if (piece->kind != kind || piece->hidden || (kind == EVIDENCE_HASH && piece->role == ROLE_SCRIPT_SIG))
            continue;
        char *p = text_room(text, ROW_MAX);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put(p, keys, piece));
    }
    return STATUS_OK;
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
    const struct outfile_table table = {schema, 0, pieces / CHUNK_PIECES + (pieces % CHUNK_PIECES != 0), format, keys};
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
            status = outfile_commit(&keys->files[f], fault);
    }
    return status;
}

void keys_close(struct keys *keys)
{
    outfile_abort(&keys->files[0]);
    outfile_abort(&keys->files[1]);
}
