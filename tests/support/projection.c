#include "tests/support/projection.h"

#include <stdio.h>
#include <string.h>

static double larger(double a, double b) { return a > b ? a : b; }

static struct projection_stage *stage_of(struct projection *projection, const char *name)
{
    for (size_t i = 0; i < projection->count; i++)
        if (strcmp(projection->stages[i].name, name) == 0)
            return &projection->stages[i];
    if (projection->count == PROJECTION_STAGES)
        return NULL;
    struct projection_stage *stage = &projection->stages[projection->count++];
    *stage = (struct projection_stage){0};
    snprintf(stage->name, sizeof stage->name, "%s", name);
    return stage;
}

static bool add_row(struct projection *projection, const char *line)
{
    char name[32], thread[16];
    double elapsed, busy, lock, disk, order, threads, idle, alone, in_turn, longest;
    if (sscanf(line, "%31[^,],%15[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,", name, thread, &elapsed, &busy, &lock,
               &disk, &order, &threads, &idle, &alone, &in_turn, &longest) != 12)
        return false;
    struct projection_stage *stage = stage_of(projection, name);
    if (!stage)
        return false;
    double work = busy + lock + disk;
    if (strcmp(thread, "writer") == 0) {
        stage->writer += work;
        return true;
    }
    stage->elapsed = elapsed;
    stage->alone += alone;
    stage->waited += order + threads;
    stage->in_turn += in_turn;
    stage->shared += work - alone - in_turn;
    stage->longest = larger(stage->longest, longest);
    return true;
}

bool projection_read(const char *path, struct projection *projection)
{
    char line[1024];
    *projection = (struct projection){0};
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(line, sizeof line, file) && strncmp(line, "stage,thread,elapsed_s,", 23) == 0;
    while (ok && fgets(line, sizeof line, file))
        ok = add_row(projection, line);
    if (file)
        fclose(file);
    return ok && projection->count > 0;
}

double projection_elapsed(const struct projection *projection)
{
    double seconds = 0;
    for (size_t i = 0; i < projection->count; i++)
        seconds += projection->stages[i].elapsed;
    return seconds;
}

double projection_undivided(const struct projection *projection)
{
    double all = 0, undivided = 0;
    for (size_t i = 0; i < projection->count; i++) {
        const struct projection_stage *stage = &projection->stages[i];
        all += stage->alone + stage->waited + stage->in_turn + stage->shared;
        undivided += larger(stage->alone + stage->waited + larger(stage->in_turn, stage->longest), stage->writer);
    }
    return all > 0 ? undivided / all : 0;
}

double projection_seconds(const struct projection *projection, double cores)
{
    double seconds = 0;
    for (size_t i = 0; i < projection->count; i++) {
        const struct projection_stage *stage = &projection->stages[i];
        double beside = larger(larger(stage->in_turn, stage->longest), (stage->in_turn + stage->shared) / cores);
        double work = stage->alone + stage->in_turn + stage->shared + stage->writer;
        seconds += larger(larger(stage->alone + stage->waited + beside, stage->writer), work / cores);
    }
    return seconds;
}
