/* network: the networks that Bitcoin Core knows, which differ in the magic of a blk record (Core,
 * kernel/chainparams.cpp). Static data; any thread. O(1). */
#ifndef UNKTX_PARSER_NETWORK_H
#define UNKTX_PARSER_NETWORK_H

#include "parser/hash256.h"

struct network {
    const char *name;   /* as in --chain: main, testnet3, testnet4, signet, regtest */
    const char *folder; /* sub-folder of the data directory, "" for main */
    uint8_t magic[4];
    struct hash256 genesis;
};

/* The network of that name / of that magic; NULL if there is none. Static data. */
const struct network *network_by_name(const char *name);
const struct network *network_by_magic(const uint8_t magic[4]);
/* The network whose genesis block has that hash; a custom signet has signet's genesis block and a magic of its own. */
const struct network *network_by_genesis(const struct hash256 *genesis);
/* The name of the network of that magic, "signet-XXXXXXXX" for one that has none (a custom signet); returns `out`. */
#define NETWORK_LABEL_SIZE 32u
const char *network_label(const uint8_t magic[4], char out[NETWORK_LABEL_SIZE]);
/* The i-th network, NULL after the last. */
const struct network *network_at(unsigned i);

#endif
