/* web: `unktx explore` as a browser meets it: the program started, and requests sent to it byte by byte, so that a test
 * can send what no library would. A server that does not answer fails the running test. */
#ifndef UNKTX_TESTS_SUPPORT_WEB_H
#define UNKTX_TESTS_SUPPORT_WEB_H

#include <stddef.h>
#include <sys/types.h>

struct web {
    pid_t pid;
    unsigned port;
    char address[128]; /* as it was printed */
};

/* Starts `unktx explore --port 0` with these words after it, printf-style, and waits for its address and
 * until the pages of all rule sets are there. */
struct web web_start(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends it with SIGINT; its exit status, -1 if it was never started. */
int web_stop(struct web *web);

struct answer {
    unsigned status; /* 0: the connection was closed without an answer */
    char *head;      /* both terminated; answer_free */
    char *body;
    size_t body_size;
};

/* Sends the bytes as they are and reads all that comes back; chunked bodies are put together. */
struct answer web_send(const struct web *web, const char *bytes, size_t size);
/* GET of that target (printf-style) with the headers that a browser sends. */
struct answer web_get(const struct web *web, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A request of that method, with more lines of headers, each ended by \r\n. What is not ready yet (503) is asked for
 * again for some seconds. */
struct answer web_ask(const struct web *web, const char *method, const char *target, const char *headers);
/* As web_get, for the status alone: the test fails where it is another one. */
void web_expect(const struct web *web, unsigned status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The body of an answer that must be 200; the caller frees. */
char *web_body(const struct web *web, const char *format, ...) __attribute__((format(printf, 2, 3)));
void answer_free(struct answer *answer);
/* A connection to it. */
int web_connect(const struct web *web);

#endif
