#include "cli/views/explore_changes.h"

#include <unistd.h>

#include "cli/inputs/output_folder.h"
#include "cli/output/csv.h"
#include "cli/output/outfile.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"
#include "parser/file.h"
#include "parser/mem.h"

#define HELD_MAX ((size_t)32 << 20)
#define CELLS 9u      /* up to `joined` */
#define VALUE_CELL 6u /* the first of two values */

static const char *const words[EXPLORE_CHANGES] = {"new", "grown", "merged", "shrunk", "renamed", "gone"};
static const char head[] = "dag,change,txs_before,txs,nodes_before,nodes,moved_value_sat_before,moved_value_sat,joined";

/* ---- the file ---- */

static bool cell_is(const struct csv_cell *cell, const char *word)
{
    return cell->size == strlen(word) && memcmp(cell->text, word, cell->size) == 0;
}

static unsigned word_of(const struct csv_row *row)
{
    unsigned word = 0;
    while (word < EXPLORE_CHANGES && (row->count < CELLS || !cell_is(&row->cells[1], words[word])))
        word++;
    return word;
}

/* Finds the rows twice: to count, and to note them. False: one is not as it should be. */
static bool find_rows(struct explore_changes *changes)
{
    const char *at = changes->text, *end = changes->text + changes->size;
    struct csv_row row;
    uint32_t count = 0;
    bool good = csv_next(&row, &at, end) && changes->size >= strlen(head) &&
                memcmp(changes->text, head, strlen(head)) == 0;
    for (const char *begin = at; good && csv_next(&row, &at, end); begin = at, count++) {
        unsigned word = word_of(&row);
        good = word < EXPLORE_CHANGES;
        if (!good || !changes->rows)
            continue;
        changes->rows[count] = (uint32_t)(begin - changes->text);
        changes->words[count] = (uint8_t)word;
        changes->counts[word]++;
    }
    changes->count = count;
    return good && (at == end || changes->cut);
}

static enum status read_text(int fd, uint64_t size, struct explore_changes *changes)
{
    changes->cut = size > HELD_MAX;
    size_t most = changes->cut ? HELD_MAX : (size_t)size;
    changes->text = mem_alloc(most + 1, 1);
    if (!changes->text)
        return STATUS_NOMEM;
    ssize_t got = file_read_at(fd, changes->text, most, 0);
    changes->size = got > 0 ? (size_t)got : 0;
    return STATUS_OK;
}

static enum status note_rows(struct explore_changes *changes)
{
    bool good = find_rows(changes);
    if (good) {
        changes->rows = mem_alloc(changes->count, sizeof *changes->rows);
        changes->words = mem_alloc(changes->count, sizeof *changes->words);
        if (!changes->rows || !changes->words)
            return STATUS_NOMEM;
        good = find_rows(changes);
    }
    if (!good)
        explore_changes_free(changes);
    return STATUS_OK;
}

enum status explore_changes_load(const struct settings *settings, struct explore_changes *changes, struct fault *fault)
{
    struct stat info;
    struct fault none = {0};
    int fd;
    bool hidden = settings->tables && settings->tables->manifest.rules >= RULES; /* whose store may be another now */
    if (!settings->tables || !settings->tables->path || hidden)
        return STATUS_OK;
    char *path = outfile_join(settings->tables->path, "changes.csv");
    if (!path)
        return fault_nomem(fault);
    enum status status = STATUS_OK;
    if (file_open(path, "the table of changes", &fd, &info, &none) == STATUS_OK) {
        status = read_text(fd, (uint64_t)info.st_size, changes);
        close(fd);
        if (status == STATUS_OK)
            status = note_rows(changes);
    }
    changes->rules = settings->tables->manifest.rules;
    mem_free(path);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

void explore_changes_free(struct explore_changes *changes)
{
    mem_free(changes->text);
    mem_free(changes->rows);
    mem_free(changes->words);
    *changes = (struct explore_changes){0};
}

/* ---- the pages ---- */

void explore_put_changes(struct explore_request *request)
{
    struct printer *page = &request->page;
    const struct explore_changes *changes = request->explore->changes;
    const char *rules = rules_name(changes->rules);
    if (!changes->text)
        return;
    html_begin_section(page, "changes", "Since the run before");
    PRINT(page,
          "<p>What has become of the T-DAGs of %s since the run before into this folder, as <code>changes.csv</code> "
          "says. <a href=\"/%s/changes\">All of them</a>.%s</p>\n",
          rules, rules, changes->cut ? " The file has more than is told here." : "");
    explore_begin_table(request, "T-DAGs that are not as they were", "change|T-DAGs");
    for (unsigned w = 0; w < EXPLORE_CHANGES; w++) {
        PRINT(page, "<tr><th scope=\"row\"><a href=\"/%s/changes?change=%s\">%s</a></th>", rules, words[w], words[w]);
        html_number(page, changes->counts[w]);
        PRINT(page, "</tr>\n");
    }
    explore_end_table(request);
    PRINT(page, "</section>\n");
}

static void put_number(struct printer *page, const struct csv_cell *cell)
{
    PRINT(page, "<td class=\"n\">");
    html_escaped(page, cell->text, cell->size);
    PRINT(page, "</td>");
}

/* A number of satoshi in BTC, as other pages have values; what is none stays as it is. */
static void put_btc(struct printer *page, const struct csv_cell *cell)
{
    uint64_t value_sat = 0;
    size_t i = 0;
    while (i < cell->size && i < 18 && cell->text[i] >= '0' && cell->text[i] <= '9')
        value_sat = 10 * value_sat + (uint64_t)(cell->text[i++] - '0');
    if (i == 0 || i < cell->size)
        put_number(page, cell);
    else
        PRINT(page, "<td class=\"n\">%llu.%08llu</td>", BTC_OF(value_sat));
}

static void put_row(struct explore_request *request, uint32_t number)
{
    struct printer *page = &request->page;
    const struct explore_changes *changes = request->explore->changes;
    const char *at = changes->text + changes->rows[number];
    struct csv_row row;
    if (!csv_next(&row, &at, changes->text + changes->size))
        return;
    const struct csv_cell *name = &row.cells[0];
    bool leads = changes->words[number] != EXPLORE_CHANGES - 1 && name->size > 0 && name->size <= HASH256_HEX_SIZE;
    for (size_t i = 0; i < name->size && leads; i++)
        leads = memchr("0123456789abcdef", name->text[i], 16) != NULL;
    PRINT(page, "<tr><th scope=\"row\">");
    if (leads)
        PRINT(page, "<a class=\"id\" href=\"/%s/tdag/%.*s\">", rules_name(changes->rules), (int)name->size, name->text);
    html_escaped(page, name->text, name->size);
    PRINT(page, "%s</th><td>%s</td>", leads ? "</a>" : "", words[changes->words[number]]);
    for (size_t i = 2; i < VALUE_CELL; i++)
        put_number(page, &row.cells[i]);
    for (size_t i = VALUE_CELL; i + 1 < CELLS; i++)
        put_btc(page, &row.cells[i]);
    PRINT(page, "<td class=\"script\">");
    html_escaped(page, row.cells[CELLS - 1].text, row.cells[CELLS - 1].size);
    PRINT(page, "</td></tr>\n");
}

static void put_rows(struct explore_request *request, unsigned word, uint64_t page)
{
    const struct explore_changes *changes = request->explore->changes;
    uint64_t first = (page - 1) * EXPLORE_ROWS, seen = 0;
    for (uint32_t i = 0; i < changes->count && seen < first + EXPLORE_ROWS; i++) {
        if (word < EXPLORE_CHANGES && changes->words[i] != word)
            continue;
        if (seen++ >= first)
            put_row(request, i);
    }
}

static void put_choice(struct explore_request *request, unsigned word, const char *name, bool here)
{
    PRINT(&request->page, "<li><a href=\"/%s/changes%s%s\"%s>%s</a></li>\n", rules_name(request->rules),
          word < EXPLORE_CHANGES ? "?change=" : "", word < EXPLORE_CHANGES ? name : "",
          here ? " aria-current=\"true\"" : "", name);
}

enum status explore_changed(struct explore_request *request, struct fault *fault)
{
    const struct explore_changes *changes = request->explore->changes;
    struct printer *page = &request->page;
    const char *asked = target_get(request->target, "change");
    unsigned word = 0;
    if (!changes->text || request->rules != changes->rules)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "There is no list of changes: unktx dags and unktx analyze write one when they are run again "
                         "into the same folder, for its rule set.");
    while (word < EXPLORE_CHANGES && (!asked || strcmp(asked, words[word]) != 0))
        word++;
    uint32_t count = word < EXPLORE_CHANGES ? changes->counts[word] : changes->count;
    uint64_t number = explore_page_number(request, "page", count);
    request->instead = "";
    for (unsigned r = 0; r < request->explore->rules_count; r++)
        request->missing[r] = r != request->rules;
    explore_begin_page(request, "Since the run before");
    PRINT(page, "<nav aria-label=\"Changes\"><ul class=\"pager\">\n");
    put_choice(request, EXPLORE_CHANGES, "all", word == EXPLORE_CHANGES);
    for (unsigned w = 0; w < EXPLORE_CHANGES; w++)
        put_choice(request, w, words[w], w == word);
    PRINT(page, "</ul></nav>\n");
    explore_begin_table(request, "T-DAGs that are not as they were in the run before; values in BTC",
                        "T-DAG|change|transactions before|now|nodes before|now|value moved before|now|joined");
    put_rows(request, word, number);
    explore_end_table(request);
    explore_put_pager(request, "page", number, count);
    explore_end_page(request);
    return STATUS_OK;
}
