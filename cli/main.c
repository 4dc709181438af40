/* unktx: unknown transactions of Bitcoin, from a node's block files to T-DAG tables. The commands are in the table
 * of commands.c, one file each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/output/help.h"
#include "cli/output/signals.h"
#include "parser/parallel.h"

static void print_help(void)
{
    puts("Usage: unktx COMMAND [options] [operands]\n");
    help_paragraph(
        "Finds the outputs of a Bitcoin chain from which the reference client infers no address, links them to "
        "the transactions that spend them, and classifies the graphs that arise (T-DAGs).");
    puts("\nCommands:");
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->hidden)
            help_summary((*c)->name, (*c)->summary);
    }
    putchar('\n');
    help_paragraph(
        "'unktx help COMMAND' tells the options of a command; 'man unktx' more. 'unktx --version' prints the "
        "version.");
    help_paragraph("Exit status: 0 done, 1 failed, 2 usage, 3 done but some input was damaged and skipped, 130 "
                   "interrupted.");
}

static const struct command *find_command(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

#define COMMANDS_MAX 64

/* `is_first`: it stands where a command does, and not after help. */
static int unknown_command(const char *word, bool is_first)
{
    const char *names[COMMANDS_MAX] = {NULL};
    for (size_t i = 0; commands[i] && i + 1 < COMMANDS_MAX; i++)
        names[i] = commands[i]->name;
    const char *near = word[0] == '-' ? NULL : options_nearest(word, names);
    if (near)
        return message_usage("unknown command '%s'; did you mean '%s'?", word, near);
    return message_usage(is_first && word[0] == '-' ? "unknown option '%s' before the command" : "unknown command '%s'",
                         word);
}

/* With a standard stream closed by the caller, the next file opened would take its number, and a message could land in
 * the store. */
static void fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* What stays in stdio's buffer until the end can still meet a full disk. A reader that left (`| head`) is no
 * failure. */
static int close_stdout(int status)
{
    bool pending = __fpending(stdout) > 0;
    bool failed = ferror(stdout) != 0;
    failed |= fclose(stdout) != 0 && pending;
    if (!failed || errno == EPIPE)
        return status;
    message("stdout: %s", strerror(errno));
    return status == EXIT_DONE || status == EXIT_DAMAGED ? EXIT_FAILED : status;
}

struct words {
    int count;
    char **word;
};

static int run_words(void *context)
{
    const struct words *words = context;
    int argc = words->count, status;
    char **argv = words->word;
    if (argc < 2) {
        status = message_usage("no command given");
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
               (argc == 2 && strcmp(argv[1], "help") == 0)) {
        print_help();
        status = EXIT_DONE;
    } else if (strcmp(argv[1], "--version") == 0) {
        help_version(UNKTX_VERSION);
        status = EXIT_DONE;
    } else {
        char help[] = "--help", *of_command[] = {help, NULL};
        bool asks = strcmp(argv[1], "help") == 0 && argc > 2; /* help COMMAND: COMMAND --help */
        const char *name = argv[asks ? 2 : 1];
        const struct command *command = find_command(name);
        if (command)
            status = commands_run(command, asks ? 1 : argc - 2, asks ? of_command : argv + 2);
        else
            status = unknown_command(name, !asks);
    }
    return close_stdout(status);
}

int main(int argc, char **argv)
{
    struct words words = {argc, argv};
    struct fault fault = {0};
    int result = EXIT_FAILED;
    fill_standard_streams();
    signals_catch();
    if (parallel_with_stack(run_words, &words, &result, &fault) != STATUS_OK)
        message_fault(&fault);
    return result;
}
