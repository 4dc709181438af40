/* explore_job: work for a page that takes longer than a page may: done by a thread of its own, while the page answers
 * that it has to be asked for again.
 *
 * Thread rule: any number of threads at once; what says so with explore->lock held. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_JOB_H
#define UNKTX_CLI_VIEWS_EXPLORE_JOB_H

#include "cli/views/explore.h"

/* Pages that are there go before work that makes others: how far the priority of its thread goes down. */
#define EXPLORE_JOB_NICE 5

/* The first member of what it makes. */
struct explore_job {
    struct explore *explore;
    enum status (*work)(struct explore_job *job);
    bool alone; /* it takes much memory: not at the same time as another such one */
    pthread_t thread;
    unsigned waiting; /* threads in explore_job_wait, which look at it once more */
    bool done;
    enum status status; /* once it is done */
};

/* With explore->lock held. The job stays where it is until explore_job_end. STATUS_NOMEM: no thread. */
enum status explore_job_begin(struct explore_job *job) MUST_CHECK;
/* With explore->lock held: waits a moment. STATUS_BUSY: it is not done. */
enum status explore_job_wait(struct explore_job *job) MUST_CHECK;
/* Likewise, until that time of a monotonic clock. */
enum status explore_job_wait_until(struct explore_job *job, const struct timespec *until) MUST_CHECK;
/* For it: until when a page waits for what it can do without, from now on. */
struct timespec explore_job_moment(void);
/* With explore->lock held: it failed, and nobody waits for it any more, so that it may be ended and begun again. */
bool explore_job_failed(const struct explore_job *job);
/* Waits until it is done. */
void explore_job_end(struct explore_job *job);

#endif
