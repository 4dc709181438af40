/* http: the one place that touches libmicrohttpd: a small web server for one user, on the own machine unless asked
 * otherwise. It takes GET and HEAD, asks http_guard.h, and hands what is asked for to a handler; answers carry headers
 * under which a browser takes in nothing from elsewhere, runs no script but the server's file, and tells no other site
 * where it was.
 *
 * Everything is bounded: connections, the bytes of a request, the time for one to arrive and for an answer to leave;
 * who is slower is cut off (connections.h).
 *
 * Thread rule: the handler is called from several threads at once; all else is one thread's. */
#ifndef UNKTX_CLI_OUTPUT_HTTP_H
#define UNKTX_CLI_OUTPUT_HTTP_H

#include <stdbool.h>

#include "cli/output/text.h"

#define HTTP_TURNS 8u /* answers that are made at the same time */

/* Appends the next part of an answer; one without bytes is the end. A failure cuts the connection. */
typedef enum status http_part(void *context, struct text *text);

/* What the handler fills in, zeroed before. */
struct http_answer {
    unsigned status;            /* of HTTP; 0 is taken for 500 */
    const char *type;           /* media type; static string */
    struct text body;           /* taken over */
    char location[128];         /* where else to look, for a status of 30x */
    char file[96];              /* the name to save it under; "": it is shown */
    bool keep;                  /* the browser may keep it for a while */
    bool again;                 /* it may be asked for again in a second: Retry-After */
    http_part *part;            /* an answer in parts after the body; NULL: the body is all of it */
    void (*end)(void *context); /* after the last part, or when the reader has left; may be NULL */
    void *context;              /* of both */
};
typedef void http_handler(void *context, const char *target, struct http_answer *answer);

struct http_options {
    const char *address; /* numeric, to listen on; NULL: 127.0.0.1 and ::1 */
    const char *token;   /* as http_guard.h; NULL: none */
    unsigned port;       /* 0: any that is free */
};

struct http; /* opaque */

/* Listens and answers from now on. STATUS_REFUSED: the address is none. STATUS_IO: the port is taken, or the like. */
enum status http_start(const struct http_options *options, http_handler *handler, void *context, struct http **http,
                       struct fault *fault) MUST_CHECK;
/* "http://127.0.0.1:8380/"; the server's own. */
const char *http_address(const struct http *http);
/* Ends all connections. NULL is legal. */
void http_stop(struct http *http);

#endif
