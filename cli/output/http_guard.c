#include "cli/output/http_guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE 80u

/* "NAME:PORT", or "NAME" alone where the port is that of http: the name, in brackets if it is an address of IPv6. */
static bool split_host(const struct http_guard *guard, const char *host, char name[NAME_SIZE])
{
    char port[16];
    const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");
    if (!end)
        return false;
    end += *end == ']';
    size_t size = (size_t)(end - host);
    if (size == 0 || size >= NAME_SIZE)
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    snprintf(port, sizeof port, ":%u", guard->port);
    return strcmp(end, port) == 0 || (!*end && guard->port == 80);
}

static bool is_numeric(const char *name)
{
    struct in6_addr address;
    char inside[NAME_SIZE];
    if (name[0] != '[')
        return inet_pton(AF_INET, name, &address) == 1;
    size_t size = strlen(name) - 2;
    memcpy(inside, name + 1, size);
    inside[size] = '\0';
    return inet_pton(AF_INET6, inside, &address) == 1;
}

static bool is_own_host(const struct http_guard *guard, const char *host)
{
    char name[NAME_SIZE], own[NAME_SIZE];
    if (!split_host(guard, host, name))
        return false;
    if (guard->any_address)
        return is_numeric(name) || strcasecmp(name, "localhost") == 0;
    if (!guard->address)
        return strcasecmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 || strcmp(name, "[::1]") == 0;
    snprintf(own, sizeof own, strchr(guard->address, ':') ? "[%s]" : "%s", guard->address);
    return strcasecmp(name, own) == 0;
}

/* The same Host with http:// before it. */
static bool is_own_origin(const char *host, const char *origin)
{
    static const char scheme[] = "http://";
    return strncasecmp(origin, scheme, sizeof scheme - 1) == 0 && strcasecmp(origin + sizeof scheme - 1, host) == 0;
}

/* A page of another site may have a link to here, but nothing of here in it. */
static bool is_foreign(const struct http_headers *headers)
{
    bool own = !headers->fetch_site || strcmp(headers->fetch_site, "same-origin") == 0 ||
               strcmp(headers->fetch_site, "none") == 0;
    return !own && !(headers->fetch_mode && strcmp(headers->fetch_mode, "navigate") == 0);
}

/* ---- the token ---- */

#define PASSWORD_MAX 512u

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Base64 (RFC 4648), as far as `out` has room. */
static size_t decode_base64(const char *text, char out[PASSWORD_MAX])
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;
    for (int value; (value = value_of(*text)) >= 0 && size < PASSWORD_MAX; text++) {
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (char)(bits >> held & 0xff);
        }
    }
    return size;
}

static bool is_token(const char *token, const char *given, size_t size)
{
    size_t token_size = strlen(token);
    unsigned differ = token_size != size;
    for (size_t i = 0; i < size; i++)
        differ |= (unsigned)(given[i] ^ token[token_size ? i % token_size : 0]);
    return !differ;
}

static bool has_token(const char *token, const char *authorization)
{
    char decoded[PASSWORD_MAX];
    if (!authorization)
        return false;
    if (strncasecmp(authorization, "Bearer ", 7) == 0)
        return is_token(token, authorization + 7, strlen(authorization + 7));
    if (strncasecmp(authorization, "Basic ", 6) != 0)
        return false;
    size_t size = decode_base64(authorization + 6, decoded);
    const char *colon = memchr(decoded, ':', size);
    return colon && is_token(token, colon + 1, size - (size_t)(colon + 1 - decoded));
}

unsigned http_guard_check(const struct http_guard *guard, const struct http_headers *headers)
{
    if (headers->hosts != 1 || !headers->host || headers->has_body)
        return 400;
    if (!is_own_host(guard, headers->host))
        return 403;
    if (headers->origin && !is_own_origin(headers->host, headers->origin))
        return 403;
    if (is_foreign(headers))
        return 403;
    return guard->token && !has_token(guard->token, headers->authorization) ? 401 : 200;
}
