#include "parser/parallel.h"

#include <omp.h>
#include <pthread.h>

unsigned parallel_default_threads(void)
{
    int processors = omp_get_num_procs();
    return processors > 0 ? (unsigned)processors : 1;
}

void parallel_for(unsigned threads, size_t items, parallel_work *work, void *context)
{
    if (threads > items)
        threads = (unsigned)items;
    if (threads <= 1) {
        for (size_t i = 0; i < items; i++)
            work(context, 0, i);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (size_t i = 0; i < items; i++)
        work(context, (unsigned)omp_get_thread_num(), i);
}

/* A thread that waits sleeps. At a barrier of OpenMP it would spin for milliseconds, which on a busy machine are those
 * of the thread it waits for. */
/* NOLINTNEXTLINE(misc-unused-parameters): `threads` is named in OpenMP's line only. */
void parallel_turns(unsigned threads, parallel_next *next, void (*work)(void *context, unsigned worker), void *context)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
#pragma omp parallel num_threads(threads)
    {
        unsigned worker = (unsigned)omp_get_thread_num();
        enum parallel_turn turn;
        pthread_mutex_lock(&lock);
        while ((turn = next(context, worker)) != PARALLEL_END) {
            if (turn == PARALLEL_WAIT) {
                pthread_cond_wait(&turned, &lock);
                continue;
            }
            pthread_cond_broadcast(&turned);
            pthread_mutex_unlock(&lock);
            work(context, worker);
            pthread_mutex_lock(&lock);
        }
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&lock);
    }
}
