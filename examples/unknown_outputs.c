/* Prints the outputs without an address on a node's best chain, as CSV:  unknown_outputs DATADIR [NETWORK]
 *   cc unknown_outputs.c $(pkg-config --cflags --libs unktx) */
#include <stdio.h>
#include <unktx.h>

int main(int argc, char **argv)
{
    char error[UNKTX_ERROR_SIZE], txid[UNKTX_HEX_SIZE];
    struct unktx_reader *reader = argc > 1 ? unktx_open(argv[1], argc > 2 ? argv[2] : NULL, error) : NULL;
    if (!reader) {
        fprintf(stderr, "%s\n", argc > 1 ? error : "usage: unknown_outputs DATADIR [NETWORK]");
        return 1;
    }
    struct unktx_block block;
    struct unktx_output output;
    int step, damaged = 0;
    puts("height,txid,vout,value_sat,kind");
    while ((step = unktx_next_block(reader, &block)) != 0) {
        if (step < 0) {
            fprintf(stderr, "%s\n", unktx_error(reader));
            damaged = 1;
            continue;
        }
        while (unktx_next_output(reader, &output)) {
            if (!(output.unknown & UNKTX_CORE_22)) /* has an address in current releases */
                continue;
            unktx_txid(reader, output.tx, txid);
            printf("%lld,%s,%u,%llu,%s\n", (long long)block.height, txid, (unsigned)output.vout,
                   (unsigned long long)output.value_sat, unktx_kind_name(output.kind));
        }
    }
    unktx_close(reader);
    return damaged;
}
