/* unktx completion: what a shell needs to complete the command line, from the tables that parse it. */
#include <string.h>

#include "cli/command.h"
#include "classify/family.h"
#include "cli/output/printer.h"
#include "graph/scripts/catalogue.h"
#include "graph/scripts/selector.h"
#include "parser/protocol.h"

enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

/* What can stand where a value or an operand is asked for. */
enum wanted { WANTED_NOTHING, WANTED_TEXT, WANTED_FILE, WANTED_FOLDER, WANTED_CHOICE };

/* ---- names ---- */

/* Options whose values are names out of long lists, which no usage line has room for. */
enum list { LIST_FAMILIES, LIST_KNOWN, LIST_PROTOCOLS, LISTS };
static struct printer lists[LISTS]; /* words separated by |, each with a terminator */

static void list_protocols(struct printer *list, const struct catalogue *catalogue)
{
    PRINT(list, "%s", SELECTOR_NO_PROTOCOL);
    for (unsigned p = PROTOCOL_NONE + 1; p < PROTOCOLS; p++) {
        size_t entry = catalogue_find(catalogue, protocol_name((enum protocol)p));
        if (entry == CATALOGUE_MAX || !catalogue_is_protocol(catalogue, entry)) /* else it comes with the others */
            PRINT(list, "|%s", protocol_name((enum protocol)p));
    }
    for (size_t i = 0; i < catalogue->count; i++) {
        if (catalogue_is_protocol(catalogue, catalogue->by_name[i]))
            PRINT(list, "|%s", catalogue->entries[catalogue->by_name[i]].name);
    }
}

static enum status make_lists(struct fault *fault)
{
    struct catalogue catalogue = {0};
    enum status status = catalogue_read_built_in(&catalogue, fault);
    for (unsigned f = 0; f < FAMILIES; f++)
        PRINT(&lists[LIST_FAMILIES], "%s%s", f > 0 ? "|" : "", family_name((enum family)f));
    for (size_t i = 0; i < catalogue.count; i++)
        PRINT(&lists[LIST_KNOWN], "%s%s", i > 0 ? "|" : "", catalogue.entries[catalogue.by_name[i]].name);
    list_protocols(&lists[LIST_PROTOCOLS], &catalogue);
    for (unsigned l = 0; l < LISTS && status == STATUS_OK; l++) {
        PRINT(&lists[l], "%c", '\0');
        if (lists[l].status != STATUS_OK)
            status = fault_nomem(fault);
    }
    catalogue_free(&catalogue);
    return status;
}

/* The words that the option takes, separated by |; NULL: any, or a file. */
static const char *choices_of(const struct option *option)
{
    static const char *const names[LISTS] = {
        [LIST_FAMILIES] = "family", [LIST_KNOWN] = "known", [LIST_PROTOCOLS] = "protocol"};
    if (option->type == OPTION_CHOICE || option->type == OPTION_RULES)
        return option->value;
    for (unsigned l = 0; l < LISTS; l++)
        if (option->type == OPTION_TEXT && strcmp(option->name, names[l]) == 0)
            return lists[l].text.bytes;
    return NULL;
}

/* ---- what is wanted ---- */

static enum wanted option_wants(const struct option *option)
{
    if (option->type == OPTION_FLAG)
        return WANTED_NOTHING;
    if (option->type == OPTION_CHOICE || option->type == OPTION_RULES || choices_of(option))
        return WANTED_CHOICE;
    if (strcmp(option->value, "DIR") == 0)
        return WANTED_FOLDER;
    bool file = strncmp(option->value, "FILE", 4) == 0 || strcmp(option->value, "PATH") == 0; /* FILE|DIR too */
    return file ? WANTED_FILE : WANTED_TEXT;
}

/* The usage line says what operands there are: PATH..., or words separated by |. */
static enum wanted operands_want(const struct command *command)
{
    if (strcmp(command->operands, "PATH...") == 0)
        return WANTED_FILE;
    bool words = strchr(command->operands, '|') && !strchr(command->operands, ' ');
    return words ? WANTED_CHOICE : command->operands[0] ? WANTED_TEXT : WANTED_NOTHING;
}

/* The words of a|b|c with spaces between. */
static void print_choices(struct printer *printer, const char *choices)
{
    for (; *choices; choices++)
        PRINT(printer, "%c", *choices == '|' ? ' ' : *choices);
}

/* Between single quotes: `escaped` characters get a backslash, a quote becomes `quote`. */
static void print_quoted(struct printer *printer, const char *text, const char *escaped, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'') {
            PRINT(printer, "%s", quote);
            continue;
        }
        if (strchr(escaped, *text))
            PRINT(printer, "%s", "\\");
        PRINT(printer, "%c", *text);
    }
}

/* ---- bash ---- */

static void bash_wanted(struct printer *printer, enum wanted wanted, const char *choices)
{
    switch (wanted) {
    case WANTED_NOTHING:
    case WANTED_TEXT: PRINT(printer, "%s", "return"); break;
    case WANTED_FILE: PRINT(printer, "%s", "files=-f"); break;
    case WANTED_FOLDER: PRINT(printer, "%s", "files=-d"); break;
    case WANTED_CHOICE:
        PRINT(printer, "%s", "words='");
        print_choices(printer, choices);
        PRINT(printer, "'");
        break;
    }
}

static void bash_command(struct printer *printer, const struct command *command)
{
    PRINT(printer, "    %s)\n        case $prev in\n", command->name);
    for (const struct option *const *o = command->options; *o; o++) {
        if ((*o)->type == OPTION_FLAG)
            continue;
        PRINT(printer, "%s", "        ");
        if ((*o)->letter)
            PRINT(printer, "-%c | ", (*o)->letter);
        PRINT(printer, "--%s) ", (*o)->name);
        bash_wanted(printer, option_wants(*o), choices_of(*o));
        PRINT(printer, " ;;\n");
    }
    PRINT(printer, "%s", "        *)\n            if [[ $cur == -* ]]; then\n                words='");
    for (const struct option *const *o = command->options; *o; o++)
        PRINT(printer, "--%s ", (*o)->name);
    PRINT(printer, "%s", "--help --version'\n            else\n                ");
    bash_wanted(printer, operands_want(command), command->operands);
    PRINT(printer, "%s", "\n            fi ;;\n        esac ;;\n");
}

static void bash_all(struct printer *printer)
{
    PRINT(printer, "# bash completion of unktx %s, as `unktx completion bash` prints it\n", UNKTX_VERSION);
    PRINT(printer, "%s",
          "_unktx()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' files=''\n"
          "    COMPREPLY=()\n"
          "    # --option=value comes as three words\n"
          "    if [[ $cur == = ]]; then\n        cur=''\n"
          "    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
          "    if ((COMP_CWORD == 1)); then\n        words='");
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->hidden)
            PRINT(printer, "%s ", (*c)->name);
    }
    PRINT(printer, "%s", "--help --version'\n    else\n    case ${COMP_WORDS[1]} in\n");
    for (const struct command *const *c = commands; *c; c++)
        bash_command(printer, *c);
    PRINT(printer, "%s",
          "    esac\n    fi\n"
          "    if [[ $files ]]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen $files -- \"$cur\")\n"
          "    else\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
          "    fi\n}\ncomplete -F _unktx unktx\n");
}

/* ---- zsh ---- */

static void zsh_action(struct printer *printer, enum wanted wanted, const char *name, const char *choices)
{
    if (wanted == WANTED_NOTHING)
        return;
    PRINT(printer, ":");
    print_quoted(printer, name, "\\:", "'\\''");
    PRINT(printer, ":");
    if (wanted == WANTED_FILE)
        PRINT(printer, "%s", "_files");
    if (wanted == WANTED_FOLDER)
        PRINT(printer, "%s", "_files -/");
    if (wanted == WANTED_CHOICE) {
        PRINT(printer, "(");
        print_choices(printer, choices);
        PRINT(printer, ")");
    }
}

static void zsh_option(struct printer *printer, const struct option *option)
{
    const char *equals = option->type == OPTION_FLAG ? "" : "=";
    PRINT(printer, "%s", " \\\n            ");
    if (option->letter)
        PRINT(printer, "'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter,
              equals[0] ? "+" : "", option->name, equals);
    else
        PRINT(printer, "'%s--%s%s[", option->type == OPTION_LIST ? "*" : "", option->name, equals);
    print_quoted(printer, option->help, "\\[]", "'\\''");
    PRINT(printer, "]");
    bool is_named = option->type == OPTION_TEXT || option->type == OPTION_LIST;
    zsh_action(printer, option_wants(option), is_named ? option->value : option->name, choices_of(option));
    PRINT(printer, "'");
}

static void zsh_command(struct printer *printer, const struct command *command)
{
    PRINT(printer, "    %s)\n        _arguments '(- *)'{-h,--help}'[this text]' '(- *)--version[the version]'",
          command->name);
    for (const struct option *const *o = command->options; *o; o++)
        zsh_option(printer, *o);
    if (operands_want(command) != WANTED_NOTHING) {
        PRINT(printer, " \\\n            '%s", command->operands_max > 1 ? "*" : "1");
        zsh_action(printer, operands_want(command),
                   operands_want(command) == WANTED_CHOICE ? "what" : command->operands, command->operands);
        PRINT(printer, "'");
    }
    PRINT(printer, "%s", " ;;\n");
}

static void zsh_all(struct printer *printer)
{
    PRINT(printer, "#compdef unktx\n# zsh completion of unktx %s, as `unktx completion zsh` prints it\n",
          UNKTX_VERSION);
    PRINT(printer, "%s", "_unktx() {\n    local -a commands\n    if ((CURRENT == 2)); then\n        commands=(\n");
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        PRINT(printer, "            '%s:", (*c)->name);
        print_quoted(printer, (*c)->summary, "", "'\\''");
        PRINT(printer, "'\n");
    }
    PRINT(printer, "%s",
          "        )\n        _describe -t commands 'unktx command' commands\n"
          "        _arguments '--help[the commands]' '--version[the version]'\n        return\n    fi\n"
          "    local command=$words[2]\n    shift words\n    ((CURRENT--))\n    case $command in\n");
    for (const struct command *const *c = commands; *c; c++)
        zsh_command(printer, *c);
    PRINT(printer, "%s", "    esac\n}\n_unktx \"$@\"\n");
}

/* ---- fish ---- */

static void fish_wanted(struct printer *printer, enum wanted wanted, const char *choices)
{
    switch (wanted) {
    case WANTED_NOTHING: break;
    case WANTED_TEXT: PRINT(printer, "%s", " -x"); break;
    case WANTED_FILE: PRINT(printer, "%s", " -r -F"); break;
    case WANTED_FOLDER: PRINT(printer, "%s", " -x -a '(__fish_complete_directories)'"); break;
    case WANTED_CHOICE:
        PRINT(printer, "%s", " -x -a '");
        print_choices(printer, choices);
        PRINT(printer, "'");
        break;
    }
}

static void fish_command(struct printer *printer, const struct command *command)
{
    if (!command->hidden) {
        PRINT(printer, "complete -c unktx -n __unktx_no_command -a %s -d '", command->name);
        print_quoted(printer, command->summary, "\\", "\\'");
        PRINT(printer, "'\n");
    }
    for (const struct option *const *o = command->options; *o; o++) {
        PRINT(printer, "complete -c unktx -n '__unktx_command %s' -l %s", command->name, (*o)->name);
        if ((*o)->letter)
            PRINT(printer, " -s %c", (*o)->letter);
        fish_wanted(printer, option_wants(*o), choices_of(*o));
        PRINT(printer, "%s", " -d '");
        print_quoted(printer, (*o)->help, "\\", "\\'");
        PRINT(printer, "'\n");
    }
    enum wanted operands = operands_want(command);
    if (operands == WANTED_FILE || operands == WANTED_CHOICE) {
        PRINT(printer, "complete -c unktx -n '__unktx_command %s'", command->name);
        fish_wanted(printer, operands, command->operands);
        PRINT(printer, "\n");
    }
}

static void fish_all(struct printer *printer)
{
    PRINT(printer, "# fish completion of unktx %s, as `unktx completion fish` prints it\n", UNKTX_VERSION);
    PRINT(printer, "%s",
          "function __unktx_no_command\n    test (count (commandline -opc)) -eq 1\nend\n"
          "function __unktx_command\n    set -l words (commandline -opc)\n"
          "    test (count $words) -ge 2; and test $words[2] = $argv[1]\nend\n"
          "complete -c unktx -f\n"
          "complete -c unktx -s h -l help -d 'the options in short'\n"
          "complete -c unktx -l version -d 'the version'\n");
    for (const struct command *const *c = commands; *c; c++)
        fish_command(printer, *c);
}

static int run(const struct settings *settings)
{
    static const char *const names[] = {[SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish"};
    static void (*const print[])(struct printer *) = {
        [SHELL_BASH] = bash_all, [SHELL_ZSH] = zsh_all, [SHELL_FISH] = fish_all};
    struct fault fault = {0};
    struct printer printer = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(settings->operands[0], names[i]) != 0)
            continue;
        enum status status = make_lists(&fault);
        if (status == STATUS_OK) {
            print[i](&printer);
            status = printer_write(&printer, NULL, &fault);
        }
        for (unsigned l = 0; l < LISTS; l++)
            text_free(&lists[l].text);
        return message_result(status, &fault);
    }
    return message_usage("'%s' is none of bash, zsh, fish", settings->operands[0]);
}

static const struct option *const options[] = {NULL};

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .summary = "Print the completion of unktx for a shell; `make install` puts it where shells look.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .hidden = true,
};
