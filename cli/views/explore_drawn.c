#include "cli/views/explore_drawn.h"

#include <limits.h>

#include "cli/views/explore_drawing.h"
#include "cli/views/explore_job.h"
#include "cli/views/svg.h"
#include "parser/mem.h"

struct explore_drawn {
    struct explore_job job; /* first */
    struct explore_drawn *next;
    unsigned users;
    bool is_kept; /* in the list; else its one user's */
    uint32_t dag;
    char path[OPENED_TEXT];
    struct drawing_scope scope;
    uint32_t *numbers; /* of the scope, where they are not the T-DAG's own */
    struct fault fault;
    struct drawing drawing;
    struct text parts[DRAWN_PARTS]; /* empty: not made yet; once made they stay as they are */
};

static void drawn_free(struct explore_drawn *drawn)
{
    drawing_free(&drawn->drawing);
    for (unsigned i = 0; i < DRAWN_PARTS; i++)
        text_free(&drawn->parts[i]);
    mem_free(drawn->numbers);
    mem_free(drawn);
}

/* The thread has ended, or does so now. */
static void end(struct explore_drawn *drawn)
{
    explore_job_end(&drawn->job);
    drawn_free(drawn);
}

static enum status make(struct explore_job *job)
{
    struct explore_drawn *drawn = (struct explore_drawn *)job;
    return drawing_make(&drawn->scope, &svg_large, &drawn->drawing, &drawn->fault);
}

/* NULL without memory. */
static struct explore_drawn *drawn_new(struct explore *explore, uint32_t dag, const char *path,
                                       const struct drawing_scope *scope)
{
    struct explore_drawn *drawn = mem_alloc(1, sizeof *drawn);
    if (!drawn)
        return NULL;
    drawn->job.explore = explore;
    drawn->job.work = make;
    drawn->dag = dag;
    drawn->scope = *scope;
    drawn->users = 1;
    memcpy(drawn->path, path, strlen(path) + 1); /* shorter than OPENED_TEXT */
    return drawn;
}

/* ---- those that are kept ---- */

/* With explore->lock held: it goes to the front. One that failed is no answer. */
static struct explore_drawn *find(struct explore *explore, uint32_t dag, const char *path, enum rules rules)
{
    for (struct explore_drawn **at = &explore->drawn; *at; at = &(*at)->next) {
        struct explore_drawn *drawn = *at;
        if (drawn->dag != dag || drawn->scope.rules != rules || strcmp(drawn->path, path) != 0 ||
            explore_job_failed(&drawn->job))
            continue;
        *at = drawn->next;
        drawn->next = explore->drawn;
        explore->drawn = drawn;
        return drawn;
    }
    return NULL;
}

/* Of one that is being made, what is known. */
static size_t bytes_of(const struct explore_drawn *drawn)
{
    const struct drawing *drawing = &drawn->drawing;
    size_t each = sizeof *drawing->blocks + (drawn->numbers ? sizeof *drawn->numbers : 0);
    size_t bytes = sizeof *drawn + drawn->scope.count * each;
    for (unsigned i = 0; i < DRAWN_PARTS; i++)
        bytes += drawn->parts[i].size;
    return drawn->job.done ? bytes + drawing->vertices_count * sizeof *drawing->vertices +
                                 drawing->arcs_count * (2 * sizeof *drawing->from + sizeof *drawing->marks)
                           : bytes;
}

/* With explore->lock held: those that failed go, and the oldest. False: another one is being made, or there are too
 * many that pages use. */
static bool make_room(struct explore *explore)
{
    size_t bytes = 0, used = 0;
    bool running = false;
    for (struct explore_drawn **at = &explore->drawn; *at;) {
        struct explore_drawn *drawn = *at;
        bool failed = explore_job_failed(&drawn->job);
        bytes += bytes_of(drawn);
        used += drawn->users > 0 ? bytes_of(drawn) : 0;
        running |= !drawn->job.done;
        if (!drawn->job.done || drawn->users > 0 || (!failed && bytes <= explore->drawn_bytes)) {
            at = &drawn->next;
            continue;
        }
        *at = drawn->next;
        end(drawn);
    }
    return !running && used <= explore->drawn_bytes;
}

/* With explore->lock held. */
static enum status begin(struct explore *explore, uint32_t dag, const char *path, const struct drawing_scope *scope,
                         struct explore_drawn **begun)
{
    struct explore_drawn *drawn = drawn_new(explore, dag, path, scope);
    if (!drawn)
        return STATUS_NOMEM;
    drawn->is_kept = true;
    drawn->users = 0;
    if (*path) {
        drawn->numbers = mem_alloc(scope->count, sizeof *drawn->numbers);
        drawn->scope.numbers = drawn->numbers;
    }
    if (drawn->numbers)
        memcpy(drawn->numbers, scope->numbers, scope->count * sizeof *drawn->numbers);
    if ((*path && !drawn->numbers) || explore_job_begin(&drawn->job) != STATUS_OK) {
        drawn_free(drawn);
        return STATUS_NOMEM;
    }
    drawn->next = explore->drawn;
    explore->drawn = drawn;
    *begun = drawn;
    return STATUS_OK;
}

static enum status get_large(struct explore *explore, uint32_t dag, const char *path, const struct drawing_scope *scope,
                             struct explore_drawn **drawn, struct fault *fault)
{
    enum status status = STATUS_OK;
    struct timespec moment = explore_job_moment();
    pthread_mutex_lock(&explore->lock);
    struct explore_drawn *found = find(explore, dag, path, scope->rules);
    if (!found)
        status = make_room(explore) ? begin(explore, dag, path, scope, &found) : STATUS_BUSY;
    if (found) {
        found->users++; /* also while it is waited for: then nobody frees it */
        status = explore_job_wait_until(&found->job, &moment);
        if (status == STATUS_OK)
            *drawn = found;
        else
            found->users--;
    }
    pthread_mutex_unlock(&explore->lock);
    if (status == STATUS_OK)
        return STATUS_OK;
    return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                     status == STATUS_BUSY ? "The drawing is being made: ask again in a moment."
                                           : "The drawing could not be made.");
}

enum status explore_drawn_get(struct explore *explore, uint32_t dag, const char *path,
                              const struct drawing_scope *scope, struct explore_drawn **drawn, struct fault *fault)
{
    *drawn = NULL;
    if (scope->count >= EXPLORE_LARGE_TXS)
        return get_large(explore, dag, path, scope, drawn, fault);
    struct explore_drawn *own = drawn_new(explore, dag, path, scope);
    if (!own)
        return fault_nomem(fault);
    enum status status = drawing_make(scope, &svg_large, &own->drawing, fault);
    if (status == STATUS_OK)
        *drawn = own;
    else
        drawn_free(own);
    return status;
}

bool explore_drawn_put(struct explore *explore, const struct explore_drawn *drawn, enum drawn_part part,
                       struct printer *page)
{
    if (!drawn || !drawn->is_kept)
        return false;
    pthread_mutex_lock(&explore->lock);
    const struct text kept = drawn->parts[part];
    pthread_mutex_unlock(&explore->lock);
    if (kept.size > 0)
        PRINT(page, "%.*s", (int)kept.size, kept.bytes);
    return kept.size > 0;
}

void explore_drawn_keep(struct explore *explore, struct explore_drawn *drawn, enum drawn_part part,
                        const struct printer *page, size_t before)
{
    if (!drawn || !drawn->is_kept || page->status != STATUS_OK || page->text.size - before > INT_MAX)
        return;
    struct text made = {0};
    if (text_printf(&made, "%.*s", (int)(page->text.size - before), page->text.bytes + before) != STATUS_OK) {
        text_free(&made); /* the next page tries again */
        return;
    }
    pthread_mutex_lock(&explore->lock);
    bool first = drawn->parts[part].size == 0;
    if (first)
        drawn->parts[part] = made;
    pthread_mutex_unlock(&explore->lock);
    if (!first)
        text_free(&made);
}

const struct drawing *explore_drawn_drawing(const struct explore_drawn *drawn)
{
    return drawn ? &drawn->drawing : NULL;
}

void explore_drawn_leave(struct explore *explore, struct explore_drawn *drawn)
{
    if (!drawn)
        return;
    if (!drawn->is_kept) {
        drawn_free(drawn);
        return;
    }
    pthread_mutex_lock(&explore->lock);
    drawn->users--;
    pthread_mutex_unlock(&explore->lock);
}

void explore_drawn_free_all(struct explore *explore)
{
    while (explore->drawn) {
        struct explore_drawn *next = explore->drawn->next;
        end(explore->drawn);
        explore->drawn = next;
    }
}
