#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"

#define CELL_MAX 800u /* bytes of a text of --known-scripts: a page is below 200 KB */

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
    PRINT(page, "<td class=\"about\">");
    html_cut(page, known->what, strlen(known->what), CELL_MAX);
    PRINT(page, "</td><td>");
    html_cut(page, known->first_seen, strlen(known->first_seen), CELL_MAX);
    PRINT(page, "</td><td class=\"script\">");
    html_cut(page, known->source, strlen(known->source), CELL_MAX);
    PRINT(page, "</td></tr>\n");
}

/* Those that are scripts, in the order of their names. */
static size_t list_scripts(const struct catalogue *catalogue, size_t out[CATALOGUE_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < catalogue->count; i++) {
        if (!catalogue_is_protocol(catalogue, catalogue->by_name[i]))
            out[count++] = catalogue->by_name[i];
    }
    return count;
}

enum status explore_known_scripts(struct explore_request *request, struct fault *fault)
{
    size_t scripts[CATALOGUE_MAX];
    uint64_t count = list_scripts(&request->explore->opened.catalogue, scripts);
    uint64_t page = explore_page_number(request, "page", count);
    (void)fault;
    explore_begin_page(request, "Known scripts");
    PRINT(&request->page,
          "<p>Scripts that are known by name, and how many T-DAGs have an unknown output with one. Names "
          "lead to these T-DAGs. In <code>tdags.csv</code> the column <code>scripts</code> has them.</p>\n");
    explore_begin_table(request, "Known scripts", "name|T-DAGs|what it is|first seen|source");
    for (uint64_t i = (page - 1) * EXPLORE_ROWS; i < page * EXPLORE_ROWS && i < count; i++)
        put_row(request, scripts[i]);
    explore_end_table(request);
    explore_put_pager(request, "page", page, count);
    explore_put_command(request, TAKES_ALL, "dags -o FOLDER");
    explore_end_page(request);
    return STATUS_OK;
}
