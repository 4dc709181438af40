#include "cli/output/http_library.h"

#include "libraries.h"

enum status http_library_load(struct http_library *functions, struct fault *fault)
{
    static const char *const names[] = {HTTP_FUNCTIONS(LIBRARY_NAME)};
    static const struct library library = {
        .name = "libmicrohttpd", .file = MICROHTTPD_FILE, .names = names, .count = sizeof names / sizeof *names};
    return library_load(&library, functions, fault);
}
