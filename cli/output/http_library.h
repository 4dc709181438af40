/* http_library: what http.c calls of libmicrohttpd, which is loaded when a server starts (parser/library.h): it brings
 * GnuTLS, and most commands start no server. */
#ifndef UNKTX_CLI_OUTPUT_HTTP_LIBRARY_H
#define UNKTX_CLI_OUTPUT_HTTP_LIBRARY_H

#include <microhttpd.h>

#include "parser/library.h"

#define HTTP_FUNCTIONS(F)                                                                                              \
    F(add_response_header, MHD_add_response_header)                                                                    \
    F(create_response_from_buffer_with_free_callback, MHD_create_response_from_buffer_with_free_callback)              \
    F(create_response_from_callback, MHD_create_response_from_callback)                                                \
    F(destroy_response, MHD_destroy_response)                                                                          \
    F(get_connection_info, MHD_get_connection_info)                                                                    \
    F(get_connection_values, MHD_get_connection_values)                                                                \
    F(lookup_connection_value, MHD_lookup_connection_value)                                                            \
    F(queue_response, MHD_queue_response)                                                                              \
    F(start_daemon, MHD_start_daemon)                                                                                  \
    F(stop_daemon, MHD_stop_daemon)

struct http_library {
    HTTP_FUNCTIONS(LIBRARY_MEMBER)
};

/* STATUS_RESOURCES: it cannot be loaded. */
enum status http_library_load(struct http_library *functions, struct fault *fault) MUST_CHECK;

#endif
