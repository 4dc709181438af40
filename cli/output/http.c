#define _GNU_SOURCE
#include "cli/output/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/connections.h"
#include "cli/output/http_guard.h"
#include "cli/output/http_library.h"
#include "cli/output/listening.h"
#include "cli/output/target.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define CONNECTION_MEMORY (16u << 10) /* for the head of a request */
#define IDLE_S 15u                    /* without a byte */
#define PART_SIZE (64u << 10)
#define SEND_BUFFER (256 << 10) /* of the system: what is in it counts as taken */
#define SOCKETS 2u
/* MHD stops accepting at its own limit: those that have been told to end are to have room beside the others. */
#define OPEN_MAX (CONNECTIONS_ALL / SOCKETS)

/* A connection. What the address asked for is kept here until the headers are there too. */
struct slot {
    struct http *http;
    struct connection *connection;
    bool is_answered; /* before MHD has read all of the request: nothing else is sent */
    char target[TARGET_MAX + 2];
};

struct http {
    struct http_guard guard;
    http_handler *handler;
    void *context;
    struct MHD_Daemon *daemons[SOCKETS];
    unsigned daemons_count;
    char address[96];
    pthread_t watch; /* cuts off who is too slow */
    bool is_watched;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t end;
    pthread_cond_t turn_free;
    unsigned turns; /* answers that are being made */
    bool ends;
    struct connections connections;
    struct slot slots[CONNECTIONS_ALL]; /* of these, at the same place */
};

static struct http_library mhd;

/* ---- connections ---- */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct slot *slot_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void begin(struct slot *slot, enum connection_state state, size_t size)
{
    pthread_mutex_lock(&slot->http->lock);
    connection_begin(slot->connection, state, size, now_ms());
    pthread_mutex_unlock(&slot->http->lock);
}

static struct slot *take_slot(struct http *http, int fd, const struct sockaddr *from)
{
    static const int size = SEND_BUFFER;
    struct slot *slot = NULL;
    int cut;
    (void)!setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pthread_mutex_lock(&http->lock);
    struct connection *connection = connections_add(&http->connections, fd, from, now_ms(), &cut);
    if (cut >= 0)
        shutdown(cut, SHUT_RDWR);
    if (connection) {
        slot = &http->slots[connection - http->connections.at];
        slot->http = http;
        slot->connection = connection;
        slot->is_answered = false;
        slot->target[0] = '\0';
    }
    pthread_mutex_unlock(&http->lock);
    return slot;
}

/* The socket is open still when its end is told, so that no other file has its number while it is in a slot. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        int fd = info ? info->connect_fd : -1; /* since libmicrohttpd 1.0 the next question overwrites the answer */
        info = mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *socket_context = fd >= 0 ? take_slot(http, fd, info ? info->client_addr : NULL) : NULL;
        return;
    }
    struct slot *slot = *socket_context;
    if (!slot)
        return;
    pthread_mutex_lock(&http->lock);
    connection_remove(slot->connection);
    pthread_mutex_unlock(&http->lock);
    *socket_context = NULL;
}

/* With the lock held. */
static void cut_off_slow(struct http *http)
{
    uint64_t now = now_ms();
    for (unsigned i = 0; i < CONNECTIONS_ALL; i++) {
        if (connection_end_late(&http->connections.at[i], now))
            shutdown(http->connections.at[i].fd, SHUT_RDWR);
    }
}

/* Once a second, until the end. */
static void *watch(void *context)
{
    struct http *http = context;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&http->lock);
    while (!http->ends) {
        next.tv_sec++;
        while (!http->ends && pthread_cond_timedwait(&http->end, &http->lock, &next) == 0)
            ;
        cut_off_slow(http);
    }
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* ---- a request ---- */

static enum MHD_Result count_host(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
    unsigned *hosts = context;
    (void)kind;
    (void)value;
    *hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    return MHD_YES;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return mhd.lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static unsigned check(const struct http *http, struct MHD_Connection *connection)
{
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct http_headers headers = {.host = header(connection, MHD_HTTP_HEADER_HOST),
                                   .origin = header(connection, MHD_HTTP_HEADER_ORIGIN),
                                   .fetch_site = header(connection, "Sec-Fetch-Site"),
                                   .fetch_mode = header(connection, "Sec-Fetch-Mode"),
                                   .authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
                                   .has_body = (length && strcmp(length, "0") != 0) ||
                                               header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING)};
    mhd.get_connection_values(connection, MHD_HEADER_KIND, count_host, &headers.hosts);
    return http_guard_check(&http->guard, &headers);
}

/* ---- an answer ---- */

static const char *const always[][2] = {
    {"Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action "
                                "'self'; base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Frame-Options", "DENY"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

/* All of an answer without a body; the connection's end. */
static void answer_at_once(struct slot *slot, const char *status)
{
    char text[128];
    int size = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);
    slot->is_answered = true;
    (void)!send(slot->connection->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(slot->connection->fd, SHUT_WR);
}

/* The address as it was sent; later MHD decodes it in place. Where the fields of a query leave MHD no room for an
 * answer, it closes the connection without one: so what is too long is answered here. */
static void *on_target(void *context, const char *text, struct MHD_Connection *connection)
{
    struct slot *slot = slot_of(connection);
    size_t size = strlen(text), fields = 0;
    (void)context;
    for (size_t i = 0; i < size && size <= TARGET_MAX; i++)
        fields += text[i] == '&';
    if (slot && (size > TARGET_MAX || fields > TARGET_FIELDS))
        answer_at_once(slot, size > TARGET_MAX ? "414 URI Too Long" : "400 Bad Request");
    else if (slot)
        memcpy(slot->target, text, size + 1);
    return NULL;
}

static void add_headers(struct MHD_Response *response, const struct http_answer *answer)
{
    char disposition[sizeof answer->file + 32];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        mhd.add_response_header(response, always[i][0], always[i][1]);
    mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type ? answer->type : "text/plain");
    mhd.add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, answer->keep ? "max-age=600" : "no-store");
    if (answer->again)
        mhd.add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    if (answer->location[0])
        mhd.add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location);
    if (answer->status == MHD_HTTP_UNAUTHORIZED)
        mhd.add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"unktx\", charset=\"UTF-8\"");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        mhd.add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (answer->file[0]) {
        snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", answer->file);
        mhd.add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    }
}

/* An answer in parts: what is left of the part that is being sent. */
struct parts {
    struct slot *slot; /* until the connection ends */
    struct text text;
    size_t sent;
    http_part *part;
    void (*end)(void *context);
    void *context;
};

/* The reader has taken the one before. */
static bool make_part(struct parts *parts)
{
    struct slot *slot = parts->slot;
    size_t taken = parts->text.size;
    uint64_t begun_ms = now_ms();
    parts->sent = parts->text.size = 0;
    enum status status = parts->part(parts->context, &parts->text);
    pthread_mutex_lock(&slot->http->lock);
    connection_sent(slot->connection, taken, now_ms() - begun_ms);
    pthread_mutex_unlock(&slot->http->lock);
    return status == STATUS_OK;
}

static ssize_t read_part(void *context, uint64_t position, char *out, size_t size)
{
    struct parts *parts = context;
    (void)position;
    if (parts->sent == parts->text.size) {
        if (stop_requested() || !make_part(parts))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (parts->text.size == 0)
            return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t left = parts->text.size - parts->sent;
    size = size < left ? size : left;
    memcpy(out, parts->text.bytes + parts->sent, size);
    parts->sent += size;
    return (ssize_t)size;
}

static void end_parts(void *context)
{
    struct parts *parts = context;
    if (parts->end)
        parts->end(parts->context);
    text_free(&parts->text);
    mem_free(parts);
}

static struct MHD_Response *respond_in_parts(struct slot *slot, struct http_answer *answer)
{
    struct parts *parts = mem_alloc(1, sizeof *parts);
    struct MHD_Response *response = NULL;
    if (parts) {
        *parts = (struct parts){
            .slot = slot, .text = answer->body, .part = answer->part, .end = answer->end, .context = answer->context};
        answer->body = (struct text){0};
        response = mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, PART_SIZE, read_part, parts, end_parts);
        if (!response)
            end_parts(parts);
    } else if (answer->end) {
        answer->end(answer->context);
    }
    return response;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct slot *slot, struct http_answer *answer)
{
    struct MHD_Response *response;
    begin(slot, CONNECTION_SENDING, answer->body.size);
    if (answer->part) {
        response = respond_in_parts(slot, answer);
    } else {
        response = mhd.create_response_from_buffer_with_free_callback(
            answer->body.size, answer->body.size ? answer->body.bytes : "", answer->body.size ? mem_free : NULL);
        if (response && answer->body.size)
            answer->body = (struct text){0};
    }
    text_free(&answer->body);
    if (!response)
        return MHD_NO;
    add_headers(response, answer);
    enum MHD_Result result = mhd.queue_response(connection, answer->status ? answer->status : 500, response);
    mhd.destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, struct slot *slot, unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } texts[] = {{400, "This is no request that unktx answers.\n"},
                 {401, "The token is asked for: give it as the password, with any name.\n"},
                 {403, "unktx answers only to its own pages and to its own address.\n"},
                 {405, "unktx answers GET and HEAD only.\n"}};
    struct http_answer answer = {.status = status, .type = "text/plain"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].status == status && text_printf(&answer.body, "%s", texts[i].text) != STATUS_OK)
            return MHD_NO;
    }
    return send_answer(connection, slot, &answer);
}

/* Answers are made by a few threads at a time, so that their memory is bounded; they leave without that bound. */
static void take_turn(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    while (http->turns == HTTP_TURNS)
        pthread_cond_wait(&http->turn_free, &http->lock);
    http->turns++;
    pthread_mutex_unlock(&http->lock);
}

static void end_turn(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->turns--;
    pthread_cond_signal(&http->turn_free);
    pthread_mutex_unlock(&http->lock);
}

/* Called first with the headers: an answer then ends the connection, since nothing more is read from it. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct http *http = context;
    struct slot *slot = slot_of(connection);
    struct http_answer answer = {0};
    (void)url;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (!slot || slot->is_answered)
        return MHD_NO;
    if (*state) { /* all of it is there, and it was good */
        begin(slot, CONNECTION_MAKING, 0);
        take_turn(http);
        http->handler(http->context, slot->target, &answer);
        end_turn(http);
        return send_answer(connection, slot, &answer);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(connection, slot, MHD_HTTP_METHOD_NOT_ALLOWED);
    unsigned status = check(http, connection);
    if (status != MHD_HTTP_OK)
        return refuse(connection, slot, status);
    *state = slot;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct slot *slot = slot_of(connection);
    (void)context;
    (void)state;
    (void)code;
    if (slot)
        begin(slot, CONNECTION_WAITING, 0);
}

/* ---- start and end ---- */

static enum status cannot_start(struct fault *fault)
{
    return fault_set(fault, STATUS_RESOURCES, NULL, FAULT_NO_OFFSET, "the web server cannot start its threads");
}

static enum status start_daemon(struct http *http, int fd, struct fault *fault)
{
    struct MHD_Daemon *daemon = mhd.start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_AUTO, 0, NULL, NULL, on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, OPEN_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!daemon) {
        close(fd);
        return cannot_start(fault);
    }
    http->daemons[http->daemons_count++] = daemon;
    return STATUS_OK;
}

/* Without IPv6, 127.0.0.1 alone will do. */
static enum status start_all(struct http *http, struct fault *fault)
{
    const char *first = http->guard.address ? http->guard.address : "127.0.0.1";
    struct fault none = {0};
    int fd = -1;
    enum status status = http_library_load(&mhd, fault);
    if (status == STATUS_OK)
        status = listening_open(first, &http->guard.port, &fd, fault);
    if (status == STATUS_OK)
        status = start_daemon(http, fd, fault);
    if (status == STATUS_OK && !http->guard.address &&
        listening_open("::1", &http->guard.port, &fd, &none) == STATUS_OK)
        status = start_daemon(http, fd, fault);
    snprintf(http->address, sizeof http->address, strchr(first, ':') ? "http://[%s]:%u/" : "http://%s:%u/", first,
             http->guard.port);
    if (status != STATUS_OK)
        return status;
    http->is_watched = pthread_create(&http->watch, NULL, watch, http) == 0;
    return http->is_watched ? STATUS_OK : cannot_start(fault);
}

static void make_lock(struct http *http)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&http->end, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&http->turn_free, NULL);
}

/* Signals come to the thread that waits for them, and to no thread of the server. */
enum status http_start(const struct http_options *options, http_handler *handler, void *context, struct http **http,
                       struct fault *fault)
{
    struct in6_addr address;
    sigset_t all, before;
    *http = mem_alloc(1, sizeof **http);
    if (!*http)
        return fault_nomem(fault);
    (*http)->guard = (struct http_guard){.address = options->address, .token = options->token, .port = options->port};
    if (options->address &&
        (strcmp(options->address, "0.0.0.0") == 0 ||
         (inet_pton(AF_INET6, options->address, &address) == 1 && memcmp(&address, &in6addr_any, sizeof address) == 0)))
        (*http)->guard.any_address = true;
    (*http)->handler = handler;
    (*http)->context = context;
    make_lock(*http);
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* of a lost page: that thread is to say so (signals.h) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum status status = start_all(*http, fault);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

const char *http_address(const struct http *http) { return http->address; }

void http_stop(struct http *http)
{
    if (!http)
        return;
    pthread_mutex_lock(&http->lock);
    http->ends = true;
    pthread_cond_signal(&http->end);
    pthread_mutex_unlock(&http->lock);
    if (http->is_watched)
        pthread_join(http->watch, NULL);
    for (unsigned i = 0; i < http->daemons_count; i++)
        mhd.stop_daemon(http->daemons[i]);
    pthread_cond_destroy(&http->end);
    pthread_cond_destroy(&http->turn_free);
    pthread_mutex_destroy(&http->lock);
    mem_free(http);
}
