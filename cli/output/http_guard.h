/* http_guard: who may ask a local web server. A page of any other site can make a browser send requests to it, so
 * headers that no page can choose decide: Host (DNS rebinding), Origin and Sec-Fetch-Site. Whoever listens on more than
 * the own machine has a token besides.
 *
 * Pure functions over a const guard; any thread. */
#ifndef UNKTX_CLI_OUTPUT_HTTP_GUARD_H
#define UNKTX_CLI_OUTPUT_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct http_guard {
    const char *address; /* numeric; that of --listen, NULL for the loopback addresses */
    bool any_address;    /* it is that of all interfaces: Host then may be any numeric address, but no name */
    const char *token;   /* NULL: none is asked for */
    unsigned port;
};

/* The headers of a request; NULL where there is none. */
struct http_headers {
    const char *host;
    const char *origin;
    const char *fetch_site;
    const char *fetch_mode;
    const char *authorization;
    unsigned hosts; /* how many Host headers */
    bool has_body;  /* Content-Length other than 0, or Transfer-Encoding */
};

/* The status to answer with: 200 to go on, 400 without one Host or with a body, 401 without the token, 403 for another
 * Host or Origin. The token is the password of Basic authentication (RFC 7617), with any name, or follows Bearer (RFC
 * 6750); comparing it takes the same time wherever it differs. O(size). */
unsigned http_guard_check(const struct http_guard *guard, const struct http_headers *headers);

#endif
