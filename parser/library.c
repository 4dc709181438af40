#include "parser/library.h"

#include <dlfcn.h>
#include <string.h>

/* Debian's name of the package that brings libNAME.so.N is libNAMEN, and libNAME-N where NAME ends with a digit (Debian
 * Policy 8.1). Where the release has another (libNAMENt64), that one provides this name. */
static enum status cannot_load(const struct library *library, struct fault *fault)
{
    const char *why = dlerror(), *release = strstr(library->file, ".so.");
    int name = release ? (int)(release - library->file) : (int)strlen(library->file);
    bool is_digit = name > 0 && library->file[name - 1] >= '0' && library->file[name - 1] <= '9';
    /* of glibc's texts: one that could not be mapped */
    if (why && (strstr(why, "failed to map segment") || strstr(why, "annot allocate memory")))
        return fault_set(fault, STATUS_NOMEM, NULL, FAULT_NO_OFFSET,
                         "%s cannot be loaded, and is needed for this: %.200s (raise ulimit -v)", library->name, why);
    /* glibc's text is that of errno where a file is not there, of this library or of one that it needs */
    bool is_there = why && !strstr(why, "No such file or directory");
    return fault_set(fault, STATUS_RESOURCES, NULL, FAULT_NO_OFFSET,
                     "%s cannot be loaded, and is needed for this: %.200s; %s (Debian: %.*s%s%s)", library->name,
                     why ? why : library->file,
                     is_there ? "what is found under its name is damaged or of another release: install it again"
                              : "install it",
                     name, library->file, release && is_digit ? "-" : "", release ? release + strlen(".so.") : "");
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
