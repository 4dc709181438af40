#include "cli/views/report_shown.h"

#include "graph/dag/names.h"
#include "parser/mem.h"

static enum status find(struct spenders *spenders, struct evidence_set *set, struct shown_evidence *collected,
                        const struct selection *selection, struct report_shown *shown, struct fault *fault)
{
    struct unlocks unlocks = {.spenders = spenders, .shown = collected};
    enum status status = shown_evidence_open(spenders->store, spenders->threads, NULL, set, collected, fault);
    if (status == STATUS_OK)
        status = unlocks_write(&unlocks, &selection->tdags, NULL, NULL, fault);
    if (status == STATUS_OK)
        shown->unread = unlocks_tell_unread(&unlocks);
    if (status == STATUS_OK)
        status = shown_evidence_end(collected, fault);
    if (status == STATUS_OK)
        status = groups_find(set, TIES_MAX_DEGREE, &shown->groups, fault);
    if (status == STATUS_OK)
        status = tdags_name(spenders->forest, &shown->groups.names, fault);
    if (status == STATUS_OK) {
        shown->unlocks = unlocks.counts;
        unlocks.counts = NULL;
    }
    unlocks_close(&unlocks);
    return status;
}

enum status report_shown_find(const struct settings *settings, const struct store *store, const struct forest *forest,
                              const struct selection *selection, struct report_shown *shown, struct fault *fault)
{
    struct spenders spenders = {0};
    struct evidence_set set = {0};
    struct shown_evidence collected = {0};
    *shown = (struct report_shown){0};
    enum status status = spenders_open_if_there(settings, store, forest, &spenders, fault);
    shown->unread = status == STATUS_OK && !spenders_are_there(&spenders);
    if (status == STATUS_OK && !shown->unread) {
        evidence_begin(forest, &selection->tdags, store_seed(store), &set);
        status = find(&spenders, &set, &collected, selection, shown, fault);
    }
    shown_evidence_close(&collected);
    evidence_free(&set);
    spenders_close(&spenders);
    return status;
}

static void free_kept(void *kept)
{
    report_shown_free(kept);
    mem_free(kept);
}

void report_shown_keep(struct outfolder *folder, struct unlocks *unlocks, struct ties *ties)
{
    struct report_shown *kept = folder ? mem_alloc(1, sizeof *kept) : NULL;
    if (!kept)
        return;
    *kept = (struct report_shown){.unlocks = unlocks->counts, .groups = ties->groups};
    unlocks->counts = NULL;
    ties->groups = (struct groups){0};
    outfolder_keep(folder, kept, free_kept);
}

bool report_shown_take(struct outfolder *folder, struct report_shown *shown)
{
    struct report_shown *kept = outfolder_kept(folder);
    if (!kept)
        return false;
    *shown = *kept;
    *kept = (struct report_shown){0};
    return true;
}

void report_shown_free(struct report_shown *shown)
{
    mem_free(shown->unlocks);
    groups_free(&shown->groups);
    *shown = (struct report_shown){0};
}
