#include "cli/views/html.h"

#include "parser/mem.h"
#include "parser/sha256.h"

/* At most 6 bytes for one. */
static char *put_escaped(char *out, const char *string, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (string[i]) {
        case '<': out = put_text(out, "&lt;"); break;
        case '>': out = put_text(out, "&gt;"); break;
        case '&': out = put_text(out, "&amp;"); break;
        case '"': out = put_text(out, "&quot;"); break;
        case '\'': out = put_text(out, "&#39;"); break;
        default: *out++ = string[i];
        }
    }
    return out;
}

void html_escaped(struct printer *printer, const char *string, size_t size)
{
    char *quoted = mem_alloc(4 * size + 1, 1);
    char *out = quoted && printer->status == STATUS_OK ? text_room(&printer->text, 24 * size) : NULL;
    if (out)
        text_end(&printer->text, put_escaped(out, quoted, (size_t)(put_quoted(quoted, string, size) - quoted)));
    else
        printer->status = STATUS_NOMEM;
    mem_free(quoted);
}

/* How many bytes HTML takes for one. */
static size_t cost_of(char c)
{
    if (strchr("<>&\"'", c)) /* and the terminator, which is written as \x00 */
        return 6;
    return (unsigned char)c < 0x20 || c == 0x7f ? 4 : 1;
}

void html_cut(struct printer *printer, const char *string, size_t size, size_t most)
{
    size_t kept = 0;
    for (size_t cost = 0; kept < size && (cost += cost_of(string[kept])) <= most; kept++)
        ;
    while (kept < size && kept > 0 && ((unsigned char)string[kept] & 0xc0) == 0x80)
        kept--; /* no half of a character */
    html_escaped(printer, string, kept);
    PRINT(printer, "%s", kept < size ? "\u2026" : "");
}

/* What a policy names a text by: its SHA-256 in base64 (RFC 4648). */
static void put_source(struct printer *printer, const char *const *parts)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t hash[33] = {0}; /* and a byte that makes a multiple of three */
    struct sha256_stream stream;
    sha256_begin(&stream);
    for (; *parts; parts++)
        sha256_add(&stream, *parts, strlen(*parts));
    sha256_end(&stream, hash);
    PRINT(printer, "%s", " 'sha256-");
    for (unsigned bit = 0; bit < 8 * 32; bit += 6) {
        unsigned two_bytes = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
        PRINT(printer, "%c", digits[two_bytes >> (10 - bit % 8) & 63]);
    }
    PRINT(printer, "%s", "='");
}

void html_allow_only(struct printer *printer, const char *const *style, const char *script)
{
    PRINT(printer, "%s",
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action "
          "'none'; "
          "img-src data:; style-src");
    put_source(printer, style);
    PRINT(printer, "%s", "; script-src");
    put_source(printer, (const char *[]){script, NULL});
    PRINT(printer, "%s", "\"/>\n");
}

void html_begin_section(struct printer *printer, const char *id, const char *title)
{
    PRINT(printer, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n", id, id, id,
          title);
}

void html_begin_table(struct printer *printer, const char *caption, const char *heads)
{
    PRINT(printer,
          "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table class=\"sortable\">\n"
          "<caption>%s</caption>\n<thead><tr>",
          caption, caption);
    for (size_t size; *heads; heads += size + (heads[size] == '|')) {
        size = strcspn(heads, "|");
        bool fixed = heads[0] == '-';
        PRINT(printer, "<th scope=\"col\"%s>%.*s</th>", fixed ? " data-fixed=\"\"" : "", (int)size - fixed,
              heads + fixed);
    }
    PRINT(printer, "</tr></thead>\n<tbody>\n");
}

void html_end_table(struct printer *printer) { PRINT(printer, "</tbody></table></div>\n"); }

void html_number(struct printer *printer, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<td class=\"n\">%s</td>", grouped(text, number));
}

void html_fact(struct printer *printer, const char *name, uint64_t number)
{
    char text[GROUPED_SIZE];
    PRINT(printer, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, grouped(text, number));
}

void html_value(struct printer *printer, const char *name, uint64_t value_sat)
{
    PRINT(printer, "<div><dt>%s</dt><dd>" BTC "</dd></div>\n", name, BTC_OF(value_sat));
}

void html_partial(struct printer *printer, uint32_t first_height, uint64_t roots, uint64_t maybe_roots)
{
    char first[GROUPED_SIZE], all[GROUPED_SIZE], maybe[GROUPED_SIZE];
    if (first_height == 0)
        return;
    PRINT(printer,
          "<p class=\"notice\"><strong>Partial:</strong> the chain from block %s on. Outputs made before it are not "
          "known, and their spends look like spends of known outputs; so %s of %s roots may not be roots, and T-DAGs "
          "with an input made before "
          "may be parts of larger ones.</p>\n",
          grouped(first, first_height), grouped(maybe, maybe_roots), grouped(all, roots));
}
