/* protocol: what the keys of an output without an address carry, where they carry data: which protocol wrote it
 * (docs/model.md, section 10). A name is given only where a mark of the protocol is found. The marks are those of the
 * protocols' own programs:
 *
 *   counterparty  OP_CHECKMULTISIG of n keys; the keys but the last, each without its first and last byte, one after
 *                 the other and under RC4, whose key is the txid of the transaction's first input as it is printed: a
 *                 length, then CNTRPRTY (decode_checkmultisig in counterparty-core's gettxinfo.py). Until 2014: 1 of 2;
 *                 the second key is a length, data and zeros, and the data of these outputs together begins with
 *                 CNTRPRTY (get_tx_info1 in counterparty-lib's blocks.py)
 *   stamps        1 of 3; the first two keys of all these outputs, each without its first and last byte, one after
 *                 the other and under the same RC4: a length of 2 bytes, then stamp: (decode_checkmultisig in
 *                 stampchain-io/btc_stamps). Or a message of Counterparty with stamp: in it, in whatever case, or with
 *                 a key burn as its last key (mikeinspace/stamps, BitcoinStamps.md and Key-Burn.md)
 *   omni          class B: an output to the Exodus address; the keys but the first, each without its first and last
 *                 byte, are packets of 31 bytes, the i-th of them XORed with the i-th hash of the sender's address:
 *                 SHA-256 of its text, then of the upper-case hexadecimal of the hash before. A packet begins with its
 *                 number, the first goes on with a version and a type of 2 bytes each (parseTransaction in
 *                 OmniLayer/omnicore). The sender is the address whose inputs have the largest sum, and all inputs
 *                 spend P2PKH or P2SH outputs (IsAllowedInputType in its rules.cpp), whose scriptSigs end in the key or
 *                 redeem script, so that no other transaction is needed: here any input may be the sender's, since the
 *                 packet opens under one address alone, and what the others are is not looked at
 *   chancecoin    as the early Counterparty, of which it is a copy: CHANCECO
 *   ppk           the second key is 0320a0de36...: PPkPub's mark (ppkpub/SDK; deadmanoz/data-carry-research)
 *   rsk           the script is RSKBLOCK: and the hash of a Rootstock block: written as it is, without OP_RETURN, it
 *                 reads as OP_2 OP_3 and a push that runs over the end
 *   key-burn      none of these, and at least one key was chosen for its looks (pubkey_is_burn)
 *   data-keys     none of these, and at least one key is no point of the curve
 *
 * Pure functions over borrowed bytes; no allocation; any thread. */
#ifndef UNKTX_PARSER_PROTOCOL_H
#define UNKTX_PARSER_PROTOCOL_H

#include "parser/multisig.h"
#include "parser/rc4.h"
#include "parser/script.h"

/* Values up to PROTOCOL_CHANCECOIN are part of the store format; never renumber. */
enum protocol {
    PROTOCOL_NONE = 0,
    PROTOCOL_COUNTERPARTY = 1,
    PROTOCOL_STAMPS = 2,
    PROTOCOL_OMNI = 3,
    PROTOCOL_CHANCECOIN = 4,
    /* these show in the script alone */
    PROTOCOL_PPK,
    PROTOCOL_RSK,
    PROTOCOL_KEY_BURN,
    PROTOCOL_DATA_KEYS,
};
#define PROTOCOLS 9
#define PROTOCOLS_OF_TX 5 /* those that only the whole transaction shows, and none */

/* "counterparty", ...; "" for none. Static string. */
const char *protocol_name(enum protocol protocol);

/* What a transaction shows of its outputs together. One thread's. */
struct protocol_tx {
    struct rc4 cipher;   /* at the beginning of the stream of the first input's txid */
    bool stamps;         /* outputs of 1 of 3 are Stamps' */
    bool stamps_within;  /* messages of Counterparty are Stamps' */
    enum protocol plain; /* of the outputs of 1 of 2, from the mark on */
    bool omni;           /* outputs have packets of Omni */
};

/* Reads the transaction (version to lock time, as in a block). The bytes need not be one: what does not parse shows
 * nothing. O(size). */
void protocol_tx_begin(struct protocol_tx *tx, const uint8_t *bytes, size_t size);
/* The protocol of its next output, of those that the transaction has: below PROTOCOLS_OF_TX. The outputs come in order;
 * those that multisig_read does not take may be left out. O(size). */
enum protocol protocol_tx_next(struct protocol_tx *tx, const uint8_t *script, size_t size);

/* The protocol of a pubkey, multisig or nonstandard output; `of_tx`: what its transaction shows of it. PROTOCOL_NONE
 * for other kinds. O(size), and some microseconds for each key. */
enum protocol protocol_of_output(enum protocol of_tx, enum kind kind, const uint8_t *script, size_t size);

/* Which keys of an output of that protocol carry data: bit i is set for key i. The others are, by the protocol's rules,
 * the sender's, or burnt. O(1). */
unsigned protocol_data_keys(enum protocol protocol, const struct multisig *keys);

#endif
