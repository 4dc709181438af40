/* Requests to `unktx explore` as far as its own code reads them: the first line of the input is the target, the next
 * five are the headers Host, Origin, Sec-Fetch-Site, Sec-Fetch-Mode and Authorization. The page is made in memory from
 * a small store: it is bounded, well-formed, and shows what was asked for instead of obeying it. */
#define _GNU_SOURCE
#include <string.h>

#include "cli/output/http_guard.h"
#include "cli/views/explore.h"
#include "graph/test_hooks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/markup.h"

#define PAGE_MAX 400000u

static char *folder, store[300];
static struct settings settings;
static struct explore explore;

static void clean_up(void)
{
    explore_close(&explore);
    remove_tree(folder);
}

static void make_store(void)
{
    struct gen_options options = {.dir = path_of("%s/data", folder),
                                  .seed = 14,
                                  .block_bytes = 3000,
                                  .window = 1,
                                  .planted_per_10k = 4000,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 30, 0);
    gen_close(gen);
    must(command_exit("scan --quiet --threads 1 --datadir %s/data --store %s", folder, store) == 0, "a scan");
    must(command_exit("index --quiet --threads 1 --datadir %s/data --store %s", folder, store) == 0, "an index");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct fault fault = {0};
    (void)argc;
    (void)argv;
    temp_dir_in_memory();
    folder = temp_dir();
    snprintf(store, sizeof store, "%s/store", folder);
    kv_map_step((size_t)1 << 20);
    make_store();
    settings = (struct settings){
        .store = store, .rules = RULES_CORE_22, .to_height = UINT32_MAX, .threads = 1, .explorer = "https://a.b/"};
    must(explore_open(&settings, &explore, &fault) == STATUS_OK, fault.text);
    must(explore_load(&explore, &fault) == STATUS_OK, fault.text);
    must(explore_load_others(&explore, &fault) == STATUS_OK, fault.text);
    atexit(clean_up);
    return 0;
}

/* The next line of the input, ended by a terminator in its place; NULL after the last. */
static char *next_line(char **at)
{
    char *line = *at, *end = line ? strchr(line, '\n') : NULL;
    if (end)
        *end = '\0';
    *at = end ? end + 1 : NULL;
    return line;
}

static void check_guard(char **at)
{
    const struct http_guard guards[] = {{.port = 8380},
                                        {.port = 80, .token = "secret"},
                                        {.port = 8380, .address = "::1", .token = "s"},
                                        {.port = 8380, .address = "0.0.0.0", .any_address = true, .token = "secret"}};
    struct http_headers headers = {.hosts = 1};
    headers.host = next_line(at);
    headers.origin = next_line(at);
    headers.fetch_site = next_line(at);
    headers.fetch_mode = next_line(at);
    headers.authorization = next_line(at);
    for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
        unsigned status = http_guard_check(&guards[i], &headers);
        must(status == 200 || status == 400 || status == 401 || status == 403, "a status");
        must(status != 200 || !guards[i].token || headers.authorization, "no one without the token");
    }
}

static void check_page(const struct http_answer *answer, const char *text)
{
    must(answer->status == 200 || answer->status == 302 || answer->status == 400 || answer->status == 404 ||
             answer->status == 503,
         "a status");
    must(answer->body.size < PAGE_MAX, "a page within bounds");
    must(!strpbrk(answer->location, "\r\n") && !strpbrk(answer->file, "\r\n\""), "headers of one line");
    if (strncmp(answer->type, "text/html", 9) != 0)
        return;
    must(strstr(text, "</html>") != NULL, "a whole page");
    assert_well_formed(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_answer answer = {0};
    char *input = malloc(size + 1), *at = input;
    must(input != NULL, "memory");
    memcpy(input, data, size);
    input[size] = '\0';
    explore_answer(&explore, next_line(&at), &answer);
    check_guard(&at);
    char *text = malloc(answer.body.size + 1);
    must(text != NULL, "memory");
    memcpy(text, answer.body.size ? answer.body.bytes : "", answer.body.size);
    text[answer.body.size] = '\0';
    check_page(&answer, text);
    for (size_t before = 1; answer.part && before > 0;) {
        answer.body.size = 0;
        must(answer.part(answer.context, &answer.body) == STATUS_OK, "a part");
        before = answer.body.size;
    }
    if (answer.part && answer.end)
        answer.end(answer.context);
    text_free(&answer.body);
    free(text);
    free(input);
    return 0;
}
