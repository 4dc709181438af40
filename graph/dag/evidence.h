/* evidence: what may tie T-DAGs, and single unknown outputs, together: the public keys, hashes of hash locks and
 * preimages that their outputs and the unlocking of these show, and with an index the addresses and transactions of
 * their payers and payees (docs/model.md, section 10). A *member* is a T-DAG or a single output; members that share a
 * thing are tied; the connected components of ties are groups.
 *
 * Thread rule: evidence_add by one thread; the rest changes the set as a whole; a const set is shareable. Memory: 32
 * bytes and its own bytes for each piece of evidence, some 50 bytes for each thing of several pieces. */
#ifndef UNKTX_GRAPH_DAG_EVIDENCE_H
#define UNKTX_GRAPH_DAG_EVIDENCE_H

#include "graph/dag/forest.h"
#include "parser/array.h"
#include "parser/opcode.h"

enum evidence_kind {
    EVIDENCE_KEY,      /* the bytes of a public key as shown */
    EVIDENCE_HASH,     /* of a hash lock */
    EVIDENCE_PREIMAGE, /* that opened the hash of the piece before */
    EVIDENCE_ADDRESS,  /* of a payer or payee, as text */
    EVIDENCE_TX,       /* txid of the outpoint of a payer or payee */
};
#define EVIDENCE_KINDS 5
/* "key", "hash", "preimage", "address", "transaction". Static strings. */
const char *evidence_kind_name(enum evidence_kind kind);

enum evidence_role {
    ROLE_PUBKEY,     /* the key of a pubkey script */
    ROLE_MULTISIG,   /* key `number` of `of` */
    ROLE_SCRIPT,     /* push `number` of its kind in any other script */
    ROLE_SCRIPT_SIG, /* shown by the spender */
    ROLE_PAYER,
    ROLE_PAYEE,
};
/* "pubkey", "multisig", "script", "scriptSig", "payer", "payee". Static strings. */
const char *evidence_role_name(enum evidence_role role);

/* One piece: a thing at an outpoint. */
struct evidence {
    uint64_t at;      /* of its first byte in the set's bytes */
    uint32_t thing;   /* by evidence_number; EVIDENCE_ALONE: no other piece has the thing */
    uint32_t ordinal; /* of the tracked output; of payers and payees FOREST_NONE: the outpoint is after the bytes */
    uint32_t tx;      /* stored transaction that shows it: the creator or the spender */
    uint16_t size;
    uint16_t number;   /* from 1 */
    uint8_t of;        /* ROLE_MULTISIG: how many keys; EVIDENCE_HASH: 1 where a public key is asked for */
    uint8_t kind;      /* enum evidence_kind */
    uint8_t role;      /* enum evidence_role */
    uint8_t operation; /* EVIDENCE_HASH: that of the lock */
    bool hidden;       /* no table has a row for it */
    bool repeated;     /* of the first piece of a thing, while things are numbered: there are more */
};
#define EVIDENCE_ALONE UINT32_MAX
#define EVIDENCE_SIZE_MAX SCRIPT_PUSH_MAX
#define EVIDENCE_OUTPOINT_SIZE (HASH256_SIZE + 4u)

/* All pieces with one and the same thing. Keys are the same if they are the same point of the curve, compressed or not.
 */
struct evidence_thing {
    uint32_t first;        /* piece */
    uint32_t pieces;       /* how many */
    uint32_t members;      /* how many different ones */
    uint32_t dags;         /* of them, T-DAGs */
    uint32_t first_height; /* of what shows it */
    uint32_t last_height;
    uint32_t preimage; /* of a hash: the piece that first opened it, else FOREST_NONE */
    bool marker;       /* a burn or marker key, or a hash of equal bytes: ties nothing */
    bool off_curve;    /* a key of several members that is no point: ties nothing */
};

struct evidence_set {
    const struct forest *forest;
    const struct tdags *tdags;
    uint64_t key[3]; /* of the hash of things, secret */
    ARRAY(struct evidence) pieces;
    ARRAY(uint8_t) bytes;
    /* Those of several pieces, in order of their first pieces; most are of one, which evidence_thing_of tells of. */
    struct evidence_thing *things;
    size_t things_count;
    /* The first piece of each member that has thing t: by_thing[begins[t]] and so many as it has members. */
    uint64_t *begins; /* by thing */
    uint32_t *by_thing;
};

/* Borrows forest and tdags; `seed` is the store's. evidence_free in any case. */
void evidence_begin(const struct forest *forest, const struct tdags *tdags, const uint8_t seed[16],
                    struct evidence_set *set);
void evidence_free(struct evidence_set *set);

/* Copies a piece and its bytes; `outpoint` (EVIDENCE_OUTPOINT_SIZE bytes) for payers and payees, else NULL. Pieces come
 * in the order in which the chain shows them. STATUS_LIMIT beyond 2^32 - 2 pieces. */
enum status evidence_add(struct evidence_set *set, const struct evidence *piece, const uint8_t *bytes,
                         const uint8_t *outpoint, struct fault *fault) MUST_CHECK;

/* Makes room for so many more pieces and their bytes, so that sets which are merged are not copied again and again. */
enum status evidence_reserve(struct evidence_set *set, size_t pieces, size_t bytes, struct fault *fault) MUST_CHECK;

/* Appends copies of the pieces of two sets, each in the order of the chain, in that order; those of `a` come first
 * within a transaction. O(both). */
enum status evidence_merge(struct evidence_set *set, const struct evidence_set *a, const struct evidence_set *b,
                           struct fault *fault) MUST_CHECK;

/* Whether the unknown outputs of a transaction have members: it is in a T-DAG, or has no arc, so that they are single
 * outputs. Else it is of a T-DAG that was left out. O(outputs and inputs of the transaction). */
bool evidence_has_members(const struct forest *forest, const struct tdags *tdags, uint32_t tx);
/* The member that a piece belongs to. O(1). */
static inline uint32_t evidence_member(const struct evidence_set *set, const struct evidence *piece)
{
    uint32_t dag = set->tdags->tx_dag[piece->tx];
    return dag ? dag : set->tdags->count + 1 + piece->ordinal;
}

/* Numbers the things, and counts. STATUS_LIMIT: more members than 2^32 - 2. O(bytes of all pieces + tracked outputs),
 * and some microseconds for each key of several members, on `threads` threads. */
enum status evidence_number(struct evidence_set *set, unsigned threads, struct fault *fault) MUST_CHECK;

/* The thing of a piece, which need not be of several pieces. O(1), and some microseconds for a key. */
struct evidence_thing evidence_thing_of(const struct evidence_set *set, const struct evidence *piece);

/* The compressed form of a key that is a point, in `out`; other bytes as they are. Returns the size. */
size_t evidence_key_form(const uint8_t *key, size_t size, uint8_t out[65]);

/* Whether pieces of the thing tie members: it is no marker or key off the curve, and no more than max_degree have it.
 */
static inline bool evidence_ties(const struct evidence_thing *thing, uint32_t max_degree)
{
    return thing->members > 1 && !thing->marker && !thing->off_curve && thing->members <= max_degree;
}

/* Members are numbered below this. */
static inline uint64_t evidence_members_bound(const struct evidence_set *set)
{
    return (uint64_t)set->tdags->count + 1 + set->forest->outputs_count;
}

#endif
