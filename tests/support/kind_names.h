/* kind_names: the kinds of outputs as Core names them (GetTxnOutputType, src/script/solver.cpp), in the order in which
 * tables have them. Written a second time, so that no test asks the program for them. */
#ifndef UNKTX_TESTS_SUPPORT_KIND_NAMES_H
#define UNKTX_TESTS_SUPPORT_KIND_NAMES_H

#define KIND_NAMES 11

static const char *const kind_names[KIND_NAMES] = {"nonstandard",
                                                   "nulldata",
                                                   "pubkey",
                                                   "multisig",
                                                   "pubkeyhash",
                                                   "scripthash",
                                                   "witness_v0_keyhash",
                                                   "witness_v0_scripthash",
                                                   "witness_v1_taproot",
                                                   "anchor",
                                                   "witness_unknown"};

#endif
