#include "cli/views/explore_names.h"

#include "cli/views/html.h"
#include "parser/search.h"
#include "parser/sha256.h"

static const char cut_mark[] = "\xe2\x80\xa6"; /* an ellipsis */

/* ---- long labels ---- */

/* Bytes of its beginning, with no part of a character at the end. */
static size_t part_of(const char *label)
{
    size_t size = LABEL_PART;
    while (size > 0 && ((unsigned char)label[size] & 0xc0) == 0x80)
        size--;
    return size;
}

void explore_label_value(char out[EXPLORE_LABEL_SIZE], const char *label)
{
    size_t size = strlen(label), part = size > LABEL_WHOLE ? part_of(label) : size;
    uint8_t hash[32];
    char *end = out + part;
    memcpy(out, label, part);
    if (part < size) {
        sha256((const uint8_t *)label, size, hash);
        end = put_hex(put_text(end, cut_mark), hash, LABEL_DIGITS / 2);
    }
    *end = '\0';
}

static bool has_value(const char *label, const char *value)
{
    char own[EXPLORE_LABEL_SIZE];
    explore_label_value(own, label);
    return strcmp(own, value) == 0;
}

bool explore_label_find(const struct address_labels *labels, const char *value, uint32_t *id)
{
    const char *mark = strstr(value, cut_mark);
    size_t part = mark ? (size_t)(mark - value) : 0;
    if (address_labels_id(labels, value, id))
        return true;
    if (part == 0 || part > LABEL_PART || strlen(mark) != sizeof cut_mark - 1 + LABEL_DIGITS)
        return false;
    size_t first = LOWER_BOUND(i, 0, labels->names_count, strncmp(labels->names[i], value, part) < 0);
    for (size_t i = first; i < labels->names_count && strncmp(labels->names[i], value, part) == 0; i++) {
        if (!has_value(labels->names[i], value))
            continue;
        *id = (uint32_t)i;
        return true;
    }
    return false;
}

/* ---- links ---- */

static void put_rest(struct explore_request *request, size_t count, size_t most)
{
    char number[GROUPED_SIZE];
    if (count > most)
        PRINT(&request->page, ", and %s more", grouped(number, count - most));
}

void explore_put_names(struct explore_request *request, const struct name_set *names, size_t most)
{
    const struct catalogue *catalogue = &request->explore->opened.catalogue;
    size_t count = 0;
    for (size_t i = 0; i < catalogue->count; i++) {
        size_t entry = catalogue->by_name[i];
        char name[3 * CATALOGUE_NAME_MAX + 1];
        if (!name_set_has(names, entry) || count++ >= most)
            continue;
        *target_put(name, catalogue->entries[entry].name) = '\0';
        PRINT(&request->page, "%s<a href=\"/%s/tdags?script=%s\">", count > 1 ? " " : "", rules_name(request->rules),
              name);
        html_escaped(&request->page, catalogue->entries[entry].name, strlen(catalogue->entries[entry].name));
        PRINT(&request->page, "</a>");
    }
    put_rest(request, count, most);
}

void explore_put_label(struct explore_request *request, uint32_t id)
{
    const char *label = request->explore->opened.labels.names[id];
    size_t size = strlen(label), part = size > LABEL_WHOLE ? part_of(label) : size;
    char value[EXPLORE_LABEL_SIZE], encoded[3 * EXPLORE_LABEL_SIZE];
    explore_label_value(value, label);
    *target_put(encoded, value) = '\0';
    PRINT(&request->page, "<a href=\"/%s/tdags?label=%s\">", rules_name(request->rules), encoded);
    html_escaped(&request->page, label, part);
    PRINT(&request->page, "%s</a>", part < size ? cut_mark : "");
}

void explore_put_span(struct explore_request *request, const struct address_labels *labels,
                      const struct label_span *span, size_t most)
{
    for (size_t i = 0; i < span->count && i < most; i++) {
        PRINT(&request->page, "%s", i > 0 ? ", " : "");
        explore_put_label(request, address_labels_id_at(labels, span, i));
    }
    put_rest(request, span->count, most);
}

void explore_put_labels_cell(struct explore_request *request, uint32_t dag)
{
    const struct dag_labels *labels = &request->tdags->labels;
    if (request->explore->opened.labels.count == 0)
        return;
    PRINT(&request->page, "<td class=\"names\">");
    if (dag > 0) {
        const struct label_span span = dag_labels_of(labels, dag);
        explore_put_span(request, labels->labels, &span, EXPLORE_LABELS_MOST);
    }
    PRINT(&request->page, "</td>");
}
