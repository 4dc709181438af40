#include "cli/output/connections.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

/* ---- where it is from ---- */

/* A machine has as many addresses of IPv6 as it likes, which have their first half in common. */
static void set_from(struct connection *connection, const struct sockaddr *from)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memset(connection->from, 0, sizeof connection->from);
    connection->is_own = false;
    if (from && from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        memcpy(connection->from, &v4.sin_addr, sizeof v4.sin_addr);
        connection->is_own = connection->from[0] == 127;
    } else if (from && from->sa_family == AF_INET6) {
        memcpy(&v6, from, sizeof v6);
        connection->is_own = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        memcpy(connection->from + sizeof v4.sin_addr, &v6.sin6_addr, sizeof v6.sin6_addr / 2);
    }
}

static bool is_of_same(const struct connection *a, const struct connection *b)
{
    return a->is_own || b->is_own ? a->is_own == b->is_own : memcmp(a->from, b->from, sizeof a->from) == 0;
}

static bool is_held(const struct connection *connection)
{
    return connection->state != CONNECTION_FREE && connection->state != CONNECTION_ENDING;
}

/* How many are held; `of`: of the same machine alone. */
static unsigned count_held(const struct connections *connections, const struct connection *of)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CONNECTIONS_ALL; i++)
        count += is_held(&connections->at[i]) && (!of || is_of_same(&connections->at[i], of));
    return count;
}

/* ---- one comes ---- */

static struct connection *find_free(struct connections *connections)
{
    for (unsigned i = 0; i < CONNECTIONS_ALL; i++) {
        if (connections->at[i].state == CONNECTION_FREE)
            return &connections->at[i];
    }
    return NULL;
}

/* The one that waits for longest, of the machine that has the most of them; `of`: of the same machine. */
static struct connection *find_waiting(struct connections *connections, const struct connection *of)
{
    struct connection *found = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < CONNECTIONS_ALL; i++) {
        struct connection *connection = &connections->at[i];
        if (connection->state != CONNECTION_WAITING || (of && !is_of_same(connection, of)))
            continue;
        unsigned held = count_held(connections, connection);
        if (found && (held < most || (held == most && connection->since_ms >= found->since_ms)))
            continue;
        found = connection;
        most = held;
    }
    return found;
}

struct connection *connections_add(struct connections *connections, int fd, const struct sockaddr *from,
                                   uint64_t now_ms, int *cut)
{
    struct connection added = {.state = CONNECTION_WAITING, .fd = fd, .since_ms = now_ms, .allowed_ms = REQUEST_MS};
    struct connection *place = find_free(connections), *victim = NULL;
    set_from(&added, from);
    bool over_share = !added.is_own && count_held(connections, &added) >= CONNECTIONS_OF_ONE;
    bool over_all = count_held(connections, NULL) >= CONNECTIONS_MAX;
    if (over_share || over_all)
        victim = find_waiting(connections, over_share ? &added : NULL);
    *cut = victim ? victim->fd : -1;
    if (!place || ((over_share || over_all) && !victim)) {
        *cut = fd;
        return NULL;
    }
    if (victim)
        victim->state = CONNECTION_ENDING;
    *place = added;
    return place;
}

void connection_remove(struct connection *connection) { connection->state = CONNECTION_FREE; }

/* ---- what it does ---- */

/* Sizes of answers are far below 2^64 / 1000. */
static uint64_t time_of(uint64_t size) { return size * 1000 / SENDING_RATE; }

void connection_begin(struct connection *connection, enum connection_state state, uint64_t size, uint64_t now_ms)
{
    if (!is_held(connection))
        return;
    connection->state = state;
    connection->since_ms = now_ms;
    connection->allowed_ms = state == CONNECTION_WAITING  ? REQUEST_MS
                             : state == CONNECTION_MAKING ? MAKING_MS
                                                          : SENDING_MS + time_of(size);
}

void connection_sent(struct connection *connection, uint64_t size, uint64_t made_ms)
{
    connection->allowed_ms += time_of(size) + made_ms;
}

bool connection_end_late(struct connection *connection, uint64_t now_ms)
{
    if (!is_held(connection) || now_ms - connection->since_ms <= connection->allowed_ms)
        return false;
    connection->state = CONNECTION_ENDING;
    return true;
}
