#include "cli/views/explore_drawing.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/views/explore_page.h"
#include "cli/views/explore_payments.h"
#include "cli/views/html.h"
#include "cli/views/svg.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

/* ---- what is opened ---- */

static enum status tell_missing(struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "The drawing of this T-DAG has no such part.");
}

/* The next number of the list, up to four digits, and the dot after it. */
static bool take_number(const char **at, uint32_t *number)
{
    const char *p = *at;
    for (*number = 0; *p >= '0' && *p <= '9' && p - *at < 4; p++)
        *number = 10 * *number + (uint32_t)(*p - '0');
    if (p == *at || (*p != '.' && *p != '\0') || (*p == '.' && !p[1]))
        return false;
    *at = p + (*p == '.');
    return true;
}

/* Of a part the scope becomes its largest connected component. */
static enum status enter(struct explore *explore, struct explore_drawing *drawing, struct fault *fault)
{
    uint32_t *numbers = mem_alloc(drawing->members_count, sizeof *numbers);
    if (!numbers)
        return fault_nomem(fault);
    explore_drawn_leave(explore, drawing->made);
    drawing->made = NULL;
    drawing->scope.made = NULL;
    if (drawing->members)
        memcpy(numbers, drawing->members, drawing->members_count * sizeof *numbers);
    uint32_t count = drawing_keep_component(drawing->scope.forest, drawing->scope.rules, numbers,
                                            drawing->members_count);
    mem_free(drawing->numbers);
    drawing->numbers = numbers;
    drawing->scope.numbers = numbers;
    drawing->scope.count = count;
    return count == FOREST_NONE ? fault_nomem(fault) : STATUS_OK;
}

/* The drawing of the scope as it is now. */
static enum status draw(const struct explore_request *request, struct explore_drawing *drawing, struct fault *fault)
{
    if (drawing->made)
        return STATUS_OK;
    enum status status = explore_drawn_get(request->explore, drawing->dag, drawing->drawn, &drawing->scope,
                                           &drawing->made, fault);
    drawing->scope.made = explore_drawn_drawing(drawing->made);
    return status;
}

static enum status open_vertex(const struct explore_request *request, struct explore_drawing *drawing, uint32_t number,
                               struct fault *fault)
{
    enum status status = draw(request, drawing, fault);
    if (status != STATUS_OK)
        return status;
    const struct drawing *made = drawing->scope.made;
    if (number >= made->vertices_count || made->vertices[number].count == 0)
        return tell_missing(fault);
    mem_free(drawing->members);
    drawing->members = NULL;
    drawing->opened = true;
    drawing->vertex = made->vertices[number];
    status = drawing_members(&drawing->scope, made, number, &drawing->members, &drawing->members_count);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

enum status explore_drawing_open(const struct explore_request *request, uint32_t dag, struct explore_drawing *drawing,
                                 struct fault *fault)
{
    const char *open = target_get(request->target, "open"), *at = open;
    enum status status = STATUS_OK;
    drawing->dag = dag;
    drawing->scope = drawing_of_tdag(&request->explore->opened.forest, &request->tdags->tdags, dag);
    if (!open || !*open) {
        status = draw(request, drawing, fault);
        return status == STATUS_BUSY ? STATUS_OK : status;
    }
    if (strlen(open) >= sizeof drawing->asked)
        return tell_missing(fault);
    memcpy(drawing->asked, open, strlen(open) + 1);
    for (unsigned step = 0; *at && status == STATUS_OK; step++) {
        uint32_t number;
        bool may = step < OPENED_STEPS && (step == 0 || drawing->vertex.type == VERTEX_PART);
        status = may && take_number(&at, &number) ? open_vertex(request, drawing, number, fault) : tell_missing(fault);
        if (status != STATUS_OK || drawing->vertex.type != VERTEX_PART)
            continue;
        status = enter(request->explore, drawing, fault);
        snprintf(drawing->drawn, sizeof drawing->drawn, "%.*s", (int)(at - open) - (*at != '\0'), open);
    }
    return status == STATUS_OK ? draw(request, drawing, fault) : status;
}

void explore_drawing_free(struct explore *explore, struct explore_drawing *drawing)
{
    explore_drawn_leave(explore, drawing->made);
    mem_free(drawing->numbers);
    mem_free(drawing->members);
    drawing->numbers = drawing->members = NULL;
}

/* ---- the section ---- */

/* "the whole T-DAG, part 17, sign 4: root, times 12". The query has been read: numbers and dots. */
static void put_way(struct explore_request *request, const struct explore_drawing *drawing)
{
    struct printer *page = &request->page;
    char address[EXPLORE_TDAG_SIZE];
    PRINT(page,
          "<nav aria-label=\"Opened parts\"><ul class=\"pager\">\n<li><a href=\"/%s/%s#drawing\">the whole "
          "T-DAG</a></li>\n",
          rules_name(request->rules), explore_tdag_address(request, drawing->dag, address));
    for (const char *at = drawing->asked, *end; *at; at = end + (*end == '.')) {
        end = at + strcspn(at, ".");
        if (*end)
            PRINT(page, "<li><a href=\"?open=%.*s#drawing\">part %.*s</a></li>\n", (int)(end - drawing->asked),
                  drawing->asked, (int)(end - at), at);
        else
            PRINT(page, "<li aria-current=\"true\">%s %s: ", drawing->vertex.type == VERTEX_PART ? "part" : "sign", at);
    }
    svg_put_label(page, &drawing->vertex);
    PRINT(page, "</li>\n</ul></nav>\n");
}

static void put_opened(struct explore_request *request, const struct explore_drawing *drawing)
{
    struct printer *page = &request->page;
    const struct drawing_vertex *vertex = &drawing->vertex;
    char number[2][GROUPED_SIZE];
    put_way(request, drawing);
    PRINT(page, "<p>Opened: %s nodes of <a href=\"#transactions\">%s transaction%s, in the table below</a>",
          grouped(number[0], vertex->count), grouped(number[1], drawing->members_count),
          drawing->members_count == 1 ? "" : "s");
    if (vertex->type == VERTEX_PART && vertex->components > 1)
        PRINT(page, "; drawn is the largest of %s connected components", grouped(number[0], vertex->components));
    PRINT(page, "%s",
          vertex->type == VERTEX_PART ? ". Levels, longest path and heaviest flow are those of what is drawn.</p>\n"
                                      : ". They have the same depth, and most often the same role.</p>\n");
}

/* Payers at the left of the drawing, payees at its right. */
static enum status put_side(struct explore_request *request, const struct explore_drawing *drawing, bool payers,
                            struct fault *fault)
{
    const struct tdags *tdags = &request->tdags->tdags;
    uint64_t first = tdags->first[drawing->dag - 1];
    return drawing->opened ? explore_put_valuable(request, payers, drawing->members, drawing->members_count, fault)
                           : explore_put_valuable(request, payers, tdags->members + first,
                                                  (uint32_t)(tdags->first[drawing->dag] - first), fault);
}

static enum status begin_sides(struct explore_request *request, const struct explore_drawing *drawing,
                               struct fault *fault)
{
    if (!request->explore->linked)
        return STATUS_OK;
    PRINT(&request->page, "<div class=\"sides\">\n");
    enum status status = put_side(request, drawing, true, fault);
    PRINT(&request->page, "<div class=\"middle\">\n");
    return status;
}

static enum status end_sides(struct explore_request *request, const struct explore_drawing *drawing,
                             struct fault *fault)
{
    if (!request->explore->linked)
        return STATUS_OK;
    PRINT(&request->page, "</div>\n");
    enum status status = put_side(request, drawing, false, fault);
    PRINT(&request->page, "</div>\n");
    return status;
}

static enum status put_picture(struct explore_request *request, const struct explore_drawing *drawing,
                               struct fault *fault)
{
    struct printer *page = &request->page;
    char tx[48], open[OPENED_TEXT + 16], title[TDAG_NAME_MAX + 32], name[TDAG_NAME_MAX + 1];
    const struct svg_links links = {.tx = tx, .open = open, .open_end = "#drawing"};
    if (explore_drawn_put(request->explore, drawing->made, DRAWN_PICTURE, page))
        return STATUS_OK;
    snprintf(tx, sizeof tx, "/%s/tx/", rules_name(request->rules));
    snprintf(open, sizeof open, "?open=%s%s", drawing->drawn, drawing->drawn[0] ? "." : "");
    *tdag_put_name(&request->explore->opened.forest, &request->tdags->tdags, drawing->dag, name) = '\0';
    snprintf(title, sizeof title, "%sT-DAG %s.", drawing->drawn[0] ? "Part of " : "", name);
    size_t before = page->text.size;
    enum status status = svg_part(page, &drawing->scope, &svg_large, title, &links, fault);
    if (status == STATUS_OK)
        explore_drawn_keep(request->explore, drawing->made, DRAWN_PICTURE, page, before);
    return status;
}

enum status explore_drawing_put(struct explore_request *request, const struct explore_drawing *drawing,
                                struct fault *fault)
{
    struct printer *page = &request->page;
    html_begin_section(page, "drawing", "Drawing");
    PRINT(page, "<p>Edges lead down. A sign of one transaction leads to it, any other opens what it stands for.</p>\n");
    if (drawing->opened)
        put_opened(request, drawing);
    if (!drawing->made) {
        PRINT(page, "<p class=\"loading\" role=\"status\">The drawing is being made. <a href=\"\">Ask again</a></p>\n");
        return STATUS_OK;
    }
    svg_legend(page);
    enum status status = begin_sides(request, drawing, fault);
    explore_begin_drawing(request);
    if (status == STATUS_OK)
        status = put_picture(request, drawing, fault);
    PRINT(page, "</div>\n");
    return status == STATUS_OK ? end_sides(request, drawing, fault) : status;
}
