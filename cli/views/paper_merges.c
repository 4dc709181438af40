#include "cli/views/paper_merges.h"

#include "cli/views/tables.h"

static bool merges(const struct paper_classes *paper, uint32_t class)
{
    return paper->first[class] == class && paper->next[class] != PAPER_NONE;
}

void paper_merges_json(struct printer *printer, const struct paper_classes *paper, const struct classes *classes)
{
    const char *before = "\n";
    PRINT(printer, "{\n      \"classes\": %llu,\n      \"tdags_without\": %llu,\n      \"merged\": [",
          ULL(paper->count), ULL(paper->open));
    for (uint32_t i = 0; i < paper->classes_count; i++) {
        if (!merges(paper, i))
            continue;
        for (uint32_t c = i; c != PAPER_NONE; c = paper->next[c]) {
            char id[CLASS_ID_TEXT + 1] = "";
            put_class_id(id, classes->classes[c].class_id, true);
            if (c == i)
                PRINT(printer, "%s        [\"%s\"", before, id);
            else
                PRINT(printer, ", \"%s\"", id);
        }
        PRINT(printer, "]");
        before = ",\n";
    }
    PRINT(printer, "\n      ]\n    }");
}

#define GROUPS_SHOWN 10u
#define IDS_SHOWN 4u /* and how many more: 80 columns, however many */
#define ID_DIGITS 12

static void put_group(struct printer *printer, const struct paper_classes *paper, const struct classes *classes,
                      uint32_t class)
{
    uint32_t count = 0;
    for (uint32_t c = class; c != PAPER_NONE; c = paper->next[c]) {
        char id[CLASS_ID_TEXT + 1] = "";
        put_class_id(id, classes->classes[c].class_id, true);
        if (count++ < IDS_SHOWN)
            PRINT(printer, "%s%.*s", c == class ? "  " : " = ", ID_DIGITS, id);
    }
    if (count > IDS_SHOWN)
        PRINT(printer, " +%u", (unsigned)(count - IDS_SHOWN));
    PRINT(printer, "\n");
}

void paper_merges_print(struct printer *printer, const struct paper_classes *paper, const struct classes *classes)
{
    char cells[2][GROUPED_SIZE];
    uint32_t groups = paper_classes_merging(paper), shown = 0;
    PRINT(printer, "\nBy the paper's equality (its Definitions 11 and 12) the %s class%s %s %s.\n",
          grouped(cells[0], classes->classes_count), classes->classes_count == 1 ? "" : "es",
          classes->classes_count == 1 ? "is" : "are", grouped(cells[1], paper->count));
    if (paper->open > 0)
        PRINT(printer, "Not counted are T-DAGs for which it was not worked out: %s\n", grouped(cells[0], paper->open));
    PRINT(printer, groups > 0 ? "These are one to it:\n" : "It merges none of them.\n");
    for (uint32_t i = 0; i < paper->classes_count && shown < GROUPS_SHOWN; i++) {
        if (!merges(paper, i))
            continue;
        put_group(printer, paper, classes, i);
        shown++;
    }
    if (groups > shown)
        PRINT(printer, "  and %s more: equal cells of paper_class in classes.csv (-o)\n",
              grouped(cells[0], groups - shown));
}
