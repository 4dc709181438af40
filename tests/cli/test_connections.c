/* connections: which of them a web server keeps, with times that the test chooses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "cli/output/connections.h"

#define FIRST_FD 100

static struct connections connections;

static int begin(void **state)
{
    (void)state;
    connections = (struct connections){0};
    return 0;
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage from = {0};
    struct sockaddr_in *v4 = (void *)&from;
    struct sockaddr_in6 *v6 = (void *)&from;
    from.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    void *at = from.ss_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr;
    assert_int_equal(inet_pton(from.ss_family, text, at), 1);
    return from;
}

static struct connection *add(const char *from, int fd, uint64_t now_ms, int *cut)
{
    struct sockaddr_storage storage = address(from);
    return connections_add(&connections, fd, (struct sockaddr *)&storage, now_ms, cut);
}

/* As many as there may be, one each millisecond from 0 on. */
static void fill(const char *from, struct connection *all[CONNECTIONS_MAX])
{
    int cut;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        all[i] = add(from, FIRST_FD + (int)i, i, &cut);
        assert_non_null(all[i]);
        assert_int_equal(cut, -1);
    }
}

/* However many say nothing, the next one gets in, and those that say nothing go in the order in which they came. */
static void silent_ones_shut_nobody_out(void **state)
{
    struct connection *all[CONNECTIONS_MAX];
    int cut;
    (void)state;
    fill("127.0.0.1", all);
    for (int i = 0; i < 1000; i++) {
        struct connection *next = add("127.0.0.1", FIRST_FD + (int)CONNECTIONS_MAX + i, CONNECTIONS_MAX, &cut);
        assert_non_null(next);
        if (i < (int)CONNECTIONS_MAX) {
            assert_int_equal(cut, FIRST_FD + i);
            connection_remove(all[i]);
        } else {
            assert_in_range(cut, FIRST_FD + (int)CONNECTIONS_MAX, FIRST_FD + (int)CONNECTIONS_MAX + i - 1);
            for (unsigned c = 0; c < CONNECTIONS_ALL; c++) {
                if (connections.at[c].state == CONNECTION_ENDING)
                    connection_remove(&connections.at[c]);
            }
        }
    }
}

/* Also before the sockets of those that have to go are closed, as far as there is room for that. */
static void there_is_room_for_those_that_end(void **state)
{
    struct connection *all[CONNECTIONS_MAX];
    int cut;
    (void)state;
    fill("::1", all);
    for (unsigned i = CONNECTIONS_MAX; i < CONNECTIONS_ALL; i++) {
        assert_non_null(add("::1", FIRST_FD + (int)i, 1000, &cut));
        assert_true(cut >= FIRST_FD && cut != FIRST_FD + (int)i);
    }
    assert_null(add("::1", 7, 1000, &cut));
    assert_int_equal(cut, 7);
}

static void those_at_work_stay(void **state)
{
    struct connection *all[CONNECTIONS_MAX];
    int cut;
    (void)state;
    fill("127.0.0.1", all);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        connection_begin(all[i], i % 2 ? CONNECTION_MAKING : CONNECTION_SENDING, 0, 100);
    assert_null(add("127.0.0.1", 7, 200, &cut));
    assert_int_equal(cut, 7);
    connection_begin(all[40], CONNECTION_WAITING, 0, 300);
    assert_non_null(add("127.0.0.1", 8, 400, &cut));
    assert_int_equal(cut, all[40]->fd);
    /* its request came too late, and does not make it one of those at work again */
    connection_begin(all[40], CONNECTION_MAKING, 0, 500);
    assert_int_equal(all[40]->state, CONNECTION_ENDING);
}

/* Another machine takes no more than its share, whatever it does with it. */
static void a_machine_has_its_share(void **state)
{
    struct connection *one[CONNECTIONS_OF_ONE];
    int cut;
    (void)state;
    for (unsigned i = 0; i < CONNECTIONS_OF_ONE; i++) {
        one[i] = add(i % 2 ? "2001:db8:1:2::5" : "2001:db8:1:2:3:4:5:6", FIRST_FD + (int)i, i, &cut);
        assert_non_null(one[i]);
        assert_int_equal(cut, -1);
    }
    struct connection *other = add("192.0.2.1", 7, 100, &cut);
    assert_non_null(other);
    assert_int_equal(cut, -1);
    assert_non_null(add("2001:db8:1:2::9", 8, 100, &cut));
    assert_int_equal(cut, FIRST_FD);
    for (unsigned i = 1; i < CONNECTIONS_OF_ONE; i++)
        connection_begin(one[i], CONNECTION_SENDING, 0, 100);
    assert_non_null(add("2001:db8:1:2::9", 9, 100, &cut));
    assert_int_equal(cut, 8);
    assert_non_null(add("2001:db8:1:3::9", 10, 100, &cut));
    assert_int_equal(cut, -1);
    assert_int_equal(other->state, CONNECTION_WAITING);
}

/* Where there is no more room, whoever has the most gives way, and not who waits for longest. */
static void who_has_most_gives_way(void **state)
{
    struct connection *first, *all[CONNECTIONS_MAX];
    int cut;
    (void)state;
    first = add("192.0.2.1", 7, 0, &cut);
    for (unsigned i = 1; i < CONNECTIONS_MAX; i++)
        all[i] = add("127.0.0.1", FIRST_FD + (int)i, 1000 + i, &cut);
    assert_non_null(add("127.0.0.1", 8, 2000, &cut));
    assert_int_equal(cut, all[1]->fd);
    assert_int_equal(first->state, CONNECTION_WAITING);
}

static void requests_have_their_time(void **state)
{
    int cut;
    (void)state;
    struct connection *one = add("127.0.0.1", 7, 5000, &cut);
    assert_false(connection_end_late(one, 5000 + REQUEST_MS));
    assert_true(connection_end_late(one, 5001 + REQUEST_MS));
    assert_int_equal(one->state, CONNECTION_ENDING);
    assert_false(connection_end_late(one, 9999999));
    one = add("127.0.0.1", 8, 5000, &cut);
    connection_begin(one, CONNECTION_MAKING, 0, 6000);
    assert_false(connection_end_late(one, 6000 + MAKING_MS));
    assert_true(connection_end_late(one, 6001 + MAKING_MS));
}

/* A page has the time for its size. */
static void a_page_has_to_be_taken(void **state)
{
    int cut;
    (void)state;
    struct connection *one = add("127.0.0.1", 7, 0, &cut);
    connection_begin(one, CONNECTION_SENDING, 3 * SENDING_RATE, 10000);
    assert_false(connection_end_late(one, 10000 + SENDING_MS + 3000));
    assert_true(connection_end_late(one, 10001 + SENDING_MS + 3000));
}

/* Reads a file of parts at so many bytes a second, each part made in so long a time: is it cut off within ten hours? */
static bool is_cut(uint64_t rate, uint64_t making_ms)
{
    int cut;
    uint64_t now = 0;
    struct connection *one = add("127.0.0.1", 7, now, &cut);
    connection_begin(one, CONNECTION_SENDING, 100, now);
    while (now < 36000000) {
        now += making_ms;
        connection_sent(one, 0, making_ms);
        now += 65536 * 1000 / rate;
        if (connection_end_late(one, now))
            return true;
        connection_sent(one, 65536, 0);
    }
    connection_remove(one);
    return false;
}

static void a_file_has_to_be_taken_in_time(void **state)
{
    (void)state;
    assert_false(is_cut(SENDING_RATE, 0));
    assert_false(is_cut(SENDING_RATE, 7000)); /* a part takes its time, which is not the reader's fault */
    assert_false(is_cut(100 * SENDING_RATE, 0));
    assert_true(is_cut(SENDING_RATE * 9 / 10, 0));
    assert_true(is_cut(SENDING_RATE / 2, 7000));
    assert_true(is_cut(100, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(silent_ones_shut_nobody_out, begin),
        cmocka_unit_test_setup(there_is_room_for_those_that_end, begin),
        cmocka_unit_test_setup(those_at_work_stay, begin),
        cmocka_unit_test_setup(a_machine_has_its_share, begin),
        cmocka_unit_test_setup(who_has_most_gives_way, begin),
        cmocka_unit_test_setup(requests_have_their_time, begin),
        cmocka_unit_test_setup(a_page_has_to_be_taken, begin),
        cmocka_unit_test_setup(a_file_has_to_be_taken_in_time, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
