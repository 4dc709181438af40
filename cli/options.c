#include "cli/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "parser/parallel.h"
#include "parser/printable.h"

#define THREADS_MAX 256u
#define OPTIONS_MAX 64u /* of one command */
#define FIELD(name) offsetof(struct settings, name)

const struct option option_datadir = {
    .name = "datadir",
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = FIELD(datadir),
    .help = "node's data directory, its network sub-folder or a blocks folder (default: the store's, else ~/.bitcoin)",
};
const struct option option_chain = {
    .name = "chain",
    .type = OPTION_CHOICE,
    .value = "main|testnet3|testnet4|signet|regtest",
    .field = FIELD(chain),
    .help = "network to take where the data directory has several",
};
const struct option option_store = {
    .name = "store",
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = FIELD(store),
    .help =
        "folder of the store, made if absent, or of analyze with a store in it (default: unktx-out if there is one, "
        "else unktx-store)",
};
const struct option option_read_store = {
    .name = "store",
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = FIELD(store),
    .help = "folder of the store, or of analyze with a store in it (default: unktx-out if there is one, else "
            "unktx-store)",
};
const struct option option_threads = {
    .name = "threads",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = FIELD(threads),
    .min = 1,
    .max = THREADS_MAX,
    .help = "threads to use, 1 to 256 (default: one for each processor)",
};
const struct option option_to_height = {
    .name = "to-height",
    .type = OPTION_NUMBER,
    .value = "H",
    .field = FIELD(to_height),
    .max = UINT32_MAX - 1,
    .help = "last block to take (default: the tip)",
};
const struct option option_as_of_height = {
    .name = "to-height",
    .type = OPTION_NUMBER,
    .value = "H",
    .field = FIELD(to_height),
    .max = UINT32_MAX - 1,
    .help = "as of block H: later blocks do not exist, and what they spend is unspent (default: the tip)",
};
const struct option option_tip = {
    .name = "tip",
    .type = OPTION_TEXT,
    .value = "HASH",
    .field = FIELD(tip),
    .help = "take the branch that ends with this block (default: the one with the most work)",
};
const struct option option_xor_key = {
    .name = "xor-key",
    .type = OPTION_TEXT,
    .value = "HEX",
    .field = FIELD(xor_key),
    .help = "XOR key of the blk files, 16 hexadecimal digits (default: xor.dat beside them)",
};
const struct option option_nulldata = {
    .name = "nulldata",
    .type = OPTION_CHOICE,
    .value = "count|store",
    .fallback = "count",
    .field = FIELD(nulldata),
    .help = "count transactions whose only unknown outputs are nulldata, or store them too",
};
const struct option option_verify = {
    .name = "verify",
    .type = OPTION_FLAG,
    .field = FIELD(verify),
    .help =
        "recompute every txid, merkle root and witness commitment; no output may have more than there can be (proof "
        "of work is checked without it too)",
};
const struct option option_quiet = {
    .name = "quiet",
    .type = OPTION_FLAG,
    .field = FIELD(quiet),
    .help = "no progress and no summary on stderr",
};
const struct option option_rules = {
    .name = "rules",
    .type = OPTION_RULES,
    .value = "core-0.18|core-0.19|core-22",
    .fallback = "core-0.18",
    .field = FIELD(rules),
    .help = "which outputs count as unknown: those of this release of Bitcoin Core",
};
const struct option option_rules_hidden = {
    .name = "rules",
    .type = OPTION_RULES,
    .value = "core-0.18|core-0.19|core-22|hidden",
    .fallback = "core-0.18",
    .field = FIELD(rules),
    .help =
        "which outputs count as unknown: those of this release of Bitcoin Core; hidden is no rule of Core: those of "
        "core-22, and outputs whose spender showed a nonstandard script ('unktx hidden --dags' makes its store)",
};
const struct option option_compress = {
    .name = "compress",
    .type = OPTION_FLAG,
    .field = FIELD(compress),
    .help = "remove spent outputs that anyone can spend, and judge heights again",
};
const struct option option_exclude_scripts = {
    .name = "exclude-scripts",
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = FIELD(exclude_scripts),
    .help = "leave out T-DAGs with a root script that matches a line of FILE (extended regular expressions over "
            "the asm), or with @known any of the known scripts",
};
const struct option option_known_scripts = {
    .name = "known-scripts",
    .former_name = "scripts",
    .type = OPTION_TEXT,
    .value = "FILE",
    .field = FIELD(scripts),
    .help = "add the known scripts of FILE to the built-in ones (known-scripts.tsv tells the columns)",
};
const struct option option_labels = {
    .name = "labels",
    .type = OPTION_LIST,
    .value = "FILE",
    .field = FIELD(labels),
    .help = "labels of addresses and T-DAGs: CSV with address,label[,source], or a GraphSense TagPack (.yaml); may be "
            "given up to 16 times",
};
const struct option option_out_file = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "FILE",
    .fallback = "-",
    .field = FIELD(out),
    .help = "file to write, - for stdout",
};
const struct option option_out_folder = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = FIELD(out),
    .help = "folder for the tables, made if absent (default: no table is written)",
};
const struct option option_no_unlocks = {
    .name = "no-unlocks",
    .type = OPTION_FLAG,
    .field = FIELD(no_unlocks),
    .help = "do not read the blk files again for how outputs were unlocked: no unlocks.csv, no shares of it",
};

const struct option option_blocks_now = {
    .name = "datadir",
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = offsetof(struct settings, datadir),
    .help = "where the blk files are now (default: where the store was made from)",
};
const struct option option_replace = {
    .name = "replace",
    .type = OPTION_FLAG,
    .field = FIELD(replace),
    .help =
        "replace tables of another rule set, --compress, filter or network in the folder, files that no run made, and "
        "remove those of another command that this one does not make",
};
const struct option option_by = {
    .name = "by",
    .type = OPTION_CHOICE,
    .value = "total|block|day|month|year",
    .fallback = "total",
    .field = FIELD(by),
    .help = "one row for each of these (UTC, by the time in the block header)",
};

const struct option option_memory = {
    .name = "memory",
    .type = OPTION_SIZE,
    .value = "SIZE",
    .fallback = "2G",
    .field = FIELD(memory),
    .min = (uint64_t)256 << 20,
    .max = (uint64_t)1 << 50,
    .help = "memory to use for making or reading the index, such as 512M or 8G; at least 256M",
};
const struct option option_tmp = {
    .name = "tmp",
    .type = OPTION_TEXT,
    .value = "DIR",
    .field = FIELD(tmp),
    .help = "folder for temporary files (default: in the store; those of the index in memory if it has room)",
};

static bool is_choice(const char *choices, const char *value)
{
    size_t size = strlen(value);
    for (const char *at = choices; at;) {
        const char *bar = strchr(at, '|');
        size_t length = bar ? (size_t)(bar - at) : strlen(at);
        if (length == size && memcmp(at, value, size) == 0)
            return true;
        at = bar ? bar + 1 : NULL;
    }
    return false;
}

static bool read_number(const char *text, uint64_t *number)
{
    uint64_t sum = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *number = sum;
    return true;
}

/* A number, alone or with a unit after it. */
static bool read_size(const char *text, uint64_t *number)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t size = strlen(text);
    const char *unit = size > 0 ? strchr(units, text[size - 1]) : NULL;
    if (!unit || size > sizeof digits)
        return read_number(text, number);
    memcpy(digits, text, size - 1);
    digits[size - 1] = '\0';
    unsigned shift = 10 * (unsigned)(unit - units + 1);
    if (!read_number(digits, number) || *number > UINT64_MAX >> shift)
        return false;
    *number <<= shift;
    return true;
}

/* What a command line is read with. */
struct reading {
    const struct option *const *options;
    struct settings *settings;
    options_usage *usage;
    bool *given; /* by place in options: on the command line */
};

static bool is_named(const char *option, const char *name, size_t size)
{
    return option && strlen(option) == size && memcmp(option, name, size) == 0;
}

static const struct option *find_option(const struct reading *reading, const char *name, size_t size, char letter)
{
    const struct option *former = NULL; /* has had the name: only if none has it now */
    for (const struct option *const *o = reading->options; *o; o++) {
        if (letter ? (*o)->letter == letter : is_named((*o)->name, name, size))
            return *o;
        former = !letter && is_named((*o)->former_name, name, size) ? *o : former;
    }
    return former;
}

static int add_value(const struct reading *reading, const struct option *option, struct option_list *list,
                     const char *value)
{
    if (!*value)
        return reading->usage("--%s: the %s is empty", option->name, option->value);
    if (list->count == OPTION_LIST_MAX)
        return reading->usage("--%s: more than %u", option->name, OPTION_LIST_MAX);
    list->items[list->count++] = value;
    return -1;
}

static bool is_printable(const char *text)
{
    size_t size = strlen(text), shown = 1;
    for (; size > 0 && shown > 0; text += shown, size -= shown)
        shown = printable_size(text, size);
    return shown > 0;
}

#define HIDDEN_IS_FOR                                                                                                  \
    "; hidden, which is no rule of Core, is for dags, outputs, templates, report, explore, show, tx, find, flows and " \
    "export"

/* Puts a value into its field; -1, or what reading->usage returned for a value that is wrong. */
static int set_value(const struct reading *reading, const struct option *option, const char *value)
{
    char *field = (char *)reading->settings + option->field;
    uint64_t number;
    switch (option->type) {
    case OPTION_FLAG: *(bool *)field = true; return -1;
    case OPTION_CHOICE:
        if (!is_choice(option->value, value))
            return reading->usage("--%s: '%s' is none of %s", option->name, value, option->value);
        break;
    case OPTION_RULES:
        if (!is_choice(option->value, value) || !rules_parse(value, (enum rules *)(void *)field))
            return reading->usage("--%s: '%s' is %s%s%s", option->name, value,
                                  strchr(option->value, '|') ? "none of " : "not ", option->value,
                                  strcmp(value, "hidden") == 0 ? HIDDEN_IS_FOR : "");
        return -1;
    case OPTION_NUMBER:
        if (!read_number(value, &number) || number < option->min || number > option->max)
            return reading->usage("--%s: '%s' is no whole number from %llu to %llu", option->name, value,
                                  (unsigned long long)option->min, (unsigned long long)option->max);
        memcpy(field, &number, sizeof number);
        return -1;
    case OPTION_SIZE:
        if (!read_size(value, &number) || number < option->min || number > option->max)
            return reading->usage("--%s: '%s' is no size such as 512M or 2G of at least %lluM", option->name, value,
                                  (unsigned long long)(option->min >> 20));
        memcpy(field, &number, sizeof number);
        return -1;
    case OPTION_LIST: return add_value(reading, option, (struct option_list *)(void *)field, value);
    case OPTION_TEXT:
        if (!*value)
            return reading->usage("--%s: the %s is empty", option->name, option->value);
        if (option->printable && !is_printable(value))
            return reading->usage("--%s: '%s' is no text in UTF-8 of printable characters", option->name, value);
        break;
    }
    memcpy(field, &value, sizeof value);
    return -1;
}

/* A second value would replace the first unseen. */
static int note_given(const struct reading *reading, const struct option *option)
{
    size_t place = 0;
    while (reading->options[place] != option)
        place++;
    if (reading->given[place] && option->type != OPTION_LIST && option->type != OPTION_FLAG)
        return reading->usage("--%s is given twice", option->name);
    reading->given[place] = true;
    return -1;
}

static int unknown_option(const struct reading *reading, const char *word, size_t size)
{
    const char *names[32] = {"help", "version"};
    char name[64];
    size_t count = 2;
    for (const struct option *const *o = reading->options; *o && count < 31; o++)
        names[count++] = (*o)->name;
    snprintf(name, sizeof name, "%.*s", (int)(size < 63 ? size : 63), word);
    const char *near = options_nearest(name, names);
    if (near && strcmp(near, name) == 0) /* --help=3 */
        return reading->usage("--%s takes no value", name);
    if (near)
        return reading->usage("unknown option --%s; did you mean --%s?", name, near);
    return reading->usage("unknown option --%s", name);
}

/* What is written is the store for these, which has a name of its own. */
static bool means_store(const struct reading *reading, const char *name, size_t size, char letter)
{
    bool is_output = letter == 'o' || (size == 6 && memcmp(name, "output", 6) == 0);
    return is_output && find_option(reading, "store", 5, 0) == &option_store;
}

/* One word that begins with a dash. `*next` is the word after it (NULL at the end) and becomes NULL when it was taken
 * as the value. */
static int read_option(const struct reading *reading, const char *word, const char **next)
{
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t size = is_long ? strcspn(name, "=") : 1;
    const struct option *option = find_option(reading, name, size, is_long ? 0 : *name);
    if (!option && means_store(reading, name, size, is_long ? 0 : *name))
        return reading->usage("unknown option %.*s; the folder to write is named with --store",
                              (int)(name - word + (ptrdiff_t)size), word);
    if (!option)
        return is_long ? unknown_option(reading, name, size) : reading->usage("unknown option -%c", *name);
    int leave = note_given(reading, option);
    if (leave >= 0)
        return leave;
    const char *value = name[size] ? name + size + (is_long ? 1 : 0) : NULL;
    if (option->type == OPTION_FLAG) {
        if (value)
            return reading->usage("--%s takes no value", option->name);
        return set_value(reading, option, "");
    }
    if (!value) {
        value = *next;
        *next = NULL;
        if (!value)
            return reading->usage("%s needs a value: %s", word, option->value);
    }
    reading->settings->rules_given |= option->type == OPTION_RULES;
    return set_value(reading, option, value);
}

static enum options_wish wish_of(const char *word)
{
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
        return OPTIONS_HELP;
    return strcmp(word, "--version") == 0 ? OPTIONS_VERSION : OPTIONS_RUN;
}

/* The words in their order; -1, or what reading->usage returned. Leaves at once where `*wish` is not OPTIONS_RUN. */
static int read_words(const struct reading *reading, int argc, char **argv, const char **operands,
                      enum options_wish *wish)
{
    bool only_operands = false;
    *wish = OPTIONS_RUN;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no word of argv is NULL */
        if (only_operands || word[0] != '-' || !word[1]) {
            operands[reading->settings->operands_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if ((*wish = wish_of(word)) != OPTIONS_RUN) {
            return -1;
        } else {
            const char *next = i + 1 < argc ? argv[i + 1] : NULL;
            bool had_next = next != NULL;
            int leave = read_option(reading, word, &next);
            if (leave >= 0)
                return leave;
            i += had_next && !next;
        }
    }
    return -1;
}

int options_parse(const struct option *const *options, int argc, char **argv, options_usage *usage,
                  struct settings *settings, const char **operands, enum options_wish *wish)
{
    bool given[OPTIONS_MAX] = {false};
    const struct reading reading = {options, settings, usage, given};
    *settings = (struct settings){.to_height = UINT32_MAX, .operands = operands};
    for (const struct option *const *o = options; *o; o++) {
        assert(o - options < (ptrdiff_t)OPTIONS_MAX);
        int leave = (*o)->fallback ? set_value(&reading, *o, (*o)->fallback) : -1;
        if (leave >= 0)
            return leave;
    }
    int leave = read_words(&reading, argc, argv, operands, wish);
    if (settings->threads == 0) {
        unsigned processors = parallel_default_threads();
        settings->threads = processors < THREADS_MAX ? processors : THREADS_MAX;
    }
    return leave;
}
