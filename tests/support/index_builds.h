/* index_builds: indexes that tests of graph/index build, and what the builds say meanwhile. What cannot be built or
 * opened fails the running test. */
#ifndef UNKTX_TESTS_SUPPORT_INDEX_BUILDS_H
#define UNKTX_TESTS_SUPPORT_INDEX_BUILDS_H

#include "graph/index/build.h"
#include "graph/index/tx_index.h"
#include "tests/support/chaingen.h"

/* Of the last index_built or index_built_with: how many damages it told, and the last one's text. */
extern unsigned index_damages;
extern char index_damage_text[512];
/* How often builds said that they go on from an interrupted one, or join again. */
extern unsigned index_went_on;
extern unsigned index_joined_again;
/* ... or delete what one without a folder of its own left. */
extern unsigned index_made_room;
/* The stage in which builds are asked to stop (parser/stop.h); -1: none. */
extern int index_stop_at;

/* Two threads, 256 MiB, the tip, and what is above. */
struct index_options index_options_for(const char *datadir, const char *store);
struct index_result index_built_with(const struct index_options *options);
struct index_result index_built(const char *datadir, const char *store);
struct tx_index *index_opened(const char *store);
/* The digest of an index that must be sound, as text. */
const char *index_checked(const char *store, unsigned threads, char text[65]);
void assert_same_index(const char *a, const char *b);
void hash_text(const struct hash256 *hash, char text[65]);

/* Row by row against a node's answers in that folder, and sound. */
void index_against_node(const char *store, const char *truth_dir);

/* A generated chain whose transactions spend each other. */
struct gen_options index_chain(const char *dir);

/* A teardown: all bits of the hash of a txid count again. */
int index_whole_hashes(void **state);

#endif
