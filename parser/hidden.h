/* hidden: the scripts that an output with an address hides behind a hash until a spender shows them: the redeem script
 * of P2SH (BIP 16), the witness script of P2WSH (BIP 141; also within P2SH), the tap script of P2TR (BIP 341). A script
 * counts as shown only if it hashes to the output: docs/model.md, section 11. Pure functions over borrowed bytes; no
 * allocation; any thread. */
#ifndef UNKTX_PARSER_HIDDEN_H
#define UNKTX_PARSER_HIDDEN_H

#include "parser/script.h"
#include "parser/taproot.h"
#include "parser/tx.h"

/* Where a script was hidden. */
enum hidden_in {
    HIDDEN_P2SH,       /* a redeem script */
    HIDDEN_P2SH_P2WSH, /* the witness script of a redeem script that is P2WSH */
    HIDDEN_P2WSH,      /* a witness script */
    HIDDEN_P2TR,       /* a tap script */
};
#define HIDDEN_IN 4

/* "p2sh", "p2sh-p2wsh", "p2wsh", "p2tr". Static string. */
const char *hidden_in_name(enum hidden_in in);

struct hidden_script {
    const uint8_t *script; /* borrowed from the input or the witness */
    size_t size;
    enum hidden_in in;
    enum kind kind;       /* script_kind of it; of a leaf version that nobody can read yet nonstandard */
    uint8_t leaf_version; /* of a tap script (in is HIDDEN_P2TR), 0 among them; 0 for others */
    bool annex;           /* the witness of a tap script has one */
};

#define HIDDEN_SHOWN_MAX 2    /* a redeem script that is P2WSH, and its witness script */
#define TAP_LEAF_SCRIPT 0xc0u /* the leaf version of BIP 342; what others mean is left to the future */

/* How an output of such a kind was spent. */
enum hidden_way {
    HIDDEN_SHOWN,      /* by all that it hides */
    HIDDEN_KEY_PATH,   /* P2TR by a signature: a script was not shown, and there may be none */
    HIDDEN_NOT_PROVEN, /* what was shown, or a part of it, does not hash to the output, or nothing was shown: from
                        * before the rule was binding, or the bytes are damaged */
};

/* The hash or key that an output of kind scripthash, witness_v0_scripthash or witness_v1_taproot has in it: *size is 20
 * or 32. NULL for any other kind. */
const uint8_t *hidden_program(enum kind kind, const uint8_t *script, size_t *size);

/* What an input that spends an output of that kind and program shows: *count scripts, the outer one first. `witness`
 * is the input's, with `witness_size` bytes from its number of items on, or more; NULL: it has none. Where
 * claim->output is not NULL it shows a tap script if that claim holds, which taproot_check tells for many at once; if
 * it does not, the way is HIDDEN_NOT_PROVEN, and none is shown. The claim borrows `program` and the witness.
 * O(bytes). */
enum hidden_way hidden_read(enum kind kind, const uint8_t *program, const struct tx_input *input,
                            const uint8_t *witness, size_t witness_size, struct hidden_script shown[HIDDEN_SHOWN_MAX],
                            size_t *count, struct taproot_claim *claim);

#endif
