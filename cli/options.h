/* options: the command line after the command's name. An option is a row that says where its value goes; the same row
 * makes its line of help. Options stand before or after operands, values follow as `--name value` or `--name=value`
 * (`-o value` or `-ovalue`), and after `--` everything is an operand. An option given twice is
 * refused, but for OPTION_LIST, which takes both, and OPTION_FLAG, which says the same again.
 *
 * Ownership: values are borrowed from argv. Nothing here prints. */
#ifndef UNKTX_CLI_OPTIONS_H
#define UNKTX_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/script.h"

struct outfolder;     /* output/outfolder.h */
struct output_folder; /* inputs/output_folder.h */

/* The values of an option that may be given several times, in order. */
#define OPTION_LIST_MAX 16u
struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

/* Every value that an option of any command can set. Texts are NULL when the option has no default and was not
 * given. */
struct settings {
    const char *datadir; /* NULL: ~/.bitcoin */
    const char *chain;
    const char *store;
    const char *main_store; /* by no option: of a store of the rule set hidden the one that it lies in; else NULL */
    const char *tip;
    const char *xor_key;
    const char *nulldata;        /* "count" or "store" */
    const char *figures;         /* NULL: the built-in ones only */
    const char *exclude_scripts; /* a file, or "@known" */
    const char *scripts;         /* NULL: the built-in known scripts only */
    struct option_list labels;   /* files of --labels */
    const char *out;
    struct outfolder *folder;           /* by no option: the folder of which `out` is a file; NULL: of none */
    const struct output_folder *tables; /* by no option: the folder whose tables lie beside the store; NULL: none */
    const char *by;
    const char *order_by; /* NULL: automation */
    const char *nodes;    /* of a graph: "outputs" or "txs" */
    const char *format;
    const char *tmp;
    const char *to;       /* a txid, as typed; NULL: none */
    const char *listen;   /* NULL: the loopback addresses */
    const char *token;    /* NULL: none */
    const char *explorer; /* NULL: none */
    const char *timings;  /* file of --timings; NULL: none */
    enum rules rules;
    uint64_t threads; /* 1.. */
    uint64_t from_height;
    uint64_t begin_height;    /* where a store is to begin; 0: not asked for */
    uint64_t to_height;       /* UINT32_MAX: the tip */
    uint64_t rows_per_file;   /* 0: not asked for */
    uint64_t blocks_per_file; /* likewise */
    const char *packing;      /* of files: "zstd" or "none"; NULL: not asked for */
    const char *dag;          /* as typed; NULL: none */
    const char *class_id;     /* likewise */
    const char *family;       /* NULL: any */
    const char *label;        /* likewise */
    uint64_t min_height;      /* edges */
    uint64_t top;             /* 0: not asked for */
    uint64_t port;
    uint64_t memory; /* bytes */
    uint64_t depth;
    uint64_t limit;
    const char *select_script; /* which outputs, with those above and below (inputs/selected_outputs.h) */
    const char *select_template;
    const char *select_known;
    const char *select_kind;
    const char *select_protocol;
    uint64_t min_value; /* satoshis */
    uint64_t max_degree;
    bool rules_given; /* on the command line */
    bool replace;
    bool verify;
    bool sequential;
    bool no_sequential;
    bool partial;
    bool quiet;
    bool compress;
    bool with_nulldata;
    bool with_protocols;
    bool with_index;
    bool forward;
    bool backward;
    bool no_unlocks;
    bool with_paper_classes;
    bool with_hashes;
    bool with_dags;
    bool with_payers;
    bool with_ends;
    bool with_scripts;
    bool only_unknown;
    bool resume;
    const char *const *operands;
    size_t operands_count;
};

/* The store whose folder has the index. */
static inline const char *settings_main_store(const struct settings *settings)
{
    return settings->main_store ? settings->main_store : settings->store;
}

enum option_type {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char * */
    OPTION_LIST,   /* struct option_list: given again it adds one more */
    OPTION_CHOICE, /* const char *, one of those in `value`, which are separated by | */
    OPTION_RULES,  /* enum rules, by one of their names */
    OPTION_NUMBER, /* uint64_t in min..max */
    OPTION_SIZE,   /* the same in bytes, followed by K, M, G or T for powers of 1024 */
};

struct option {
    const char *name;        /* without the dashes */
    const char *former_name; /* taken too where no other option has it now; NULL: none */
    char letter;             /* 0: none */
    enum option_type type;
    const char *value;    /* what the usage calls the value; NULL for a flag */
    const char *fallback; /* the default, taken when the option is not given; may be NULL */
    const char *help;
    size_t field;   /* offsetof(struct settings, ...) */
    uint64_t min;   /* OPTION_NUMBER, OPTION_SIZE */
    uint64_t max;   /* OPTION_NUMBER, OPTION_SIZE */
    bool printable; /* OPTION_TEXT: other bytes than those of printable text (printable.h) are refused; a path may have
                     * any */
};

/* Options that several commands have. */
extern const struct option option_datadir, option_chain, option_store, option_read_store, option_threads,
    option_to_height, option_as_of_height, option_tip, option_xor_key, option_nulldata, option_verify, option_quiet,
    option_rules, option_rules_hidden, option_compress, option_exclude_scripts, option_known_scripts, option_labels,
    option_by, option_out_file, option_out_folder, option_replace, option_memory, option_tmp, option_no_unlocks,
    option_blocks_now;

/* What the command line asks for. */
enum options_wish { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

/* Says what is wrong with the command line, as printf does; returns the exit status to leave with (0..). */
typedef int options_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads argv[0..argc-1], the words after the command's name, by `options` (ends with NULL); `operands` has room for
 * argc pointers. Returns -1 to go on with `*wish`, else what `usage` returned. Reading ends at --help and
 * --version. */
int options_parse(const struct option *const *options, int argc, char **argv, options_usage *usage,
                  struct settings *settings, const char **operands, enum options_wish *wish);

/* The one of `names` (ends with NULL) that `word` was most likely meant to be, or NULL if none is near. */
const char *options_nearest(const char *word, const char *const *names);

#endif
