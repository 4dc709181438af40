#include "cli/views/explore_job.h"

#include <sys/resource.h>
#include <time.h>

#define MOMENT_NS 50000000L

/* In Linux a thread has a priority of its own, which those that it begins inherit. */
static void *run(void *context)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    struct explore_job *job = context;
    (void)!setpriority(PRIO_PROCESS, 0, EXPLORE_JOB_NICE);
    if (job->alone)
        pthread_mutex_lock(&turn);
    enum status status = job->work(job);
    if (job->alone)
        pthread_mutex_unlock(&turn);
    pthread_mutex_lock(&job->explore->lock);
    job->status = status;
    job->done = true;
    pthread_cond_broadcast(&job->explore->rules_ready);
    pthread_mutex_unlock(&job->explore->lock);
    return NULL;
}

enum status explore_job_begin(struct explore_job *job)
{
    return pthread_create(&job->thread, NULL, run, job) == 0 ? STATUS_OK : STATUS_NOMEM;
}

enum status explore_job_wait_until(struct explore_job *job, const struct timespec *until)
{
    struct explore *explore = job->explore;
    job->waiting++;
    while (!job->done && pthread_cond_timedwait(&explore->rules_ready, &explore->lock, until) == 0)
        ;
    job->waiting--;
    return job->done ? job->status : STATUS_BUSY;
}

enum status explore_job_wait(struct explore_job *job)
{
    struct timespec until = explore_end_of_patience();
    return explore_job_wait_until(job, &until);
}

struct timespec explore_job_moment(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MOMENT_NS;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return until;
}

bool explore_job_failed(const struct explore_job *job)
{
    return job->done && job->status != STATUS_OK && job->waiting == 0;
}

void explore_job_end(struct explore_job *job) { pthread_join(job->thread, NULL); }
