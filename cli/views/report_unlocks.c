#include "cli/views/html.h"
#include "cli/views/report.h"
#include "graph/dag/names.h"

/* ---- since the run before ---- */

void report_changes(struct report *report)
{
    struct printer *printer = &report->printer;
    struct folder_changes changes = outfolder_changes(report->settings->folder);
    if (!changes.known)
        return;
    html_begin_section(printer, "changes", "Since the run before");
    PRINT(printer, "<p>What has become of the T-DAGs since the run before into this folder.</p>\n<dl>\n");
    html_fact(printer, "new", changes.new);
    html_fact(printer, "grown", changes.grown);
    html_fact(printer, "merged", changes.merged);
    html_fact(printer, "shrunk", changes.shrunk);
    html_fact(printer, "renamed", changes.renamed);
    html_fact(printer, "gone", changes.gone);
    PRINT(printer, "</dl>\n");
    report_source(report, "changes.csv", "a row for each of them");
    PRINT(printer, "</section>\n");
}

/* ---- groups ---- */

/* Members of a group come T-DAGs first, in ascending order: single outputs have larger numbers. */
static uint32_t tdags_of(const struct report *report, uint32_t group)
{
    const struct groups *groups = &report->shown.groups;
    uint32_t tdags = 0;
    for (uint32_t i = groups->begins[group - 1]; i < groups->begins[group]; i++)
        tdags += groups->in_group[i] <= report->opened.selection.tdags.count;
    return tdags;
}

void report_choose_groups(struct report *report)
{
    uint32_t found = 0;
    for (uint32_t g = 1; report->shown.unlocks && g <= report->shown.groups.count; g++) {
        uint32_t tdags = tdags_of(report, g), at = found;
        while (at > 0 && tdags > report->groups[at - 1].tdags)
            at--;
        if (at == REPORT_GROUPS)
            continue;
        found += found < REPORT_GROUPS;
        memmove(report->groups + at + 1, report->groups + at, (found - 1 - at) * sizeof *report->groups);
        report->groups[at] = (struct report_group){.group = g, .tdags = tdags};
    }
    report->groups_count = found;
}

static void put_group(struct report *report, const struct report_group *listed)
{
    struct printer *printer = &report->printer;
    const struct groups *groups = &report->shown.groups;
    uint32_t begin = groups->begins[listed->group - 1], members = groups->begins[listed->group] - begin;
    char name[TDAG_NAME_MAX + 1];
    *tdag_put_name(&report->opened.forest, &groups->names, listed->group, name) = '\0';
    PRINT(printer, "<tr id=\"group-%u\"><td class=\"n\">%u</td><td><code class=\"hash\">%s</code></td>",
          (unsigned)listed->group, (unsigned)listed->group, name);
    html_number(printer, listed->tdags);
    html_number(printer, members - listed->tdags);
    PRINT(printer, "<td>");
    report_put_listed(report, groups->in_group + begin, members);
    PRINT(printer, "</td></tr>\n");
}

static const char *why_not_known(const struct report *report)
{
    return report->rules == RULES_HIDDEN ? "it is not told of the rule set hidden, whose outputs open hidden scripts; "
                                           "one of Core has it."
                                         : "the blk files were not read.";
}

void report_groups(struct report *report)
{
    struct printer *printer = &report->printer;
    char number[GROUPED_SIZE];
    html_begin_section(printer, "groups", "Groups");
    PRINT(printer,
          "<p>T-DAGs and single unknown outputs that show the same key, hash or preimage are in one "
          "group.%s%s</p>\n",
          report->shown.unlocks ? "" : " They are not known: ", report->shown.unlocks ? "" : why_not_known(report));
    if (report->shown.unlocks) {
        PRINT(printer, "<p><b>%u of %s groups</b>, those with the most T-DAGs. groups.csv has all.</p>\n",
              (unsigned)report->groups_count, grouped(number, report->shown.groups.count));
        html_begin_table(printer, "Groups of tied T-DAGs and single outputs",
                         "group|name|T-DAGs|single outputs|T-DAGs listed here");
        for (uint32_t g = 0; g < report->groups_count; g++)
            put_group(report, &report->groups[g]);
        html_end_table(printer);
        report_source(report, "groups.csv", "a row for each; <code>ties.csv</code> has what ties them");
    }
    PRINT(printer, "</section>\n");
}

/* ---- how outputs were unlocked ---- */

static void put_unlocks(struct report *report)
{
    struct printer *printer = &report->printer;
    uint64_t counts[UNLOCKS] = {0}, sum = 0, unread = 0;
    char number[GROUPED_SIZE];
    for (uint32_t d = 1; d <= report->opened.selection.tdags.count; d++) {
        unread += report->shown.unlocks[d].unread;
        for (unsigned u = 0; u < UNLOCKS; u++)
            counts[u] += report->shown.unlocks[d].of[u];
    }
    for (unsigned u = 0; u < UNLOCKS; u++)
        sum += counts[u];
    html_begin_table(printer, "Spent unknown outputs of T-DAGs by how they were unlocked", "unlocked by|outputs|share");
    for (unsigned u = 0; u < UNLOCKS; u++) {
        PRINT(printer, "<tr><th scope=\"row\">%s</th>", unlock_name((enum unlock_by)u));
        html_number(printer, counts[u]);
        PRINT(printer, "<td class=\"n\">%.4f</td></tr>\n", sum > 0 ? (double)counts[u] / (double)sum : 0.0);
    }
    html_end_table(printer);
    if (unread > 0)
        PRINT(printer, "<p>Not all spenders could be read in so many T-DAGs: %s.</p>\n", grouped(number, unread));
}

void report_unlocks(struct report *report)
{
    struct printer *printer = &report->printer;
    html_begin_section(printer, "unlocks", "How outputs were unlocked");
    PRINT(printer,
          "<p>By what the spender of each spent unknown output showed; the manual page unktx-unlocks says what "
          "the words mean.</p>\n");
    if (report->shown.unlocks)
        put_unlocks(report);
    else
        PRINT(printer, "<p>This is not known: %s</p>\n", why_not_known(report));
    if (report->shown.unlocks)
        report_source(report, "unlocks.csv", "a row for each spent unknown output");
    PRINT(printer, "</section>\n");
}
