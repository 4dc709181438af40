/* explore: the pages of `unktx explore`. What the store has is loaded once and then only read; a page is made from it
 * when it is asked for, into memory, within bounds: rows of a table, vertices of a drawing, steps of a walk.
 *
 * The address of a page begins with the rule set, as in /core-0.18/tdags?family=chain; explore_answer is the way in.
 *
 * Thread rule: explore_answer may be called from any number of threads at once; opening and closing is one thread's. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_H
#define UNKTX_CLI_VIEWS_EXPLORE_H

#include <pthread.h>
#include <time.h>

#include "cli/inputs/prefix.h"
#include "cli/inputs/stored_blocks.h"
#include "cli/output/http.h"
#include "cli/output/printer.h"
#include "cli/output/target.h"
#include "cli/views/explore_rules.h"
#include "cli/views/periods.h"
#include "graph/index/tx_index.h"

/* Requests that look into store or index at the same time; more wait for one of these to be done. */
#define EXPLORE_HANDS 8u
#define EXPLORE_ROWS 50u /* of a table on one page */

/* What one request at a time reads store and index with. */
struct explore_hand {
    struct store_reader *reader;
    struct tx_index *index; /* NULL: none */
    struct matcher *matcher;
    struct blk_reader blocks; /* reads explore->blocks */
    bool taken;
};

struct explore_list;        /* explore_list.h */
struct explore_survey_work; /* explore_survey.c */
struct explore_shown_work;  /* explore_shown.c */
struct explore_sought;      /* explore_sought.c */
struct explore_order;       /* explore_order.h */
struct explore_changes;     /* explore_changes.h */
struct explore_drawn;       /* explore_drawn.c */

/* What is done before the first page, in this order; until the last one a page says how far that is. */
enum explore_stage { STAGE_STORE, STAGE_TDAGS, STAGE_DONE };

/* What has become of the store since it was loaded. */
enum explore_news {
    EXPLORE_AS_LOADED,
    EXPLORE_NEWER,    /* it has more blocks */
    EXPLORE_CUT,      /* it has fewer */
    EXPLORE_REPLACED, /* it has as many, which end with another one */
};

struct explore {
    const struct settings *settings;
    uint64_t begun_s;            /* when it was opened; of a monotonic clock */
    struct opened_forest opened; /* its selection stays empty */
    struct explore_rules rules[RULES_WITH_HIDDEN];
    unsigned rules_count;     /* RULES, or with the rule set hidden, where its store is the one that is opened */
    struct store *main_store; /* then: the one that it lies in, which a scan goes on with; else NULL */
    struct labels_said labels_said;
    struct periods periods;
    struct explore_changes *changes; /* since the run before */
    struct hash256 *block_hashes;    /* by height */
    uint32_t *blocks_by_hash;        /* heights above the first block's, in order of the hash as printed */
    uint32_t *txs_by_txid;           /* transaction numbers, in order of the txid as printed */
    struct stored_blocks blocks;     /* the blk files, where has_blocks */
    bool has_blocks;
    bool linked;          /* there is an index that reaches as far as the store */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t hand_free;
    pthread_cond_t rules_ready; /* or the stage is another one */
    enum explore_stage stage;
    struct explore_hand hands[EXPLORE_HANDS];
    struct explore_list *lists;   /* the last ones made, the newest first */
    struct explore_order *orders; /* likewise */
    struct explore_survey_work *surveys[RULES_WITH_HIDDEN];
    struct explore_shown_work *shown[RULES_WITH_HIDDEN];
    struct explore_sought *sought; /* the last searches, the newest first */
    struct explore_drawn *drawn;   /* the last large drawings, likewise */
    size_t drawn_bytes;            /* that these may take; explore_open sets it */
    size_t shown_bytes;          /* likewise: what is shown under other rule sets stays if it takes no more than this */
    uint64_t shown_idle_s;       /* or was asked for since then; likewise */
    uint64_t shown_turn_s;       /* but no longer than this once another one is asked for; likewise */
    unsigned large_files;        /* graphs of large T-DAGs on their way out */
    uint64_t looked_s;           /* when the store was last looked at for other blocks */
    enum explore_news news;      /* and what was seen then */
    uint32_t blocks_now;         /* likewise; of EXPLORE_CUT */
    struct hash256 tip_at_start; /* of the store, which may go on above what is loaded; not changed later */
    uint32_t blocks_at_start;    /* likewise */
};

/* A request on its way to a page. */
struct explore_request {
    struct explore *explore;
    const struct target *target;
    const char *rest; /* the path after the rule set, without a slash before it */
    enum rules rules;
    struct explore_rules *tdags;       /* of the rule set */
    struct explore_hand *hand;         /* NULL until explore_take_hand */
    const struct explore_shown *shown; /* NULL until explore_shown_get */
    struct printer page;
    struct http_answer *answer;
    /* for the menu of rule sets; all zero where the same path will do */
    const char *same;    /* the path of the same thing under any rule set; NULL: `rest` */
    const char *instead; /* and the path where a rule set does not have it */
    bool missing[RULES_WITH_HIDDEN];
    bool by_shown; /* the page is of keys, hashes or groups: for the rule set hidden the menu leads to its T-DAGs */
};

/* Opens what settings->store names: from then on pages may be asked for, which say that they are not ready yet.
 * explore_close in any case. O(files of --labels). */
enum status explore_open(const struct settings *settings, struct explore *explore, struct fault *fault) MUST_CHECK;
/* Loads the store, and the T-DAGs of settings->rules. */
enum status explore_load(struct explore *explore, struct fault *fault) MUST_CHECK;
/* Loads the T-DAGs of the other rule sets, in threads that leave the processors to those that make pages. */
enum status explore_load_others(struct explore *explore, struct fault *fault) MUST_CHECK;
void explore_close(struct explore *explore);

/* The page of a target (the path and query of an HTTP request), an http_handler: `context` is the struct explore. */
void explore_answer(void *context, const char *target, struct http_answer *answer);

/* ---- the kinds of pages: STATUS_NOT_FOUND, with what is missing in the fault, becomes a page that says so ---- */

typedef enum status explore_page(struct explore_request *request, struct fault *fault);

explore_page explore_start, explore_tdags, explore_tdags_csv, explore_tdag, explore_tx, explore_block, explore_classes,
    explore_class, explore_known_scripts, explore_labels, explore_search, explore_templates, explore_template,
    explore_protocols, explore_protocol, explore_outputs, explore_groups, explore_group, explore_thing, explore_changed;

/* ---- what pages share ---- */

/* Seconds of a monotonic clock. */
uint64_t explore_now_s(void);

/* Gives back memory that is free, and what of the store is in memory. */
void explore_settle(const struct explore *explore);

/* Waits for a free hand; it is given back after the page. */
void explore_take_hand(struct explore_request *request);
void explore_give_back(struct explore_request *request);

/* How long a page waits for what is being made; for explore->rules_ready. */
struct timespec explore_end_of_patience(void);

/* Waits a moment for explore_load. false: it is not done, and there is nothing yet that a page could be made of. */
bool explore_wait_for_store(struct explore *explore);

/* Waits a moment for the T-DAGs of a rule set. STATUS_BUSY: they are still being loaded. */
enum status explore_wait_for(struct explore *explore, enum rules rules, struct fault *fault) MUST_CHECK;

/* Are the T-DAGs of the rule set loaded? */
bool explore_is_ready(struct explore *explore, enum rules rules);

/* The transactions whose txid begins with these digits: [*first, *end) of explore->txs_by_txid. O(log n). */
void explore_find_txs(const struct explore *explore, const struct prefix *prefix, uint32_t *first, uint32_t *end);
/* The same of explore->blocks_by_hash. */
void explore_find_blocks(const struct explore *explore, const struct prefix *prefix, uint32_t *first, uint32_t *end);

/* What has become of the store, and in *blocks (may be NULL) how many it has where it was cut. A look into it at most
 * once a second. */
enum explore_news explore_news(struct explore *explore, uint32_t *blocks);

#endif
