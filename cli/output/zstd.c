#include "cli/output/zstd.h"

#include <zstd.h>

#include "parser/mem.h"

#define LEVEL 1

struct zstd {
    ZSTD_CCtx *context;
};

enum status zstd_new(struct zstd **zstd, struct fault *fault)
{
    *zstd = mem_alloc(1, sizeof **zstd);
    if (!*zstd)
        return fault_nomem(fault);
    (*zstd)->context = ZSTD_createCCtx();
    if ((*zstd)->context && !ZSTD_isError(ZSTD_CCtx_setParameter((*zstd)->context, ZSTD_c_compressionLevel, LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter((*zstd)->context, ZSTD_c_checksumFlag, 1)))
        return STATUS_OK;
    zstd_free(*zstd);
    *zstd = NULL;
    return fault_nomem(fault);
}

void zstd_free(struct zstd *zstd)
{
    if (zstd)
        ZSTD_freeCCtx(zstd->context);
    mem_free(zstd);
}

void zstd_begin(struct zstd *zstd) { ZSTD_CCtx_reset(zstd->context, ZSTD_reset_session_only); }

enum status zstd_add(struct zstd *zstd, const char *bytes, size_t size, bool is_end, struct text *packed,
                     struct fault *fault)
{
    ZSTD_inBuffer in = {bytes, size, 0};
    size_t left;
    do {
        char *room = text_room(packed, ZSTD_CStreamOutSize());
        if (!room)
            return fault_nomem(fault);
        ZSTD_outBuffer out = {room, ZSTD_CStreamOutSize(), 0};
        left = ZSTD_compressStream2(zstd->context, &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) /* with valid parameters and a buffer it is memory alone that it can lack */
            return fault_nomem(fault);
        text_end(packed, room + out.pos);
    } while (is_end ? left > 0 : in.pos < in.size);
    return STATUS_OK;
}
