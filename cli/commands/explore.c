#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/inputs/hidden_store.h"
#include "cli/inputs/output_folder.h"
#include "cli/output/http.h"
#include "cli/output/listening.h"
#include "cli/output/outfile.h"
#include "cli/output/signals.h"
#include "cli/views/explore.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define TOKEN_ENOUGH 16u

extern char **environ;

/* The address alone on stdout, for whoever started this from a program. */
static enum status tell(const struct http *http, struct fault *fault)
{
    struct text text = {0};
    enum status status = text_printf(&text, "%s\n", http_address(http)) == STATUS_OK
                             ? outfile_write_text("-", &text, fault)
                             : fault_nomem(fault);
    text_free(&text);
    if (status == STATUS_OK)
        message("the pages are at this address until Ctrl-C");
    return status;
}

static bool is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

/* On a terminal with a display; a browser that cannot be started is no failure. */
static void open_browser(const struct http *http)
{
    static char program[] = "xdg-open";
    char address[128];
    char *words[] = {program, address, NULL};
    posix_spawn_file_actions_t quiet;
    pid_t child;
    if (!isatty(STDOUT_FILENO) || !(is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")))
        return;
    snprintf(address, sizeof address, "%s", http_address(http));
    if (posix_spawn_file_actions_init(&quiet) != 0)
        return;
    bool done = posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
                posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
                posix_spawnp(&child, program, &quiet, NULL, words, environ) == 0;
    if (!done)
        message("open the address in a browser");
    posix_spawn_file_actions_destroy(&quiet);
}

static enum status serve(const struct settings *settings, struct explore *explore, struct http **http,
                         struct fault *fault)
{
    const struct http_options options = {
        .address = settings->listen, .token = settings->token, .port = (unsigned)settings->port};
    enum status status = explore_open(settings, explore, fault);
    if (status == STATUS_OK)
        status = http_start(&options, explore_answer, explore, http, fault);
    if (status == STATUS_OK)
        status = tell(*http, fault);
    if (status != STATUS_OK)
        return status;
    open_browser(*http);
    status = explore_load(explore, fault);
    if (status == STATUS_OK)
        status = explore_load_others(explore, fault);
    if (status != STATUS_OK)
        return status;
    signals_wait();
    return stop_check(fault);
}

static bool is_loopback(const char *address) { return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0; }

/* The last block of what the pages show, where the chain ends with `chain_tip`. */
static enum status last_shown(const struct settings *settings, uint32_t chain_tip, uint32_t *height,
                              struct fault *fault)
{
    struct store *store = NULL;
    *height = 0;
    enum status status = store_open(settings->store, STORE_READ, NULL, &store, fault);
    if (status == STATUS_OK)
        status = output_folder_height(settings, store, height, fault);
    store_close(store);
    *height = *height < chain_tip ? *height : chain_tip;
    return status;
}

/* The rule set hidden is in the menu wherever its store is there and is of all that the pages show: it has the rule
 * sets of Core too. */
static enum status add_hidden(struct settings *settings, char **folder, struct fault *fault)
{
    struct hidden_found found;
    struct fault why = {0};
    uint32_t height = 0;
    if (settings->main_store)
        return STATUS_OK;
    enum status status = hidden_store_find(settings, &found, &why);
    *folder = found.folder;
    if (status == STATUS_OK)
        status = last_shown(settings, found.chain_tip, &height, &why);
    if (status == STATUS_OK && found.tip != height)
        status = fault_set(&why, STATUS_REFUSED, found.folder, FAULT_NO_OFFSET,
                           "is as of block %u, the pages are as of block %u: 'unktx index' and 'unktx hidden --dags "
                           "--to-height %u' make it anew",
                           (unsigned)found.tip, (unsigned)height, (unsigned)height);
    if (status == STATUS_OK) {
        settings->main_store = settings->store;
        settings->store = found.folder;
    } else if (status_ends_command(status)) {
        *fault = why;
        return status;
    } else if (status != STATUS_NOT_FOUND) {
        message_fault(&why);
        message("pages are made without the rule set hidden");
    }
    return STATUS_OK;
}

static int run(const struct settings *settings)
{
    static struct explore explore;
    struct http *http = NULL;
    struct fault fault = {0};
    if (settings->listen && !listening_is_address(settings->listen))
        return message_usage("--listen: '%s' is no numeric address", settings->listen);
    if (settings->listen && !is_loopback(settings->listen) && !settings->token)
        return message_usage("--listen %s lets other machines in: name a --token that they have to give",
                             settings->listen);
    if (settings->token && strlen(settings->token) < TOKEN_ENOUGH)
        message("the token is short: one of %u characters or more cannot be guessed", TOKEN_ENOUGH);
    if (settings->explorer && strncmp(settings->explorer, "https://", 8) != 0 &&
        strncmp(settings->explorer, "http://", 7) != 0)
        return message_usage("--explorer: '%s' begins with neither https:// nor http://", settings->explorer);
    struct settings own = *settings;
    char *hidden = NULL;
    enum status status = add_hidden(&own, &hidden, &fault);
    if (status == STATUS_OK) {
        status = serve(&own, &explore, &http, &fault);
        http_stop(http);
        explore_close(&explore);
    }
    mem_free(hidden);
    return message_result(status, &fault);
}

static const struct option option_port = {
    .name = "port",
    .type = OPTION_NUMBER,
    .value = "N",
    .fallback = "8380",
    .field = offsetof(struct settings, port),
    .max = 65535,
    .help = "port to listen on; 0: any that is free",
};
static const struct option option_listen = {
    .name = "listen",
    .type = OPTION_TEXT,
    .value = "ADDRESS",
    .field = offsetof(struct settings, listen),
    .help = "numeric address to listen on, for other machines too: needs --token (default: 127.0.0.1 and ::1 only)",
};
static const struct option option_token = {
    .name = "token",
    .type = OPTION_TEXT,
    .value = "TOKEN",
    .field = offsetof(struct settings, token),
    .help = "answer only who gives this as the password",
};
static const struct option option_explorer = {
    .name = "explorer",
    .type = OPTION_TEXT,
    .value = "URL",
    .field = offsetof(struct settings, explorer),
    .help = "link transactions and blocks to URL/tx/TXID and URL/block/HASH (default: no link leads away)",
};

static const struct option *const options[] = {
    &option_read_store,    &option_as_of_height, &option_rules_hidden, &option_exclude_scripts,
    &option_known_scripts, &option_labels,       &option_port,         &option_listen,
    &option_token,         &option_explorer,     &option_threads,      NULL,
};

const struct command command_explore = {
    .name = "explore",
    .operands = "",
    .summary = "Show the T-DAGs in a browser: pages to walk through, from this machine alone.",
    .details =
        "Prints the address, and answers there until it is interrupted. Nothing is written, nothing is fetched from\n"
        "elsewhere, and the pages need no JavaScript.\n",
    .options = options,
    .run = run,
};
