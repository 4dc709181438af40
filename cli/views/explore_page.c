#include "cli/views/explore_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "cli/inputs/hidden_store.h"
#include "cli/views/explore_list.h"
#include "cli/views/html.h"
#include "cli/views/tables.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/network.h"

/* ---- head and foot ---- */

static const struct {
    const char *address; /* after the rule set */
    const char *title;
} places[] = {{"", "Start"},
              {"tdags", "T-DAGs"},
              {"classes", "Classes"},
              {"scripts", "Known scripts"},
              {"templates", "Templates"},
              {"protocols", "Protocols"},
              {"groups", "Groups"},
              {"labels", "Labels"}};

static void put_places(struct explore_request *request)
{
    struct printer *page = &request->page;
    PRINT(page, "<nav aria-label=\"Pages\"><ul>\n");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool here = strcmp(request->rest, places[i].address) == 0;
        if ((strcmp(places[i].address, "labels") == 0 && request->explore->opened.labels.count == 0) ||
            (strcmp(places[i].address, "groups") == 0 && request->rules == RULES_HIDDEN))
            continue;
        PRINT(page, "<li><a href=\"/%s/%s\"%s>%s</a></li>\n", rules_name(request->rules), places[i].address,
              here ? " aria-current=\"page\"" : "", places[i].title);
    }
    PRINT(page, "</ul></nav>\n");
}

/* The path with its parts as an address has them. */
static void put_path(struct printer *page, const char *path)
{
    char part[TARGET_MAX + 1], encoded[3 * TARGET_MAX + 1];
    for (; *path; path += *path == '/') {
        size_t size = strcspn(path, "/");
        memcpy(part, path, size);
        part[size] = '\0';
        *target_put(encoded, part) = '\0';
        path += size;
        PRINT(page, "%s%s", encoded, *path == '/' ? "/" : "");
    }
}

/* The same page under each rule set, whose drawings and lists have other parts. */
static void put_rules(struct explore_request *request)
{
    static const char *const without[] = {"page", "open", NULL};
    struct printer *page = &request->page;
    PRINT(page, "<nav aria-label=\"Rule sets\"><ul class=\"rules\">\n");
    for (unsigned r = 0; r < request->explore->rules_count; r++) {
        bool missing = request->missing[r], none = r == RULES_HIDDEN && request->by_shown;
        PRINT(page, "<li><a href=\"/%s/", rules_name((enum rules)r));
        put_path(page, none ? "tdags" : missing ? request->instead : request->same ? request->same : request->rest);
        if (!missing && !none)
            explore_put_fields(page, request->target, without);
        PRINT(page, "\"%s>%s</a></li>\n", r == request->rules ? " aria-current=\"true\"" : "",
              rules_name((enum rules)r));
    }
    PRINT(page, "</ul></nav>\n");
    if (request->rules == RULES_HIDDEN)
        PRINT(page, "<p class=\"source\">" HIDDEN_STORE_IS ".</p>\n");
}

static void put_search(struct explore_request *request)
{
    const char *asked = strcmp(request->rest, "search") == 0 ? target_get(request->target, "q") : NULL;
    PRINT(&request->page,
          "<form role=\"search\" action=\"/%s/search\" method=\"get\"><label for=\"q\">Search</label>\n<input id=\"q\" "
          "name=\"q\" type=\"search\" size=\"34\" placeholder=\"txid, block, address, key, script \342\200\246\" "
          "title=\"Finds " EXPLORE_SEARCH_FINDS
          " The start page says of which the first digits or letters will do.\" value=\"",
          rules_name(request->rules));
    if (asked)
        html_escaped(&request->page, asked, strlen(asked));
    PRINT(&request->page, "\"/>\n<button type=\"submit\">Search</button></form>\n");
}

static void put_head(struct explore_request *request, const char *title)
{
    struct printer *page = &request->page;
    PRINT(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                "content=\"width=device-width,initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light "
                "dark\"/>\n<link rel=\"icon\" type=\"image/svg+xml\" href=\"/icon.svg\"/>\n<link rel=\"stylesheet\" "
                "href=\"/style.css\"/>\n<title>");
    html_escaped(page, title, strlen(title));
    PRINT(page, " - unktx</title>\n<script src=\"/script.js\" defer=\"defer\"></script></head>\n<body>\n");
}

/* What is on the pages stays as it was loaded. */
static void put_news(struct explore_request *request)
{
    struct printer *page = &request->page;
    char blocks[GROUPED_SIZE];
    uint32_t now;
    enum explore_news news = explore_news(request->explore, &now);
    if (news == EXPLORE_AS_LOADED)
        return;
    PRINT(page, "<p class=\"notice\" role=\"status\">");
    if (news == EXPLORE_NEWER)
        PRINT(page, "The store has newer blocks than these pages");
    else if (news == EXPLORE_CUT)
        PRINT(page, "Blocks were taken back since these pages were loaded: the store ends with block %s now",
              grouped(blocks, now > 0 ? now - 1 : 0));
    else
        PRINT(page, "The store has other blocks at its end than when these pages were loaded");
    PRINT(page, ". End <code>unktx explore</code> and start it again to see what it has.</p>\n");
}

void explore_begin_page(struct explore_request *request, const char *title)
{
    struct printer *page = &request->page;
    char network[NETWORK_LABEL_SIZE], blocks[GROUPED_SIZE];
    network_label(store_identity_of(request->explore->opened.store)->magic, network);
    put_head(request, title);
    PRINT(page,
          "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header><p class=\"name\"><a href=\"/%s/\">"
          "unktx</a> <span>%s%s to block %s</span></p>\n",
          rules_name(request->rules), network, request->explore->opened.forest.first_height > 0 ? " (partial)" : "",
          grouped(blocks, request->explore->opened.forest.blocks - 1));
    put_places(request);
    put_search(request);
    put_rules(request);
    PRINT(page, "</header>\n<main id=\"content\">\n");
    put_news(request);
    PRINT(page, "<h1>");
    html_escaped(page, title, strlen(title));
    PRINT(page, "</h1>\n");
}

void explore_end_page(struct explore_request *request) { PRINT(&request->page, "</main>\n</body></html>\n"); }

void explore_put_stages(struct explore_request *request)
{
    static const char *const stages[] = {"read the store", "find T-DAGs, their classes, known scripts and measures"};
    struct explore *explore = request->explore;
    struct printer *page = &request->page;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&explore->lock);
    enum explore_stage at = explore->stage;
    pthread_mutex_unlock(&explore->lock);
    put_head(request, "Not ready yet");
    PRINT(page,
          "<main id=\"content\" class=\"loading\">\n<h1>Not ready yet</h1>\n<p role=\"status\">The store is "
          "being loaded, for %llu s now. <a href=\"\">Ask again</a></p>\n<ol>\n",
          ULL((uint64_t)now.tv_sec - explore->begun_s));
    for (unsigned stage = STAGE_STORE; stage < STAGE_DONE; stage++)
        PRINT(page, "<li%s>%s: %s</li>\n", stage == at ? " aria-current=\"step\"" : "", stages[stage],
              stage < at    ? "done"
              : stage == at ? "now"
                            : "to come");
    PRINT(page, "</ol>\n</main>\n</body></html>\n");
}

/* In quotes for a shell where it needs them. */
static void put_word(struct printer *page, const char *word)
{
    struct text text = {0};
    if (text_word(&text, word) == STATUS_OK)
        html_escaped(page, text.bytes, text.size);
    else
        page->status = STATUS_NOMEM;
    text_free(&text);
}

static void put_option(struct printer *page, const char *name, const char *value)
{
    PRINT(page, " --%s ", name);
    put_word(page, value);
}

/* Where explore ends below the store's tip: it was told so, its tables do, or a scan has gone on. */
static bool ends_below(struct explore *explore)
{
    return explore->settings->to_height != UINT32_MAX ||
           !hash256_equal(&explore->opened.forest.tip, &explore->tip_at_start) ||
           explore_news(explore, NULL) == EXPLORE_NEWER;
}

static const char *scope_of(unsigned takes)
{
    return takes & OF_ALL_TDAGS ? ", of all T-DAGs"
           : takes & OF_ALL_PLACES
               ? ", among those of all, each place that shows it and not the first of each T-DAG alone"
           : takes & OF_HASHES_TOO  ? ", among all hash locks those that it opens"
           : takes & OF_EACH_OUTPUT ? ", each output that has it, also in data or as an address of its key"
           : takes & OF_ALL_OUTPUTS ? ", of all outputs of the chain, whatever the rule set, and by kind too"
                                    : "";
}

/* Words of a command: a target bounds what they are made of, and a shell may want it in quotes. */
#define COMMAND_MAX (4 * TARGET_MAX + 512)

void explore_put_command(struct explore_request *request, unsigned takes, const char *format, ...)
{
    struct explore *explore = request->explore;
    const struct settings *settings = explore->settings;
    struct printer *page = &request->page;
    char words[COMMAND_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    bool leaves_out = settings->exclude_scripts && takes & (OF_ALL_PLACES | OF_HASHES_TOO);
    PRINT(page, "<p class=\"source\">On the command line%s%s: <code class=\"hash\">unktx ", scope_of(takes),
          leaves_out ? ", also in what --exclude-scripts leaves out" : "");
    html_escaped(page, words, strlen(words));
    put_option(page, "store", settings_main_store(settings));
    if (takes & TAKES_RULES)
        put_option(page, "rules", rules_name(request->rules));
    if ((takes & TAKES_CHAIN) && ends_below(explore))
        PRINT(page, " --to-height %u", (unsigned)explore->opened.forest.blocks - 1);
    if ((takes & TAKES_SCRIPTS) && settings->scripts)
        put_option(page, "known-scripts", settings->scripts);
    if ((takes & TAKES_FILTER) && settings->exclude_scripts)
        put_option(page, "exclude-scripts", settings->exclude_scripts);
    for (size_t i = 0; (takes & TAKES_LABELS) && i < settings->labels.count; i++)
        put_option(page, "labels", settings->labels.items[i]);
    PRINT(page, "</code></p>\n");
}

/* ---- links ---- */

const char *explore_tdag_address(const struct explore_request *request, uint32_t dag, char out[EXPLORE_TDAG_SIZE])
{
    const struct tdags *tdags = &request->tdags->tdags;
    char *p = put_text(out, "tdag/");
    p = tdags->names[dag - 1].digits == HASH256_HEX_SIZE
            ? put_u64(p, dag)
            : tdag_put_name(&request->explore->opened.forest, tdags, dag, p);
    *p = '\0';
    return out;
}

void explore_put_tdag(struct explore_request *request, uint32_t dag)
{
    char address[EXPLORE_TDAG_SIZE], name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&request->explore->opened.forest, &request->tdags->tdags, dag, name) = '\0';
    PRINT(&request->page, "<a class=\"id\" href=\"/%s/%s\">%s</a>", rules_name(request->rules),
          explore_tdag_address(request, dag, address), name);
}

void explore_put_tx(struct explore_request *request, const struct hash256 *txid, unsigned digits)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid, hex);
    PRINT(&request->page, "<a class=\"id\" href=\"/%s/tx/%s\">%.*s</a>", rules_name(request->rules), hex, (int)digits,
          hex);
}

void explore_put_output(struct explore_request *request, const struct hash256 *txid, uint32_t vout, unsigned digits)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid, hex);
    PRINT(&request->page, "<a class=\"id\" href=\"/%s/tx/%s:%u\">%.*s:%u</a>", rules_name(request->rules), hex,
          (unsigned)vout, (int)digits, hex, (unsigned)vout);
}

void explore_put_block(struct explore_request *request, uint32_t height)
{
    PRINT(&request->page, "<a href=\"/%s/block/%u\">%u</a>", rules_name(request->rules), (unsigned)height,
          (unsigned)height);
}

void explore_put_class(struct explore_request *request, const uint8_t id[CANON_ID_SIZE], bool exact, unsigned digits)
{
    char hex[2 * CANON_ID_SIZE + 1] = "";
    put_hex(hex, id, CANON_ID_SIZE);
    PRINT(&request->page, "<a class=\"id\" href=\"/%s/class/%s\">%.*s%s</a>", rules_name(request->rules), hex,
          (int)digits, hex, exact ? "" : "?");
}

void explore_put_elsewhere(struct explore_request *request, const char *what, const struct hash256 *hash)
{
    const char *explorer = request->explore->settings->explorer;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (!explorer)
        return;
    hash256_hex(hash, hex);
    PRINT(&request->page, "<p><a rel=\"noreferrer noopener\" href=\"");
    html_escaped(&request->page, explorer, strlen(explorer));
    PRINT(&request->page, "%s%s/%s\">The same at ", explorer[strlen(explorer) - 1] == '/' ? "" : "/", what, hex);
    html_escaped(&request->page, explorer, strlen(explorer));
    PRINT(&request->page, "</a> (leaves this machine)</p>\n");
}

/* ---- drawings ---- */

void explore_begin_drawing(struct explore_request *request)
{
    PRINT(&request->page,
          "<p class=\"unscripted\"><a href=\"#drawing-box\">In full size</a>, to scroll; <a href=\"#drawing\">as a "
          "whole</a>.</p>\n<div id=\"drawing-box\" class=\"wide drawing\" role=\"region\" tabindex=\"0\" "
          "aria-label=\"Drawing of the T-DAG\">\n");
}

/* ---- tables ---- */

void explore_begin_table(struct explore_request *request, const char *caption, const char *heads)
{
    struct printer *page = &request->page;
    PRINT(page,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>\n<caption>%s</caption>\n"
          "<thead><tr>",
          caption, caption);
    for (size_t size; *heads; heads += size + (heads[size] == '|')) {
        size = strcspn(heads, "|");
        PRINT(page, "<th scope=\"col\">%.*s</th>", (int)size, heads);
    }
    PRINT(page, "</tr></thead>\n<tbody>\n");
}

/* A head alone would leave open whether rows are missing. */
void explore_end_table(struct explore_request *request)
{
    static const char begun[] = "<tbody>\n";
    struct printer *page = &request->page;
    size_t size = sizeof begun - 1;
    if (page->text.size >= size && memcmp(page->text.bytes + page->text.size - size, begun, size) == 0)
        PRINT(page, "<tr class=\"none\"><td>none</td></tr>\n");
    PRINT(page, "</tbody></table></div>\n");
}

static uint64_t pages_of(uint64_t rows) { return rows > 0 ? (rows - 1) / EXPLORE_ROWS + 1 : 1; }

uint64_t explore_page_number(const struct explore_request *request, const char *name, uint64_t rows)
{
    const char *text = target_get(request->target, name);
    uint64_t number = 0, pages = pages_of(rows);
    for (; text && *text >= '0' && *text <= '9' && number < pages; text++)
        number = 10 * number + (uint64_t)(*text - '0');
    return number == 0 ? 1 : number < pages ? number : pages;
}

static void put_page_link(struct explore_request *request, const char *name, uint64_t page, const char *text)
{
    const char *const without[] = {name, NULL};
    PRINT(&request->page, "<li><a href=\"");
    explore_put_query(&request->page, request->target, without);
    PRINT(&request->page, "%s=%llu\">%s</a></li>\n", name, ULL(page), text);
}

/* What is paged, by the field of the query: a page may have several such tables, and tells them apart. */
static const char *paged_of(const char *name)
{
    return strcmp(name, "in") == 0       ? "the inputs"
           : strcmp(name, "out") == 0    ? "the outputs"
           : strcmp(name, "shared") == 0 ? "what is shared"
                                         : "the table";
}

void explore_put_pager(struct explore_request *request, const char *name, uint64_t page, uint64_t rows)
{
    struct printer *out = &request->page;
    uint64_t pages = pages_of(rows);
    char number[2][GROUPED_SIZE];
    if (pages < 2)
        return;
    PRINT(out, "<nav aria-label=\"Pages of %s\"><ul class=\"pager\">\n", paged_of(name));
    if (page > 1) {
        put_page_link(request, name, 1, "first");
        put_page_link(request, name, page - 1, "previous");
    }
    PRINT(out, "<li>page %s of %s</li>\n", grouped(number[0], page), grouped(number[1], pages));
    if (page < pages) {
        put_page_link(request, name, page + 1, "next");
        put_page_link(request, name, pages, "last");
    }
    PRINT(out, "</ul></nav>\n");
}
