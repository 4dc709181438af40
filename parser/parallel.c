#include "parser/parallel.h"

#include <omp.h>

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
