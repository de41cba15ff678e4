/* info.c - the table of opcodes, made from opcodes.inc. */
#include "op/operand.h"

const pickle_op_info pickle__op_table[256] = {
#define PICKLE_OP(name, code, proto, operand, before, after) \
    [code] = { #name, code, proto, PICKLE_ARG_##operand, before, after },
#include <pickle/opcodes.inc>
#undef PICKLE_OP
};

const pickle_op_info *pickle_op_info_of(uint8_t code)
{
    const pickle_op_info *info = &pickle__op_table[code];

    return info->name ? info : NULL;
}
