#include "cli/inputs/provenance.h"
#include "cli/views/report.h"
#include "parser/mem.h"

/* The page's folder may have tables of another rule set, of other options, or of a time before. */
static bool is_same(const struct report *report, const struct datapackage_provenance *provenance)
{
    const struct manifest *beside = &report->beside;
    return beside->has_tip && hash256_equal(&beside->tip, &provenance->tip) && !manifest_difference(beside, provenance);
}

enum status report_find_sources(struct report *report, struct fault *fault)
{
    const struct settings *settings = report->settings;
    struct datapackage_provenance provenance = {0};
    struct fault none = {0};
    if (settings->folder || !settings->out || strcmp(settings->out, "-") == 0)
        return STATUS_OK;
    const char *slash = strrchr(settings->out, '/');
    size_t size = slash ? (size_t)(slash - settings->out) + 1 : 0;
    char *folder = mem_alloc(size + 2, 1);
    if (!folder)
        return fault_nomem(fault);
    memcpy(folder, slash ? settings->out : ".", size > 0 ? size : 1);
    /* the version is not compared */
    enum status status = provenance_of_settings(settings, "", &provenance, fault);
    if (status == STATUS_OK) {
        provenance_add_store(&provenance, report->opened.store, &report->opened.forest);
        provenance.rules = report->rules;
        if (manifest_read(folder, &report->beside, &none) != STATUS_OK || !is_same(report, &provenance))
            report->beside.files_count = 0;
    }
    provenance_free(&provenance);
    mem_free(folder);
    return status;
}

bool report_has_source(const struct report *report, const char *file)
{
    return report->settings->folder || manifest_find(&report->beside, file);
}

void report_source(struct report *report, const char *file, const char *columns)
{
    if (report_has_source(report, file))
        PRINT(&report->printer, "<p class=\"source\">Numbers from <a href=\"%s\">%s</a>: %s.</p>\n", file, file,
              columns);
    else
        PRINT(&report->printer, "<p class=\"source\">Numbers from the store, as in %s: %s.</p>\n", file, columns);
}
