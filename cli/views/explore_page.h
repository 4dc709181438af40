/* explore_page: what the pages of `unktx explore` are made of: head and foot, links, pagers, and the style and script
 * that all of them have. Everything is printed into request->page; a print that failed shows in its status. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_PAGE_H
#define UNKTX_CLI_VIEWS_EXPLORE_PAGE_H

#include "cli/views/explore.h"

/* Files of all pages. */
extern const char explore_style[], explore_script[], explore_icon[];

/* Up to the heading; `title` is plain text. */
void explore_begin_page(struct explore_request *request, const char *title);
void explore_end_page(struct explore_request *request);
/* A whole page that says how far loading is. */
void explore_put_stages(struct explore_request *request);

/* What a search finds: the end of a sentence. */
#define EXPLORE_SEARCH_FINDS                                                                                           \
    "a transaction or output by its txid or TXID:VOUT, a block by its height or hash, a T-DAG by its number or name, " \
    "a class or group by its name, unknown outputs by an address, a public key, a hash, a preimage or a script, and "  \
    "known scripts, templates, protocols and labels."
/* And how much of a name has to be given: for a reader who has not asked yet, and for one who found nothing. */
#define EXPLORE_SEARCH_TAKES                                                                                           \
    "Of the txid of a stored transaction, the hash of a block and the name of a T-DAG, class or group the first 4 "    \
    "digits will do; of an address the first 4 characters; of a key, a preimage, a script or a hash in one the first " \
    "8 digits; of the names of known scripts, templates, protocols and labels the first 2 letters. Any other "         \
    "transaction is found only by its whole txid, and with an index."

/* Of the options that explore was run with, those that a command has too; each has --store. */
#define TAKES_RULES 1u   /* --rules */
#define TAKES_CHAIN 2u   /* --to-height */
#define TAKES_SCRIPTS 4u /* --known-scripts */
#define TAKES_FILTER 8u  /* --exclude-scripts */
#define TAKES_LABELS 16u /* --labels */
#define TAKES_ALL 31u
/* What it writes is not what the page has, and the text says how: */
#define OF_ALL_TDAGS 32u    /* the same of all T-DAGs */
#define OF_ALL_PLACES 64u   /* every place of every key or hash, not the first of each that shares one */
#define OF_HASHES_TOO 128u  /* hashes, where the page is of a preimage */
#define OF_EACH_OUTPUT 256u /* every output that `unktx find` finds by it */
#define OF_ALL_OUTPUTS 512u /* outputs whether they are unknown or not */
/* "On the command line: unktx ..."; printf-style, the words after `unktx`. The options of explore follow by themselves,
 * as far as the command takes them. */
void explore_put_command(struct explore_request *request, unsigned takes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Links: a T-DAG by its name; a transaction, with `digits` of its txid (64: all); the block of a height; a class. */
void explore_put_tdag(struct explore_request *request, uint32_t dag);
void explore_put_tx(struct explore_request *request, const struct hash256 *txid, unsigned digits);
void explore_put_output(struct explore_request *request, const struct hash256 *txid, uint32_t vout, unsigned digits);
void explore_put_block(struct explore_request *request, uint32_t height);
void explore_put_class(struct explore_request *request, const uint8_t id[CANON_ID_SIZE], bool exact, unsigned digits);
/* A link to what --explorer names: `what` is tx or block. Nothing without it. */
void explore_put_elsewhere(struct explore_request *request, const char *what, const struct hash256 *hash);

/* The address of a T-DAG after the rule set, "tdag/NAME"; by its number where another has the same name. */
#define EXPLORE_TDAG_SIZE 80u
const char *explore_tdag_address(const struct explore_request *request, uint32_t dag, char out[EXPLORE_TDAG_SIZE]);

/* Head of a table: the caption is plain text, heads have a | between two. explore_end_table ends it. */
void explore_begin_table(struct explore_request *request, const char *caption, const char *heads);
void explore_end_table(struct explore_request *request);

/* The box around a drawing, ended with </div>. Without scripts, which zoom, a link before it shows it in full size. */
void explore_begin_drawing(struct explore_request *request);

/* Links to the other pages of a table: the field `name` of the query says which page. */
void explore_put_pager(struct explore_request *request, const char *name, uint64_t page, uint64_t rows);
/* The number in the query's field: 1 unless it is one up to `pages`, whose number follows from the rows. */
uint64_t explore_page_number(const struct explore_request *request, const char *name, uint64_t rows);

#endif
