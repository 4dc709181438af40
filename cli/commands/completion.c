/* unktx completion: what a shell needs to complete the command line, from the tables that parse it. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output/message.h"

enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

/* What can stand where a value or an operand is asked for. */
enum wanted { WANTED_NOTHING, WANTED_TEXT, WANTED_FILE, WANTED_FOLDER, WANTED_CHOICE };

static enum wanted option_wants(const struct option *option)
{
    if (option->type == OPTION_FLAG)
        return WANTED_NOTHING;
    if (option->type == OPTION_CHOICE || option->type == OPTION_RULES)
        return WANTED_CHOICE;
    if (strcmp(option->value, "DIR") == 0)
        return WANTED_FOLDER;
    return strcmp(option->value, "FILE") == 0 ? WANTED_FILE : WANTED_TEXT;
}

/* Operands are told as the usage line has them: PATH..., or words separated by |. */
static enum wanted operands_want(const struct command *command)
{
    if (strcmp(command->operands, "PATH...") == 0)
        return WANTED_FILE;
    bool words = strchr(command->operands, '|') && !strchr(command->operands, ' ');
    return words ? WANTED_CHOICE : command->operands[0] ? WANTED_TEXT : WANTED_NOTHING;
}

/* The words of a|b|c with spaces between. */
static void print_choices(const char *choices)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

/* Between single quotes: `escaped` characters get a backslash, a quote becomes `quote`. */
static void print_quoted(const char *text, const char *escaped, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs(quote, stdout);
            continue;
        }
        if (strchr(escaped, *text))
            putchar('\\');
        putchar(*text);
    }
}

/* ---- bash ---- */

static void bash_wanted(enum wanted wanted, const char *choices)
{
    switch (wanted) {
    case WANTED_NOTHING:
    case WANTED_TEXT: fputs("return", stdout); break;
    case WANTED_FILE: fputs("files=-f", stdout); break;
    case WANTED_FOLDER: fputs("files=-d", stdout); break;
    case WANTED_CHOICE:
        fputs("words='", stdout);
        print_choices(choices);
        putchar('\'');
        break;
    }
}

static void bash_command(const struct command *command)
{
    printf("    %s)\n        case $prev in\n", command->name);
    for (const struct option *const *o = command->options; *o; o++) {
        if ((*o)->type == OPTION_FLAG)
            continue;
        fputs("        ", stdout);
        if ((*o)->letter)
            printf("-%c | ", (*o)->letter);
        printf("--%s) ", (*o)->name);
        bash_wanted(option_wants(*o), (*o)->value);
        puts(" ;;");
    }
    fputs("        *)\n            if [[ $cur == -* ]]; then\n                words='", stdout);
    for (const struct option *const *o = command->options; *o; o++)
        printf("--%s ", (*o)->name);
    fputs("--help --version'\n            else\n                ", stdout);
    bash_wanted(operands_want(command), command->operands);
    fputs("\n            fi ;;\n        esac ;;\n", stdout);
}

static void bash_all(void)
{
    printf("# bash completion of unktx %s, as `unktx completion bash` prints it\n", UNKTX_VERSION);
    fputs("_unktx()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' files=''\n"
          "    COMPREPLY=()\n"
          "    # --option=value comes as three words\n"
          "    if [[ $cur == = ]]; then\n        cur=''\n"
          "    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n"
          "    if ((COMP_CWORD == 1)); then\n        words='",
          stdout);
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->hidden)
            printf("%s ", (*c)->name);
    }
    fputs("--help --version'\n    else\n    case ${COMP_WORDS[1]} in\n", stdout);
    for (const struct command *const *c = commands; *c; c++)
        bash_command(*c);
    fputs("    esac\n    fi\n"
          "    if [[ $files ]]; then\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen $files -- \"$cur\")\n"
          "    else\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
          "    fi\n}\ncomplete -F _unktx unktx\n",
          stdout);
}

/* ---- zsh ---- */

static void zsh_action(enum wanted wanted, const char *name, const char *choices)
{
    if (wanted == WANTED_NOTHING)
        return;
    putchar(':');
    print_quoted(name, "\\:", "'\\''");
    putchar(':');
    if (wanted == WANTED_FILE)
        fputs("_files", stdout);
    if (wanted == WANTED_FOLDER)
        fputs("_files -/", stdout);
    if (wanted == WANTED_CHOICE) {
        putchar('(');
        print_choices(choices);
        putchar(')');
    }
}

static void zsh_option(const struct option *option)
{
    const char *equals = option->type == OPTION_FLAG ? "" : "=";
    fputs(" \\\n            ", stdout);
    if (option->letter)
        printf("'(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name, option->letter, equals[0] ? "+" : "",
               option->name, equals);
    else
        printf("'--%s%s[", option->name, equals);
    print_quoted(option->help, "\\[]", "'\\''");
    putchar(']');
    zsh_action(option_wants(option), option->type == OPTION_TEXT ? option->value : option->name, option->value);
    putchar('\'');
}

static void zsh_command(const struct command *command)
{
    printf("    %s)\n        _arguments '(- *)'{-h,--help}'[this text]' '(- *)--version[the version]'", command->name);
    for (const struct option *const *o = command->options; *o; o++)
        zsh_option(*o);
    if (operands_want(command) != WANTED_NOTHING) {
        printf(" \\\n            '%s", command->operands_max > 1 ? "*" : "1");
        zsh_action(operands_want(command), operands_want(command) == WANTED_CHOICE ? "what" : command->operands,
                   command->operands);
        putchar('\'');
    }
    fputs(" ;;\n", stdout);
}

static void zsh_all(void)
{
    printf("#compdef unktx\n# zsh completion of unktx %s, as `unktx completion zsh` prints it\n", UNKTX_VERSION);
    fputs("_unktx() {\n    local -a commands\n    if ((CURRENT == 2)); then\n        commands=(\n", stdout);
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->hidden)
            continue;
        printf("            '%s:", (*c)->name);
        print_quoted((*c)->summary, "", "'\\''");
        puts("'");
    }
    fputs("        )\n        _describe -t commands 'unktx command' commands\n"
          "        _arguments '--help[the commands]' '--version[the version]'\n        return\n    fi\n"
          "    local command=$words[2]\n    shift words\n    ((CURRENT--))\n    case $command in\n",
          stdout);
    for (const struct command *const *c = commands; *c; c++)
        zsh_command(*c);
    fputs("    esac\n}\n_unktx \"$@\"\n", stdout);
}

/* ---- fish ---- */

static void fish_wanted(enum wanted wanted, const char *choices)
{
    switch (wanted) {
    case WANTED_NOTHING: break;
    case WANTED_TEXT: fputs(" -x", stdout); break;
    case WANTED_FILE: fputs(" -r -F", stdout); break;
    case WANTED_FOLDER: fputs(" -x -a '(__fish_complete_directories)'", stdout); break;
    case WANTED_CHOICE:
        fputs(" -x -a '", stdout);
        print_choices(choices);
        putchar('\'');
        break;
    }
}

static void fish_command(const struct command *command)
{
    if (!command->hidden) {
        printf("complete -c unktx -n __unktx_no_command -a %s -d '", command->name);
        print_quoted(command->summary, "\\", "\\'");
        puts("'");
    }
    for (const struct option *const *o = command->options; *o; o++) {
        printf("complete -c unktx -n '__unktx_command %s' -l %s", command->name, (*o)->name);
        if ((*o)->letter)
            printf(" -s %c", (*o)->letter);
        fish_wanted(option_wants(*o), (*o)->value);
        fputs(" -d '", stdout);
        print_quoted((*o)->help, "\\", "\\'");
        puts("'");
    }
    enum wanted operands = operands_want(command);
    if (operands == WANTED_FILE || operands == WANTED_CHOICE) {
        printf("complete -c unktx -n '__unktx_command %s'", command->name);
        fish_wanted(operands, command->operands);
        putchar('\n');
    }
}

static void fish_all(void)
{
    printf("# fish completion of unktx %s, as `unktx completion fish` prints it\n", UNKTX_VERSION);
    fputs("function __unktx_no_command\n    test (count (commandline -opc)) -eq 1\nend\n"
          "function __unktx_command\n    set -l words (commandline -opc)\n"
          "    test (count $words) -ge 2; and test $words[2] = $argv[1]\nend\n"
          "complete -c unktx -f\n"
          "complete -c unktx -s h -l help -d 'the options in short'\n"
          "complete -c unktx -l version -d 'the version'\n",
          stdout);
    for (const struct command *const *c = commands; *c; c++)
        fish_command(*c);
}

static int run(const struct settings *settings)
{
    static const char *const names[] = {[SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish"};
    static void (*const print[])(void) = {[SHELL_BASH] = bash_all, [SHELL_ZSH] = zsh_all, [SHELL_FISH] = fish_all};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(settings->operands[0], names[i]) == 0) {
            print[i]();
            return EXIT_DONE;
        }
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
