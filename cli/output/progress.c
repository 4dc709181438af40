#include "cli/output/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "cli/output/printer.h"

#define SECOND_NS 1000000000
#define TERMINAL_INTERVAL_NS (SECOND_NS / 5)
#define PLAIN_INTERVAL_NS (10LL * SECOND_NS)

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

void progress_begin(struct progress *progress, bool quiet)
{
    *progress = (struct progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

static void format_left(char out[32], uint64_t seconds)
{
    if (seconds >= 3600)
        snprintf(out, 32, "%llu h %02llu min", (unsigned long long)(seconds / 3600),
                 (unsigned long long)(seconds / 60 % 60));
    else if (seconds >= 60)
        snprintf(out, 32, "%llu min %02llu s", (unsigned long long)(seconds / 60), (unsigned long long)(seconds % 60));
    else
        snprintf(out, 32, "%llu s", (unsigned long long)seconds);
}

void progress_show(struct progress *progress, const char *stage, uint64_t done, uint64_t total, uint64_t height)
{
    if (progress->quiet)
        return;
    int64_t now = now_ns();
    if (progress->stage != stage) {
        progress->stage = stage;
        progress->begun_ns = progress->shown_ns = now;
        progress->begun_done = done;
        return;
    }
    if (now - progress->shown_ns < (progress->terminal ? TERMINAL_INTERVAL_NS : PLAIN_INTERVAL_NS))
        return;
    progress->shown_ns = now;

    double elapsed_s = (double)(now - progress->begun_ns) / SECOND_NS;
    double rate = done > progress->begun_done ? (double)(done - progress->begun_done) / elapsed_s : 0;
    char line[160], at[32] = "", left[32] = "?", speed[48], digits[GROUPED_SIZE];
    if (height != PROGRESS_NO_HEIGHT)
        snprintf(at, sizeof at, ", height %llu", (unsigned long long)height);
    if (rate > 0 && total >= done)
        format_left(left, (uint64_t)((double)(total - done) / rate + 0.5));
    if (progress->unit)
        snprintf(speed, sizeof speed, "%s %s/s", grouped(digits, (uint64_t)rate), progress->unit);
    else
        snprintf(speed, sizeof speed, "%.1f MB/s", rate / 1e6);
    snprintf(line, sizeof line, "%s: %.1f %%%s, %s, %s left", stage,
             total > 0 ? 100.0 * (double)done / (double)total : 100.0, at, speed, left);
    if (progress->terminal)
        message_status(line);
    else
        message("%s", line);
}

void progress_end(struct progress *progress)
{
    if (!progress->quiet)
        message_status(NULL);
    progress->stage = NULL;
}

void progress_add(struct progress_count *count, uint64_t more)
{
    uint64_t done = __atomic_add_fetch(&count->done, more, __ATOMIC_RELAXED);
    if (count->progress.quiet || __atomic_exchange_n(&count->busy, true, __ATOMIC_ACQUIRE))
        return;
    progress_show(&count->progress, count->stage, done < count->total ? done : count->total, count->total,
                  PROGRESS_NO_HEIGHT);
    __atomic_store_n(&count->busy, false, __ATOMIC_RELEASE);
}
