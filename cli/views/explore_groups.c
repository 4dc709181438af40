#include <stdio.h>

#include "cli/inputs/chosen.h"
#include "cli/inputs/prefix.h"
#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_ties.h"
#include "cli/views/html.h"
#include "graph/dag/names.h"
#include "parser/search.h"

/* ---- all of them ---- */

static void put_row(struct explore_request *request, const struct explore_shown *shown, uint32_t group)
{
    struct printer *page = &request->page;
    const struct explore_group *row = &shown->rows[group - 1];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_group(request, shown, group);
    PRINT(page, "</th>");
    html_number(page, row->tdags);
    html_number(page, row->outputs);
    html_number(page, row->things_count);
    PRINT(page, "<td class=\"n\">");
    explore_put_block(request, row->first_height);
    PRINT(page, "</td><td class=\"n\">");
    explore_put_block(request, row->last_height);
    PRINT(page, "</td></tr>\n");
}

static void put_lead(struct explore_request *request, const struct explore_shown *shown)
{
    char number[GROUPED_SIZE];
    PRINT(&request->page,
          "<p>T-DAGs and single unknown outputs that show the same key, hash or preimage are tied; what is tied, "
          "directly or through others, is one group. Burn and marker keys and what more than 1,000 share tie nothing. "
          "Groups: %s.",
          grouped(number, shown->groups.count));
    explore_put_left_out(request, shown);
    PRINT(&request->page, "</p>\n");
}

enum status explore_groups(struct explore_request *request, struct fault *fault)
{
    const struct explore_shown *shown;
    request->by_shown = true;
    enum status status = explore_shown_get(request, &shown, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t count = shown->groups.count;
    uint64_t page = explore_page_number(request, "page", count);
    explore_begin_page(request, "Groups");
    put_lead(request, shown);
    explore_begin_table(request, "Groups, those with the most T-DAGs first",
                        "group|T-DAGs|single outputs|keys, hashes and preimages shared|first block|last block");
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < page * EXPLORE_ROWS && i < count; i++)
        put_row(request, shown, shown->order[i]);
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
    explore_put_command(request, TAKES_ALL, "ties -o FOLDER");
    explore_end_page(request);
    return STATUS_OK;
}

/* ---- one of them ---- */

/* Groups are numbered in the order of their first transactions. */
void explore_groups_find(const struct explore *explore, const struct explore_shown *shown, const struct prefix *prefix,
                         uint32_t most, explore_group_take *take, void *context)
{
    const struct tdags *names = &shown->groups.names;
    uint32_t first, end, groups = shown->groups.count;
    explore_find_txs(explore, prefix, &first, &end);
    for (uint32_t i = first; i < end && most > 0; i++) {
        uint32_t tx = explore->txs_by_txid[i];
        uint32_t at = (uint32_t)LOWER_BOUND(g, 0, groups, names->members[names->first[g]] < tx);
        for (; at < groups && names->members[names->first[at]] == tx && most > 0; at++, most--)
            take(context, at + 1);
    }
}

struct found {
    uint32_t group;
    uint32_t count;
};

static void take_group(void *context, uint32_t group)
{
    struct found *found = context;
    found->group = group;
    found->count++;
}

/* By its number, or the first digits of its name, which is the txid of its first transaction. */
static enum status find_group(const struct explore_request *request, const struct explore_shown *shown, uint32_t *group,
                              struct fault *fault)
{
    const char *word = request->rest + strlen("group/");
    struct prefix prefix;
    uint64_t number = chosen_number(word);
    struct found found = {0, 0};
    if (number > 0 && number <= shown->groups.count) {
        *group = (uint32_t)number;
        return STATUS_OK;
    }
    if (prefix_parse(word, strlen(word), &prefix))
        explore_groups_find(request->explore, shown, &prefix, 2, take_group, &found);
    *group = found.group;
    if (found.count == 1)
        return STATUS_OK;
    return fault_set(fault, found.count ? STATUS_REFUSED : STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     found.count
                         ? "Several groups of %s begin with %.80s: give more digits, or the number that groups.csv "
                           "has."
                         : "There is no group of %s whose name begins with %.80s.",
                     rules_name(request->rules), word);
}

static void put_tdag(struct explore_request *request, uint32_t dag)
{
    struct printer *page = &request->page;
    const struct tdag_row *row = explore_row(request->tdags, dag);
    char time[CHART_TIME_SIZE];
    PRINT(page, "<tr><th scope=\"row\">");
    explore_put_tdag(request, dag);
    PRINT(page, "</th><td>%s</td>", family_name(row->family));
    html_number(page, row->nodes);
    html_number(page, row->height);
    PRINT(page, "<td class=\"n\">");
    explore_put_block(request, row->first_height);
    PRINT(page, "</td><td class=\"n\">%s</td><td class=\"n\">%llu.%08llu</td>", chart_time(time, row->first_time),
          BTC_OF(row->moved_value_sat));
    explore_put_labels_cell(request, dag);
    PRINT(page, "</tr>\n");
}

#define TDAG_HEADS "T-DAG|family|nodes|height|first block|first time|value moved"

/* `name` is a filter; NULL: the group has none that is its own. */
static void put_tdags(struct explore_request *request, const uint32_t *members, const struct explore_group *row,
                      const char *name)
{
    struct printer *page = &request->page;
    uint64_t number = explore_page_number(request, "page", row->tdags);
    html_begin_section(page, "tdags", "Its T-DAGs");
    if (name)
        PRINT(page, "<p><a href=\"/%s/tdags?group=%s\">All of them, to sort and to filter</a>.</p>\n",
              rules_name(request->rules), name);
    explore_begin_table(request, "T-DAGs of the group; values in BTC, times in UTC",
                        request->explore->opened.labels.count > 0 ? TDAG_HEADS "|labels" : TDAG_HEADS);
    for (uint64_t i = (number - 1) * EXPLORE_ROWS; i < number * EXPLORE_ROWS && i < row->tdags; i++)
        put_tdag(request, members[i]);
    explore_end_table(request);
    explore_put_pager(request, "page", number, row->tdags);
    PRINT(page, "</section>\n");
}

static void put_outputs(struct explore_request *request, const uint32_t *members, const struct explore_group *row)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    uint64_t number = explore_page_number(request, "out", row->outputs);
    html_begin_section(page, "outputs", "Its single unknown outputs");
    explore_begin_table(request, "Single unknown outputs of the group; values in BTC", "output|kind|value|block");
    for (uint64_t i = (number - 1) * EXPLORE_ROWS; i < number * EXPLORE_ROWS && i < row->outputs; i++) {
        const struct forest_output *output = &forest->outputs[members[i] - request->tdags->tdags.count - 1];
        PRINT(page, "<tr><th scope=\"row\">");
        explore_put_output(request, &forest->txs[output->tx].txid, output->vout, 16);
        PRINT(page, "</th><td>%s</td><td class=\"n\">%llu.%08llu</td><td class=\"n\">",
              kind_name((enum kind)output->kind), BTC_OF(output->value_sat));
        explore_put_block(request, forest->txs[output->tx].height);
        PRINT(page, "</td></tr>\n");
    }
    explore_end_table(request);
    explore_put_pager(request, "out", number, row->outputs);
    PRINT(page, "</section>\n");
}

static void put_shared(struct explore_request *request, const struct explore_shown *shown,
                       const struct explore_group *row)
{
    uint64_t number = explore_page_number(request, "shared", row->things_count), first = (number - 1) * EXPLORE_ROWS;
    uint64_t left = row->things_count - first;
    html_begin_section(&request->page, "shared", "The keys and hashes that tie it");
    explore_begin_table(request, "Keys, hashes and preimages that tie the group, in the order of the chain",
                        EXPLORE_THING_HEADS);
    explore_put_things(request, shown, shown->things + row->first_thing + first,
                       left < EXPLORE_ROWS ? left : EXPLORE_ROWS);
    explore_end_table(request);
    explore_put_pager(request, "shared", number, row->things_count);
    PRINT(&request->page, "</section>\n");
}

enum status explore_group(struct explore_request *request, struct fault *fault)
{
    const struct explore_shown *shown;
    uint32_t group = 0;
    char name[TDAG_NAME_MAX + 1], title[TDAG_NAME_MAX + 16];
    request->by_shown = true;
    enum status status = explore_shown_get(request, &shown, fault);
    if (status == STATUS_OK)
        status = find_group(request, shown, &group, fault);
    if (status != STATUS_OK)
        return status;
    const struct explore_group *row = &shown->rows[group - 1];
    const uint32_t *members = shown->members + shown->groups.begins[group - 1];
    *tdag_put_name(&request->explore->opened.forest, &shown->groups.names, group, name) = '\0';
    snprintf(title, sizeof title, "Group %s", name);
    request->instead = "groups";
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        request->missing[r] = r != request->rules;
    explore_begin_page(request, title);
    PRINT(&request->page, "<dl>\n");
    html_fact(&request->page, "T-DAGs", row->tdags);
    html_fact(&request->page, "single unknown outputs", row->outputs);
    html_fact(&request->page, "keys and hashes that tie it", row->things_count);
    html_fact(&request->page, "first block", row->first_height);
    html_fact(&request->page, "last block", row->last_height);
    PRINT(&request->page, "</dl>\n");
    if (row->tdags > 0)
        put_tdags(request, members, row, explore_group_is_named(shown, group) ? name : NULL);
    if (row->outputs > 0)
        put_outputs(request, members + row->tdags, row);
    put_shared(request, shown, row);
    explore_put_command(request, TAKES_ALL | OF_ALL_TDAGS, "ties -o FOLDER");
    explore_end_page(request);
    return STATUS_OK;
}
