/* connections: which connections a small web server keeps. There are so many at a time; a new one takes the place of
 * one that waits for a request, so that silent ones shut nobody out. Whoever takes an answer too slowly is late, and so
 * is a request that does not get whole.
 *
 * Nothing is read, sent or closed here, and times are the caller's: milliseconds of a monotonic clock.
 *
 * Thread rule: one thread at a time, which has the caller's lock. */
#ifndef UNKTX_CLI_OUTPUT_CONNECTIONS_H
#define UNKTX_CLI_OUTPUT_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

#define CONNECTIONS_MAX 64u    /* at a time, those apart that have been told to end */
#define CONNECTIONS_OF_ONE 16u /* of these, from another machine */
#define CONNECTIONS_ALL 256u   /* with those that have been told to end */
#define REQUEST_MS 10000u      /* for all of a request, and between two */
#define MAKING_MS 60000u       /* for an answer to be made */
#define SENDING_MS 20000u      /* for it to leave, and a second more for each SENDING_RATE bytes of it */
#define SENDING_RATE 131072u

enum connection_state {
    CONNECTION_FREE,
    CONNECTION_WAITING, /* for a request, or for the rest of one */
    CONNECTION_MAKING,  /* an answer */
    CONNECTION_SENDING, /* it */
    CONNECTION_ENDING   /* it has been told to end */
};

struct connection {
    enum connection_state state;
    int fd;
    uint64_t since_ms; /* when the state began */
    uint64_t allowed_ms;
    uint8_t from[16]; /* the machine at its other end: an address of IPv4, or the first half of one of IPv6 */
    bool is_own;      /* it is this machine */
};

/* Zero-initialise. */
struct connections {
    struct connection at[CONNECTIONS_ALL];
};

/* A new connection from that address. *cut is the socket that has to be shut down for it, -1 for none: that of the one
 * that waits for a request for longest, of the machine that has the most; its own (and the result NULL) where all are
 * at work. From another machine it takes the place of one of the same machine, once that has its share.
 * O(CONNECTIONS_ALL^2). */
struct connection *connections_add(struct connections *connections, int fd, const struct sockaddr *from,
                                   uint64_t now_ms, int *cut);
/* Its socket is about to be closed. */
void connection_remove(struct connection *connection);

/* It waits for a request from now on, or an answer of it is made, or one of this size leaves (0 where that is not known
 * yet). One that has been told to end stays so. */
void connection_begin(struct connection *connection, enum connection_state state, uint64_t size, uint64_t now_ms);
/* So many bytes more of its answer have been taken, and the next ones took so long to make, which is not the reader's
 * fault. */
void connection_sent(struct connection *connection, uint64_t size, uint64_t made_ms);

/* Is it over its time? Then it is one that has been told to end from now on. */
bool connection_end_late(struct connection *connection, uint64_t now_ms);

#endif
