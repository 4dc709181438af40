#include "cli/output/listening.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum status cannot_listen(const char *address, unsigned port, struct fault *fault)
{
    return fault_errno(fault, NULL, FAULT_NO_OFFSET, "cannot listen on %s, port %u%s", address, port,
                       errno == EADDRINUSE ? " (--port names another)" : "");
}

static unsigned port_of(const struct sockaddr_storage *own)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    memcpy(&six, own, sizeof six);
    memcpy(&four, own, sizeof four);
    return ntohs(own->ss_family == AF_INET6 ? six.sin6_port : four.sin_port);
}

static bool find_address(const char *address, const char *service, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    *found = NULL;
    return getaddrinfo(address, service, &hints, found) == 0;
}

bool listening_is_address(const char *address)
{
    struct addrinfo *found;
    bool is = find_address(address, "0", &found);
    if (is)
        freeaddrinfo(found);
    return is;
}

enum status listening_open(const char *address, unsigned *port, int *fd, struct fault *fault)
{
    struct addrinfo *found;
    struct sockaddr_storage own = {0};
    socklen_t own_size = sizeof own;
    char service[16];
    int one = 1;
    snprintf(service, sizeof service, "%u", *port);
    if (!find_address(address, service, &found))
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET, "--listen: '%s' is no numeric address", address);
    *fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool done = *fd >= 0 && setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                (found->ai_family != AF_INET6 || setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
                bind(*fd, found->ai_addr, found->ai_addrlen) == 0 && listen(*fd, 64) == 0 &&
                getsockname(*fd, (struct sockaddr *)&own, &own_size) == 0;
    enum status status = done ? STATUS_OK : cannot_listen(address, *port, fault);
    if (done)
        *port = port_of(&own);
    else if (*fd >= 0)
        close(*fd);
    freeaddrinfo(found);
    return status;
}
