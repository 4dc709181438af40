#include "cli/views/explore_names.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"

enum status explore_labels(struct explore_request *request, struct fault *fault)
{
    const struct address_labels *labels = &request->explore->opened.labels;
    struct printer *page = &request->page;
    if (labels->count == 0)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "There are no labels: unktx explore takes them from the files of --labels.");
    uint64_t number = explore_page_number(request, "page", labels->names_count);
    explore_begin_page(request, "Labels");
    PRINT(page,
          "<p>Whom T-DAGs have to do with, as the files of --labels say: labels of their payers and payees%s, and "
          "those that are given to a T-DAG or to one of its transactions. A label leads to its T-DAGs.</p>\n",
          request->explore->linked ? "" : " (which an index would tell)");
    explore_begin_table(request, "Labels", "label|T-DAGs");
    for (uint64_t i = (number - 1) * EXPLORE_ROWS; i < number * EXPLORE_ROWS && i < labels->names_count; i++) {
        PRINT(page, "<tr><th scope=\"row\">");
        explore_put_label(request, (uint32_t)i);
        PRINT(page, "</th>");
        html_number(page, request->tdags->labelled[i]);
        PRINT(page, "</tr>\n");
    }
    explore_end_table(request);
    explore_put_pager(request, "page", number, labels->names_count);
    explore_put_command(request, TAKES_ALL, "dags -o FOLDER");
    explore_end_page(request);
    return STATUS_OK;
}
