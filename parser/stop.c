#include "parser/stop.h"

atomic_long stop_state;
static atomic_long looks_made;

void stop_request(void) { atomic_store(&stop_state, 1); }

bool stop_look(void)
{
    long state = atomic_load(&stop_state);
    atomic_fetch_add_explicit(&looks_made, 1, memory_order_relaxed);
    while (state < 0 && !atomic_compare_exchange_weak(&stop_state, &state, state + 1 < 0 ? state + 1 : 1))
        ;
    return state > 0 || state == -1;
}

enum status stop_check(struct fault *fault)
{
    if (!stop_requested())
        return STATUS_OK;
    return fault_set(fault, STATUS_INTERRUPTED, NULL, FAULT_NO_OFFSET, "interrupted");
}

void stop_after(long looks)
{
    atomic_store(&looks_made, 0);
    atomic_store(&stop_state, looks < 0 ? 0 : -(looks + 1));
}

long stop_looks(void) { return atomic_load(&looks_made); }
