#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"

/* How many T-DAGs hold each known script, counted when the rule set was loaded. */
static void put_row(struct explore_request *request, size_t entry)
{
    struct printer *page = &request->page;
    const struct known_script *known = &request->explore->opened.catalogue.entries[entry];
    struct name_set name = {{0}};
    name_set_add(&name, entry);
    PRINT(page, "<tr><th scope=\"row\">");
    if (request->tdags->holding[entry] > 0)
        explore_put_names(request, &name, 1);
    else
        html_escaped(page, known->name, strlen(known->name));
    PRINT(page, "</th>");
    html_number(page, request->tdags->holding[entry]);
    PRINT(page, "<td>");
    html_escaped(page, known->what, strlen(known->what));
    PRINT(page, "</td><td>");
    html_escaped(page, known->first_seen, strlen(known->first_seen));
    PRINT(page, "</td><td class=\"script\">");
    html_escaped(page, known->source, strlen(known->source));
    PRINT(page, "</td></tr>\n");
}

enum status explore_known_scripts(struct explore_request *request, struct fault *fault)
{
    const struct catalogue *catalogue = &request->explore->opened.catalogue;
    (void)fault;
    explore_begin_page(request, "Known scripts");
    PRINT(&request->page,
          "<p>Scripts that are known by name, and how many T-DAGs have an unknown output with one. Names "
          "lead to these T-DAGs.</p>\n");
    explore_begin_table(request, "Known scripts", "name|T-DAGs|what it is|first seen|source");
    for (size_t i = 0; i < catalogue->count; i++) {
        if (!catalogue_is_protocol(catalogue, catalogue->by_name[i]))
            put_row(request, catalogue->by_name[i]);
    }
    explore_end_table(request);
    explore_put_command(request, TAKES_RULES | TAKES_CHAIN | TAKES_SCRIPTS, "templates");
    explore_end_page(request);
    return STATUS_OK;
}
