#define _GNU_SOURCE
#include "tests/support/web.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"

enum { WORDS = 64, LINE = 8192, WAIT_S = 60, AGAIN_MAX = 50 };

static pid_t start(char *line, int out)
{
    char *words[WORDS] = {(char *)(uintptr_t)unktx_path()};
    size_t count = 1;
    for (char *rest, *word = strtok_r(line, " ", &rest); word && count + 1 < WORDS; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    pid_t child = fork();
    if (child == 0) {
        dup2(out, STDOUT_FILENO);
        execv(words[0], words);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

struct web web_start(const char *format, ...)
{
    static const char *const first[] = {"/core-0.18/", "/core-0.19/", "/core-22/"};
    struct web web = {0};
    char line[LINE] = "explore --port 0 ";
    int ends[2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + strlen(line), sizeof line - strlen(line), format, arguments);
    va_end(arguments);
    assert_int_equal(pipe(ends), 0);
    web.pid = start(line, ends[1]);
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got = 1; got > 0 && size + 1 < sizeof web.address && !strchr(web.address, '\n');) {
        got = read(ends[0], web.address + size, sizeof web.address - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    close(ends[0]);
    const char *colon = strrchr(web.address, ':');
    if (!colon || sscanf(colon, ":%u/", &web.port) != 1)
        fail_msg("no address was printed: '%s'", web.address);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        struct answer answer = web_ask(&web, "GET", first[i], "");
        if (answer.status == 503)
            fail_msg("%s is not ready", first[i]);
        answer_free(&answer);
    }
    return web;
}

int web_stop(struct web *web)
{
    int status;
    if (web->pid == 0) /* never started, as after a set-up that failed: 0 would be this process and all of its group */
        return -1;
    kill(web->pid, SIGINT);
    assert_int_equal(waitpid(web->pid, &status, 0), web->pid);
    web->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int web_connect(const struct web *web)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)web->port)};
    struct timeval wait = {.tv_sec = WAIT_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Chunks (RFC 9112, section 7.1) in place of themselves. */
static size_t join_chunks(char *body, size_t size)
{
    char *at = body, *out = body, *end = body + size;
    while (at < end) {
        char *rest;
        size_t chunk = strtoul(at, &rest, 16);
        at = rest + 2;
        if (chunk == 0)
            break;
        assert_true(chunk <= (size_t)(end - at));
        memmove(out, at, chunk);
        out += chunk;
        at += chunk + 2;
    }
    *out = '\0';
    return (size_t)(out - body);
}

struct answer web_send(const struct web *web, const char *bytes, size_t size)
{
    struct answer answer = {0};
    char *all = NULL;
    size_t got = 0, capacity = 0;
    int fd = web_connect(web);
    (void)!send(fd, bytes, size, MSG_NOSIGNAL);
    for (ssize_t part = 1; part > 0; got += part > 0 ? (size_t)part : 0) {
        must_reserve(&all, &capacity, got + 65537, 1);
        part = recv(fd, all + got, 65536, 0);
    }
    close(fd);
    all[got] = '\0';
    char *end = strstr(all, "\r\n\r\n");
    if (end && sscanf(all, "HTTP/1.1 %u", &answer.status) == 1) {
        answer.head = strndup(all, (size_t)(end - all) + 2);
        answer.body_size = got - (size_t)(end + 4 - all);
        answer.body = must_alloc(answer.body_size + 1, 1);
        memcpy(answer.body, end + 4, answer.body_size + 1);
        if (strcasestr(answer.head, "transfer-encoding: chunked"))
            answer.body_size = join_chunks(answer.body, answer.body_size);
    }
    free(all);
    return answer;
}

struct answer web_ask(const struct web *web, const char *method, const char *target, const char *headers)
{
    char *text;
    int size = asprintf(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n", method, target,
                        web->port, headers);
    assert_true(size > 0);
    struct answer answer = web_send(web, text, (size_t)size);
    for (unsigned i = 0; i < AGAIN_MAX && answer.status == 503; i++) {
        answer_free(&answer);
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        answer = web_send(web, text, (size_t)size);
    }
    free(text);
    return answer;
}

static struct answer get(const struct web *web, const char *format, va_list arguments)
{
    char target[LINE];
    vsnprintf(target, sizeof target, format, arguments);
    return web_ask(web, "GET", target,
                   "Accept: text/html\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nUser-Agent: test\r\n");
}

struct answer web_get(const struct web *web, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct answer answer = get(web, format, arguments);
    va_end(arguments);
    return answer;
}

char *web_body(const struct web *web, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct answer answer = get(web, format, arguments);
    va_end(arguments);
    if (answer.status != 200)
        fail_msg("%s: %u", format, answer.status);
    char *body = answer.body;
    answer.body = NULL;
    answer_free(&answer);
    return body;
}

void web_expect(const struct web *web, unsigned status, const char *format, ...)
{
    char target[LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(target, sizeof target, format, arguments);
    va_end(arguments);
    struct answer answer = web_get(web, "%s", target);
    if (answer.status != status)
        fail_msg("%s: %u, not %u", target, answer.status, status);
    answer_free(&answer);
}

void answer_free(struct answer *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct answer){0};
}
