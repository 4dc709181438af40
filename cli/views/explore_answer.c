#include <stdio.h>

#include "cli/views/explore_page.h"
#include "cli/views/explore_shown.h"
#include "cli/views/html.h"
#include "cli/views/report_page.h"
#include "cli/views/svg.h"

/* ---- files that are not pages ---- */

static const struct {
    const char *path;
    const char *type;
    const char *parts[4];
} files[] = {
    {"/style.css", "text/css; charset=utf-8", {svg_style, report_style, explore_style}},
    {"/script.js", "text/javascript; charset=utf-8", {report_script, explore_script}},
    {"/icon.svg", "image/svg+xml", {explore_icon}},
};

static bool answer_file(const char *path, struct http_answer *answer)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, path) != 0)
            continue;
        answer->status = 200;
        answer->type = files[i].type;
        answer->keep = true;
        for (size_t p = 0; p < sizeof files[i].parts / sizeof *files[i].parts && files[i].parts[p]; p++) {
            if (text_printf(&answer->body, "%s\n", files[i].parts[p]) != STATUS_OK)
                answer->status = 500;
        }
        return true;
    }
    return false;
}

/* ---- pages ---- */

static const struct {
    const char *path; /* after the rule set; where it ends with a slash, more follows */
    explore_page *make;
} pages[] = {
    {"", explore_start},
    {"tdags", explore_tdags},
    {"tdags.csv", explore_tdags_csv},
    {"tdag/", explore_tdag},
    {"tx/", explore_tx},
    {"block/", explore_block},
    {"classes", explore_classes},
    {"class/", explore_class},
    {"scripts", explore_known_scripts},
    {"labels", explore_labels},
    {"search", explore_search},
    {"templates", explore_templates},
    {"template", explore_template},
    {"protocols", explore_protocols},
    {"protocol/", explore_protocol},
    {"outputs", explore_outputs},
    {"groups", explore_groups},
    {"group/", explore_group},
    {"key/", explore_thing},
    {"hash/", explore_thing},
    {"preimage/", explore_thing},
    {"changes", explore_changed},
};

static explore_page *page_of(const char *rest)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        size_t size = strlen(pages[i].path);
        bool goes_on = size > 0 && pages[i].path[size - 1] == '/';
        if (goes_on ? strncmp(rest, pages[i].path, size) == 0 : strcmp(rest, pages[i].path) == 0)
            return pages[i].make;
    }
    return NULL;
}

static unsigned http_status(enum status status)
{
    switch (status) {
    case STATUS_OK: return 200;
    case STATUS_NOT_FOUND: return 404;
    case STATUS_REFUSED: return 400;
    case STATUS_BUSY: return 503;
    default: return 500;
    }
}

/* In place of the page, of which nothing is left. */
static void put_failure(struct explore_request *request, enum status status, const struct fault *fault)
{
    text_free(&request->page.text);
    request->page.status = STATUS_OK;
    explore_begin_page(request, status == STATUS_NOT_FOUND ? "Not found"
                                : status == STATUS_REFUSED ? "That cannot be asked for"
                                : status == STATUS_BUSY    ? "Not ready yet"
                                                           : "This page could not be made");
    PRINT(&request->page, status == STATUS_BUSY ? "<p class=\"loading\" role=\"status\">" : "<p>");
    html_escaped(&request->page, fault->text, strlen(fault->text));
    PRINT(&request->page, "</p>\n");
    explore_end_page(request);
}

/* While there is nothing yet that a page could be made of. */
static void answer_not_ready(struct explore_request *request)
{
    explore_put_stages(request);
    request->answer->status = request->page.status == STATUS_OK ? 503 : 500;
    request->answer->type = "text/html; charset=utf-8";
    request->answer->again = true;
    request->answer->body = request->page.text;
}

/* A field with two values, of which a page would take one unseen; NULL: there is none. Families are joined. */
static const char *given_twice(const struct explore_request *request)
{
    const struct target *target = request->target;
    bool joins = strcmp(request->rest, "tdags") == 0 || strcmp(request->rest, "tdags.csv") == 0;
    for (size_t i = 0; i < target->fields_count; i++) {
        const struct target_field *field = &target->fields[i];
        if (!field->value[0] || (joins && strcmp(field->name, "family") == 0))
            continue;
        for (size_t j = 0; j < i; j++)
            if (target->fields[j].value[0] && strcmp(target->fields[j].name, field->name) == 0)
                return field->name;
    }
    return NULL;
}

static void answer_page(struct explore_request *request)
{
    struct http_answer *answer = request->answer;
    struct fault fault = {0};
    explore_page *make = page_of(request->rest);
    enum status status = STATUS_OK;
    if (!make) {
        request->same = ""; /* no rule set has the path: the menu leads to the start */
        status = fault_set(&fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "There is no page of this address.");
    }
    const char *twice = status == STATUS_OK ? given_twice(request) : NULL;
    if (twice)
        status = fault_set(&fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "The address has two values for %.80s.",
                           twice);
    if (status == STATUS_OK)
        status = explore_wait_for(request->explore, request->rules, &fault);
    if (make && status == STATUS_OK)
        status = make(request, &fault);
    explore_give_back(request);
    explore_shown_leave(request->explore, request->shown);
    if (status == STATUS_OK && request->page.status != STATUS_OK)
        status = fault_nomem(&fault);
    if (status != STATUS_OK)
        put_failure(request, status, &fault);
    if (status != STATUS_OK || !answer->status)
        answer->status = request->page.status == STATUS_OK ? http_status(status) : 500;
    if (status != STATUS_OK || !answer->type)
        answer->type = "text/html; charset=utf-8";
    if (status != STATUS_OK)
        answer->file[0] = '\0';
    answer->again = answer->status == 503;
    answer->body = request->page.text;
}

/* The rule set that the path begins with; what comes after it. */
static bool read_rules(const struct explore *explore, const char *path, enum rules *rules, const char **rest)
{
    for (unsigned r = 0; r < explore->rules_count; r++) {
        size_t size = strlen(rules_name((enum rules)r));
        if (strncmp(path + 1, rules_name((enum rules)r), size) != 0 || (path[1 + size] && path[1 + size] != '/'))
            continue;
        *rules = (enum rules)r;
        *rest = path + 1 + size;
        return true;
    }
    return false;
}

static void lead_to(enum rules rules, struct http_answer *answer)
{
    answer->status = 302;
    answer->type = "text/plain";
    snprintf(answer->location, sizeof answer->location, "/%s/", rules_name(rules));
}

void explore_answer(void *context, const char *text, struct http_answer *answer)
{
    struct explore *explore = context;
    struct target target;
    struct explore_request request = {.explore = explore, .target = &target, .rest = "-", .answer = answer};
    request.rules = explore->settings->rules;
    if (!target_parse(text, &target)) {
        answer->status = 400;
        answer->type = "text/plain";
        if (text_printf(&answer->body, "This is no address that unktx has.\n") != STATUS_OK)
            answer->status = 500;
        return;
    }
    if (answer_file(target.path, answer))
        return;
    if (read_rules(explore, target.path, &request.rules, &request.rest) && !*request.rest) {
        lead_to(request.rules, answer);
        return;
    }
    if (strcmp(target.path, "/") == 0) {
        lead_to(explore->settings->rules, answer);
        return;
    }
    request.rest += *request.rest == '/';
    request.tdags = &explore->rules[request.rules];
    if (explore_wait_for_store(explore))
        answer_page(&request);
    else
        answer_not_ready(&request);
}
