#include "cli/views/tx_scripts.h"

#include "parser/address.h"
#include "parser/pushes.h"

bool tx_scripts_open(struct tx_scripts *scripts, const uint8_t *bytes, size_t size, const struct hash256 *txid)
{
    struct tx *tx = &scripts->tx;
    struct cursor c = cursor_over(bytes, size);
    struct tx_input input;
    struct tx_output output;
    struct hash256 found;
    tx_begin(&c, tx);
    scripts->inputs = c;
    for (uint32_t i = 0; i < tx->inputs && cursor_ok(&c); i++)
        tx_input(&c, &input);
    tx_outputs(&c, tx);
    scripts->outputs = c;
    for (uint32_t i = 0; i < tx->outputs && cursor_ok(&c); i++)
        tx_output(&c, &output);
    scripts->witnesses = c;
    tx_end(&c, tx);
    scripts->next_input = scripts->next_output = 0;
    if (!cursor_ok(&c))
        return false;
    tx_id(tx, &found);
    return hash256_equal(&found, txid);
}

enum status tx_scripts_head(const struct tx_scripts *scripts, struct text *text)
{
    return text_printf(text, scripts->json ? ",\"version\":%d,\"locktime\":%u" : "    version %d, lock time %u\n",
                       (int)load_le32(scripts->tx.start), (unsigned)load_le32(scripts->tx.end - 4));
}

static enum status put_bytes(struct text *text, const uint8_t *bytes, size_t size)
{
    char *p = text_room(text, 2 * size);
    if (!p)
        return STATUS_NOMEM;
    text_end(text, put_hex(p, bytes, size));
    return STATUS_OK;
}

static enum status put_asm(struct text *text, const uint8_t *script, size_t size)
{
    char *p = text_room(text, script_asm_bound(size));
    if (!p)
        return STATUS_NOMEM;
    text_end(text, p + script_asm(script, size, p));
    return STATUS_OK;
}

enum status tx_scripts_put_script(struct text *text, bool json, const char *name, const uint8_t *script, size_t size)
{
    enum status status = text_printf(text, json ? ",\"%s_hex\":\"" : "      %s, hex: ", name);
    if (status == STATUS_OK)
        status = put_bytes(text, script, size);
    if (status == STATUS_OK)
        status = text_printf(text, json ? "\",\"%s_asm\":\"" : "\n      %s, asm: ", name);
    if (status == STATUS_OK)
        status = put_asm(text, script, size);
    return status == STATUS_OK ? text_printf(text, json ? "\"" : "\n") : status;
}

/* The items of one witness; takes them from the cursor. */
static enum status put_witness(const struct tx_scripts *scripts, struct text *text, struct pushes *witness)
{
    struct push item;
    enum status status = STATUS_OK;
    for (unsigned i = 0; status == STATUS_OK && pushes_next(witness, &item); i++) {
        if (scripts->json)
            status = text_printf(text, i ? ",\"" : "\"");
        else
            status = text_printf(text, "      witness %u: ", i);
        if (status == STATUS_OK)
            status = put_bytes(text, item.data, item.size);
        if (status == STATUS_OK)
            status = text_printf(text, scripts->json ? "\"" : "\n");
    }
    return status;
}

static struct pushes next_witness(struct tx_scripts *scripts)
{
    return pushes_of_witness(scripts->witnesses.at, cursor_left(&scripts->witnesses));
}

/* Steps over inputs up to `vin`, whose pieces these then are. */
static void go_to_input(struct tx_scripts *scripts, uint32_t vin, struct tx_input *input)
{
    struct push item;
    for (;; scripts->next_input++) {
        tx_input(&scripts->inputs, input);
        if (scripts->next_input == vin || !cursor_ok(&scripts->inputs))
            break;
        if (!scripts->tx.segwit)
            continue;
        struct pushes witness = next_witness(scripts);
        while (pushes_next(&witness, &item)) {
        }
        scripts->witnesses = witness.c;
    }
    scripts->next_input++;
}

enum status tx_scripts_input(struct tx_scripts *scripts, struct text *text, uint32_t vin)
{
    struct tx_input input;
    go_to_input(scripts, vin, &input);
    if (!input.script)
        return STATUS_FORMAT;
    enum status status = text_printf(text, scripts->json ? ",\"sequence\":%u" : "      sequence %u\n",
                                     (unsigned)load_le32(input.script + input.script_size));
    if (status == STATUS_OK)
        status = tx_scripts_put_script(text, scripts->json, scripts->json ? "script_sig" : "scriptSig", input.script,
                                       input.script_size);
    if (status == STATUS_OK && scripts->json)
        status = text_printf(text, ",\"witness\":[");
    if (status == STATUS_OK && scripts->tx.segwit) {
        struct pushes witness = next_witness(scripts);
        status = put_witness(scripts, text, &witness);
        scripts->witnesses = witness.c;
    }
    return status == STATUS_OK && scripts->json ? text_printf(text, "]") : status;
}

enum status tx_scripts_output(struct tx_scripts *scripts, struct text *text, uint32_t vout)
{
    struct tx_output output = {0};
    char address[ADDRESS_SIZE_MAX + 1];
    while (scripts->next_output <= vout && cursor_ok(&scripts->outputs)) {
        tx_output(&scripts->outputs, &output);
        scripts->next_output++;
    }
    if (!output.script)
        return STATUS_FORMAT;
    enum status status = tx_scripts_put_script(text, scripts->json, "script", output.script, output.script_size);
    *address_put(address, scripts->network, output.script, output.script_size) = '\0';
    if (status == STATUS_OK && scripts->json)
        status = text_printf(text, *address ? ",\"address\":\"%s\"" : ",\"address\":null", address);
    else if (status == STATUS_OK && *address)
        status = text_printf(text, "      address %s\n", address);
    if (status != STATUS_OK || !scripts->labels)
        return status;
    struct label_span span = address_labels_of(scripts->labels, address, strlen(address));
    return address_labels_print(scripts->labels, &span, scripts->json, "        ", text);
}
