/* explore: requests that nobody means well with: other hosts and origins, other methods, broken addresses and headers,
 * clients that do not go on. And who may ask at all. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/web.h"

#define FIXTURE "tests/fixtures/regtest-xor"
#define PAGE "/core-0.18/"

static char *place;
static struct web web;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/store", place);
    web = web_start("--store %s/store --explorer https://example.org/x", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int status = web_stop(&web);
    remove_tree(place);
    free(place);
    return status == 130 ? 0 : -1;
}

static void expect_status(unsigned status, struct answer answer, const char *what)
{
    if (answer.status != status)
        fail_msg("%s: %u, not %u", what, answer.status, status);
    answer_free(&answer);
}

/* ---- who may ask ---- */

static void expect_headers(unsigned status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void expect_headers(unsigned status, const char *format, ...)
{
    char text[4096] = "GET " PAGE " HTTP/1.1\r\nConnection: close\r\n";
    size_t size = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + size, sizeof text - size - 2, format, arguments);
    va_end(arguments);
    strcat(text, "\r\n");
    expect_status(status, web_send(&web, text, strlen(text)), text);
}

static void only_its_own_host(void **state)
{
    unsigned port = web.port;
    (void)state;
    expect_headers(200, "Host: 127.0.0.1:%u\r\n", port);
    expect_headers(200, "Host: localhost:%u\r\n", port);
    expect_headers(200, "host: LocalHost:%u\r\n", port);
    expect_headers(200, "Host: [::1]:%u\r\n", port);
    expect_headers(403, "Host: 127.0.0.1\r\n");
    expect_headers(403, "Host: 127.0.0.1:%u\r\n", port + 1);
    expect_headers(403, "Host: evil.example:%u\r\n", port);
    expect_headers(403, "Host: localhost.evil.example:%u\r\n", port);
    expect_headers(403, "Host: 127.0.0.1:%u.evil.example\r\n", port);
    expect_headers(403, "Host: 127.0.0.1.evil.example:%u\r\n", port);
    expect_headers(403, "Host: [::1\r\n");
    expect_headers(403, "Host: evil.example@127.0.0.1:%u\r\n", port);
    expect_headers(400, "X-Host: 127.0.0.1:%u\r\n", port);
    expect_headers(400, "Host: 127.0.0.1:%u\r\nHost: 127.0.0.1:%u\r\n", port, port);
}

static void only_its_own_origin(void **state)
{
    unsigned port = web.port;
    (void)state;
    expect_headers(200, "Host: 127.0.0.1:%u\r\nOrigin: http://127.0.0.1:%u\r\n", port, port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nOrigin: https://127.0.0.1:%u\r\n", port, port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nOrigin: http://localhost:%u\r\n", port, port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nOrigin: http://evil.example\r\n", port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nOrigin: null\r\n", port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", port);
    expect_headers(403, "Host: 127.0.0.1:%u\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n", port);
    expect_headers(200, "Host: 127.0.0.1:%u\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", port);
}

static void a_token_where_one_is_set(void **state)
{
    (void)state;
    struct web guarded = web_start("--store %s/store --listen 127.0.0.1 --token open-sesame-open", place);
    static const struct {
        unsigned status;
        const char *header;
    } tries[] = {{401, ""},
                 {401, "Authorization: Bearer open-sesame-opem\r\n"},
                 {401, "Authorization: Bearer open-sesame-ope\r\n"},
                 {401, "Authorization: Bearer \r\n"},
                 {401, "Authorization: Basic b3Blbi1zZXNhbWUtb3Blbg==\r\n"}, /* without a colon */
                 {401, "Authorization: Basic ====\r\n"},
                 {200, "Authorization: Bearer open-sesame-open\r\n"},
                 {200, "Authorization: Basic bWU6b3Blbi1zZXNhbWUtb3Blbg==\r\n"}}; /* me:open-sesame-open */
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        expect_status(tries[i].status, web_ask(&guarded, "GET", PAGE, tries[i].header), tries[i].header);
    struct answer answer = web_ask(&guarded, "GET", "/style.css", "");
    assert_int_equal(answer.status, 401);
    assert_non_null(strstr(answer.head, "WWW-Authenticate: Basic"));
    answer_free(&answer);
    assert_int_equal(web_stop(&guarded), 130);
}

static void other_machines_need_a_token(void **state)
{
    (void)state;
    static const char *const addresses[] = {"0.0.0.0", "::", "192.0.2.7"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct run run = unktx_expect(2, "explore --store %s/store --listen %s", place, addresses[i]);
        assert_non_null(strstr(run.err, "--token"));
        run_free(&run);
    }
    struct run run = unktx_expect(2, "explore --store %s/store --listen example.org --token abc", place);
    assert_non_null(strstr(run.err, "no numeric address"));
    run_free(&run);
    run = unktx_expect(1, "explore --store %s/store --port %u", place, web.port);
    assert_non_null(strstr(run.err, "--port"));
    run_free(&run);
    run = unktx_expect(2, "explore --store %s/store --explorer javascript:alert(1)", place);
    run_free(&run);
}

/* ---- methods and headers of answers ---- */

static void get_and_head_only(void **state)
{
    static const char *const others[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct answer answer = web_ask(&web, others[i], PAGE, "Content-Length: 0\r\n");
        assert_int_equal(answer.status, 405);
        assert_non_null(strstr(answer.head, "Allow: GET, HEAD"));
        answer_free(&answer);
    }
    expect_status(400, web_ask(&web, "GET", PAGE, "Content-Length: 5\r\n"), "a body");
    expect_status(400, web_ask(&web, "GET", PAGE, "Transfer-Encoding: chunked\r\n"), "a chunked body");
}

static void a_head_is_that_of_get(void **state)
{
    static const char *const paths[] = {PAGE, "/core-0.18/tdags", "/style.css", "/core-0.18/tdag/99999999"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer head = web_ask(&web, "HEAD", paths[i], ""), get = web_ask(&web, "GET", paths[i], "");
        assert_int_equal(head.status, get.status);
        assert_int_equal(head.body_size, 0);
        assert_non_null(strstr(head.head, path_of("Content-Length: %zu\r\n", get.body_size)));
        answer_free(&head);
        answer_free(&get);
    }
    struct answer head = web_ask(&web, "HEAD", "/core-0.18/tdags.csv", "");
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_size, 0);
    answer_free(&head);
}

static void every_answer_is_shut(void **state)
{
    static const char *const wanted[] = {
        "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'", "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "Content-Type: "};
    static const char *const paths[] = {"/", PAGE, "/style.css", "/nothing", "/%zz", "/core-0.18/tdags?nodes=x"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer answer = web_ask(&web, "GET", paths[i], "");
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
            if (!strstr(answer.head, wanted[w]))
                fail_msg("%s without %s: %s", paths[i], wanted[w], answer.head);
        }
        assert_null(strcasestr(answer.head, "set-cookie"));
        assert_null(strcasestr(answer.head, "access-control"));
        assert_null(strstr(answer.head, "unsafe"));
        /* nothing of a page is left out by that policy */
        assert_null(strstr(answer.body, " style=\""));
        assert_null(strstr(answer.body, "<style"));
        assert_null(strstr(answer.body, "<script>"));
        answer_free(&answer);
    }
}

/* ---- addresses ---- */

static const struct {
    unsigned status;
    const char *target;
} addresses[] = {
    {404, "/nothing"},
    {302, "/core-0.18"},
    {404, "/core-0.180/"},
    {404, "/core-1/tdags"},
    {404, "/core-0.18/tdags/"},
    {404, "/core-0.18/../../etc/passwd"},
    {404, "//core-0.18/"},
    {404, "/style.css/x"},
    {400, "/core-0.18/%00"},
    {400, "/core-0.18/tdags?family=%0a"},
    {400, "/core-0.18/tdags?x=%e2%80%ae"},
    {400, "/%"},
    {400, "/%4"},
    {400, "/%c0%af"},
    {400, "/\xff"},
    {400, "*"},
    {400, "/core-0.18/tdags?nodes=-5"},
    {400, "/core-0.18/tdags?nodes=10..x"},
    {400, "/core-0.18/tdags?nodes=.."},
    {400, "/core-0.18/tdags?nodes=10..2"},
    {400, "/core-0.18/tdags?symmetry=0.5..0.25"},
    {400, "/core-0.18/tdags?time=2014-02-28..2014-02-01"},
    {400, "/core-0.18/tdags?moved_value_sat=1BTC..99999999"},
    {200, "/core-0.18/tdags?nodes=10..10&symmetry=0.5..0.5&time=2014-02-01..2014-02-01"},
    {400, "/core-0.18/tdags?nodes=99999999999999999999999"},
    {400, "/core-0.18/tdags?moved_value_sat=184467440737.1BTC"},
    {400, "/core-0.18/tdags?first_time=2020-13-01"},
    {400, "/core-0.18/tdags?first_time=2012-02-31"},
    {400, "/core-0.18/tdags?time=..2013-02-29"},
    {400, "/core-0.18/tdags?time=20200913"},
    {400, "/core-0.18/tdags?time=1969"},
    {400, "/core-0.18/tdags?time=2021..2020"},
    {400, "/core-0.18/tdags?page=0"},
    {400, "/core-0.18/tdags?nonsense=1"},
    {400, "/core-0.18/tdags?family=no-such"},
    {400, "/core-0.18/tdags?class=xyz"},
    {400, "/core-0.18/tdags?class=000000000000000000000000000000000000"},
    {400, "/core-0.18/tdags.csv?sort=no_such"},
    {404, "/core-0.18/tdag/"},
    {404, "/core-0.18/tdag/0"},
    {404, "/core-0.18/tdag/99999999"},
    {404, "/core-0.18/tdag/184467440737095516"},
    {404, "/core-0.18/tdag/zz"},
    {404, "/core-0.18/tdag/1.exe"},
    {404, "/core-0.18/tdag/ffffffffffffffffffffffffffffffff"},
    {404, "/core-0.18/tx/"},
    {404, "/core-0.18/tx/0000000000000000000000000000000000000000000000000000000000000000"},
    {404, "/core-0.18/tx/12ab/0"},
    {404, "/core-0.18/block/261"},
    {404, "/core-0.18/block/-1"},
    {404, "/core-0.18/block/4294967296"},
    {404, "/core-0.18/class/"},
    {404, "/core-0.18/class/0123456789abcdef0123456789abcdef"},
    {200, "/core-0.18/tdags?page=4294967"},
    {200, "/core-0.18/classes?page=99999999999999999999&sort=x&family=%3Cb%3E"},
    {200, "/core-0.18/tdags?nodes=&height=&family="},
    {200, "/core-0.18/search"},
    {200, "/core-0.18/search?q=+"},
};

static void broken_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct answer answer = web_get(&web, "%s", addresses[i].target);
        if (answer.status != addresses[i].status)
            fail_msg("%s: %u, not %u", addresses[i].target, answer.status, addresses[i].status);
        if (answer.head && strstr(answer.head, "text/html"))
            assert_well_formed(answer.body);
        answer_free(&answer);
    }
}

static void what_is_asked_for_is_shown_not_obeyed(void **state)
{
    static const char *const targets[] = {
        "/core-0.18/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/tx/%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/tdag/%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/block/%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/class/%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/classes?family=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/tdags?%3Cscript%3Ealert(1)%3C/script%3E%22%27%26=1",
        "/core-0.18/tdags?family=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
        "/core-0.18/scripts?x=%3Cscript%3Ealert(1)%3C/script%3E%22%27%26",
    };
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct answer answer = web_get(&web, "%s", targets[i]);
        assert_true(answer.status == 200 || answer.status == 400 || answer.status == 404);
        assert_null(strstr(answer.body, "<script>"));
        assert_well_formed(answer.body);
        answer_free(&answer);
    }
}

static void long_addresses_and_headers(void **state)
{
    static const size_t sizes[] = {1000, 2047, 2048, 2049, 5000, 15000, 15990, 16100, 16384, 40000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *target = malloc(sizes[i] + 1), *header;
        memset(target, 'a', sizes[i]);
        target[0] = '/';
        target[sizes[i]] = '\0';
        struct answer answer = web_ask(&web, "GET", target, "");
        assert_int_equal(answer.status, sizes[i] <= 2048 ? 404 : 414);
        answer_free(&answer);
        answer = web_ask(&web, "GET", path_of("/core-0.18/tdags?x=%s", target), "");
        assert_int_equal(answer.status, sizes[i] + strlen("/core-0.18/tdags?x=") <= 2048 ? 400 : 414);
        answer_free(&answer);
        assert_true(asprintf(&header, "X-Long: %s\r\n", target) > 0);
        answer = web_ask(&web, "GET", PAGE, header);
        if (sizes[i] <= 5000)
            assert_int_equal(answer.status, 200);
        else
            assert_true(answer.status == 200 || answer.status == 0 || answer.status >= 400);
        assert_true(sizes[i] < 40000 || answer.status != 200);
        answer_free(&answer);
        free(header);
        free(target);
    }
    expect_status(200, web_ask(&web, "GET", PAGE, ""), "after long ones");
}

/* However many fields there are: those of a short address are refused, also where none has a name. */
static void queries_of_many_fields(void **state)
{
    static const char *const fields[] = {"a&", "&", "a=b&"};
    static const size_t counts[] = {65, 66, 100, 300, 500, 1000, 4000, 7990};
    char target[40000];
    (void)state;
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            char *p = stpcpy(target, "/core-0.18/tdags?a=b&");
            for (size_t i = 0; i < counts[c]; i++)
                p = stpcpy(p, fields[f]);
            struct answer answer = web_ask(&web, "GET", target, "");
            assert_int_equal(answer.status, p - target > 2048 ? 414 : 400);
            answer_free(&answer);
        }
    }
    expect_status(200, web_ask(&web, "GET", PAGE, ""), "after many fields");
}

static void bytes_that_are_no_request(void **state)
{
    static const char *const texts[] = {"\r\n\r\n",
                                        "GET\r\n\r\n",
                                        "GET /\r\n\r\n",
                                        "GET / HTTP/9.9\r\n\r\n",
                                        "GET /core-0.18/ HTTP/1.0\r\n\r\n",
                                        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                                        "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                                        "GET / HTTP/1.1\r\nHost\r\n\r\n",
                                        "GET / HTTP/1.1\r\n: x\r\n\r\n",
                                        "GET / HTTP/1.1\r\n Host: x\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int fd = web_connect(&web);
        char answer[4096] = "";
        (void)!send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
        if (got > 0) /* an error, or the connection is closed without a word */
            assert_true(strncmp(answer, "HTTP/1.1 4", 10) == 0 || strncmp(answer, "HTTP/1.1 5", 10) == 0);
        else
            assert_true(got == 0 || errno == ECONNRESET);
        close(fd);
    }
    expect_status(200, web_ask(&web, "GET", PAGE, ""), "after broken ones");
}

/* ---- clients that do not go on ---- */

/* A byte now and then keeps a connection from being idle, but not from being cut off. */
static void slow_clients_are_cut_off(void **state)
{
    static const char text[] = "GET /core-0.18/ HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    (void)state;
    int fd = web_connect(&web);
    bool cut = false;
    (void)!send(fd, text, sizeof text - 1, MSG_NOSIGNAL);
    for (unsigned i = 0; i < 120 && !cut; i++) {
        char byte;
        nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
        cut = send(fd, "a", 1, MSG_NOSIGNAL) < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
    }
    close(fd);
    assert_true(cut);
}

/* However many say nothing: the next one is answered, and those that have waited for longest go. */
static void silent_clients_leave_room(void **state)
{
    int fds[300];
    char byte;
    (void)state;
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        fds[i] = web_connect(&web);
    expect_status(200, web_ask(&web, "GET", PAGE, ""), "beside silent ones");
    for (size_t i = 0; i < 100; i++) {
        ssize_t got = recv(fds[i], &byte, 1, 0);
        assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    }
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
}

/* ---- nothing is written ---- */

static void nothing_is_written(void **state)
{
    (void)state;
    struct run before = shell("cd %s && find . -type f ! -name lock.mdb -exec sha256sum {} + | sort", place);
    struct web other = web_start("--store %s/store --rules core-22", place);
    free(web_body(&other, "/core-22/tdags?sort=nodes"));
    assert_int_equal(web_stop(&other), 130);
    struct run after = shell("cd %s && find . -type f ! -name lock.mdb -exec sha256sum {} + | sort", place);
    assert_string_equal(before.out, after.out);
    run_free(&before);
    run_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_host),
        cmocka_unit_test(only_its_own_origin),
        cmocka_unit_test(a_token_where_one_is_set),
        cmocka_unit_test(other_machines_need_a_token),
        cmocka_unit_test(get_and_head_only),
        cmocka_unit_test(a_head_is_that_of_get),
        cmocka_unit_test(every_answer_is_shut),
        cmocka_unit_test(broken_addresses),
        cmocka_unit_test(what_is_asked_for_is_shown_not_obeyed),
        cmocka_unit_test(long_addresses_and_headers),
        cmocka_unit_test(queries_of_many_fields),
        cmocka_unit_test(bytes_that_are_no_request),
        cmocka_unit_test(slow_clients_are_cut_off),
        cmocka_unit_test(silent_clients_leave_room),
        cmocka_unit_test(nothing_is_written),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
