#include "parser/library.h"

#include <dlfcn.h>
#include <string.h>

static enum status cannot_load(const struct library *library, struct fault *fault)
{
    const char *why = dlerror();
    return fault_set(fault, STATUS_RESOURCES, NULL, FAULT_NO_OFFSET,
                     "%s cannot be loaded, and is needed for this: %.200s; install it (Debian: %s)", library->name,
                     why ? why : library->file, library->package);
}

enum status library_load(const struct library *library, void *functions, struct fault *fault)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return cannot_load(library, fault);
    for (size_t i = 0; i < library->count; i++) {
        void *function = dlsym(handle, library->names[i]);
        if (!function)
            return cannot_load(library, fault);
        /* POSIX: a pointer to a function is as large as one to an object */
        memcpy((char *)functions + i * sizeof function, &function, sizeof function);
    }
    return STATUS_OK;
}
