/* parser.c - the pull parser: bytes in, opcodes out. */
#include "op/operand.h"

/* Where the parser stands. */
enum {
    AT_OPCODE,
    IN_HEAD,    /* carry holds an opcode whose fixed part is not complete        */
    IN_OPERAND, /* behind the head: `remaining` bytes or lines are still to come */
    AT_STOP,    /* STOP was delivered                                            */
    AT_END,     /* and so was PICKLE_END                                         */
    FAILED
};

#define HEAD_MAX 9 /* opcode and fixed part */

static size_t bytes_left(const pickle_parser *p)
{
    return (size_t)(p->end - p->at);
}

static uint64_t tell(const pickle_parser *p)
{
    return p->base - bytes_left(p);
}

static void set_chunk(pickle_parser *p, const void *data, size_t size, bool final)
{
    p->at = size ? data : (const unsigned char *)"";
    p->end = p->at + size;
    p->base += size;
    p->final = final;
}

void pickle_parser_start(pickle_parser *p)
{
    p->base = 0;
    p->carried = 0;
    p->state = AT_OPCODE;
    p->error.code = PICKLE_OK;
    set_chunk(p, NULL, 0, false);
}

void pickle_parser_init(pickle_parser *p, const void *data, size_t size)
{
    pickle_parser_start(p);
    set_chunk(p, data, size, true);
}

void pickle_parser_feed(pickle_parser *p, const void *data, size_t size, bool final)
{
    set_chunk(p, data, size, final);
}

const pickle_error *pickle_parser_error(const pickle_parser *p)
{
    return p->error.code ? &p->error : NULL;
}

/* Ends the parse with the error that was just filled in. */
static pickle_status failed(pickle_parser *p, uint8_t opcode)
{
    p->error.opcode = opcode;
    p->state = FAILED;
    return p->error.code;
}

PICKLE__COLD static pickle_status fail_cut(pickle_parser *p, uint64_t offset, uint8_t opcode)
{
    pickle__fail(&p->error, PICKLE_ERR_TRUNCATED, offset, "the input ends inside %s",
                 pickle__op_table[opcode].name);
    return failed(p, opcode);
}

/* The chunk is used up: what that means depends on where. */
PICKLE__COLD static pickle_status need_chunk(pickle_parser *p)
{
    if (!p->final)
        return PICKLE_MORE;
    switch (p->state) {
    case AT_END:
        return PICKLE_END;
    case IN_HEAD:
        return fail_cut(p, tell(p) - p->carried, p->carry[0]);
    case IN_OPERAND:
        return fail_cut(p, p->op_offset, p->op->code);
    default:
        pickle__fail(&p->error, PICKLE_ERR_TRUNCATED, tell(p), "the input ends before STOP");
        return failed(p, 0);
    }
}

/* How much of the chunk belongs to the operand; `*lines` counts down with each LF. */
static size_t measure_lines(const pickle_parser *p, uint64_t *lines)
{
    const unsigned char *at = p->at;

    while (*lines > 0) {
        const unsigned char *lf = memchr(at, '\n', (size_t)(p->end - at));

        if (!lf)
            return bytes_left(p);
        at = lf + 1;
        --*lines;
    }
    return (size_t)(at - p->at);
}

/* Deliver what the chunk holds of the operand: all of it, the next piece, or nothing. */
static pickle_status continue_operand(pickle_parser *p, pickle_event *ev)
{
    bool text = pickle__operand_shape(p->op->operand) == PICKLE__LINES;
    uint64_t remaining = p->remaining;
    size_t len;

    if (text) {
        len = measure_lines(p, &remaining);
    } else {
        len = remaining < bytes_left(p) ? (size_t)remaining : bytes_left(p);
        remaining -= len;
    }
    if (remaining > 0 && (len == 0 || p->final))
        return need_chunk(p);
    *ev = (pickle_event){ .op = p->op,
                          .offset = p->op_offset,
                          .size = p->delivered + len,
                          .total = p->total,
                          .data = p->at,
                          .len = text && remaining == 0 ? len - 1 : len,
                          .first = p->delivered == 1 + pickle__operand_fixed(p->op->operand),
                          .last = remaining == 0 };
    p->at += len;
    p->delivered += len;
    p->remaining = remaining;
    p->state = remaining == 0 ? AT_OPCODE : IN_OPERAND;
    return PICKLE_OK;
}

/* An operand that is text, or does not lie in the chunk. `total` is its length, if it has one. */
static pickle_status begin_operand(pickle_parser *p, pickle_event *ev, const pickle_op_info *op,
                                   uint64_t offset, uint64_t total)
{
    bool text = pickle__operand_shape(op->operand) == PICKLE__LINES;

    p->op = op;
    p->op_offset = offset;
    p->delivered = 1 + pickle__operand_fixed(op->operand);
    p->total = total;
    p->remaining = !text ? total : op->operand == PICKLE_ARG_TWOLINES ? 2 : 1;
    p->state = IN_OPERAND;
    return continue_operand(p, ev);
}

PICKLE__COLD static pickle_status fail_length(pickle_parser *p, uint64_t offset,
                                              const pickle_op_info *op)
{
    pickle__fail(&p->error, PICKLE_ERR_OPERAND, offset, "the length of %s is out of range",
                 op->name);
    return failed(p, op->code);
}

PICKLE__COLD static pickle_status fail_opcode(pickle_parser *p)
{
    pickle__fail(&p->error, PICKLE_ERR_OPCODE, tell(p), "no opcode has the code 0x%02x", *p->at);
    return failed(p, *p->at);
}

/*
 * Deliver the opcode whose head, opcode and fixed part, is at `head`. p->at is
 * behind the head. Inlined with a constant `kind`, so that each kind of
 * operand has straight code of its own.
 */
PICKLE__INLINE pickle_status deliver(pickle_parser *p, pickle_event *ev, const unsigned char *head,
                                     pickle_operand kind)
{
    const pickle_op_info *op = &pickle__op_table[*head];
    unsigned head_size = 1 + pickle__operand_fixed(kind);
    uint64_t offset = tell(p) - head_size;
    int64_t num = kind == PICKLE_ARG_F8 ? 0 : pickle__operand_number(kind, head + 1);

    if (pickle__operand_shape(kind) == PICKLE__FIXED) {
        *ev = (pickle_event){ .op = op,
                              .offset = offset,
                              .size = head_size,
                              .num = num,
                              .real = kind == PICKLE_ARG_F8 ? pickle__f64_be(head + 1) : 0,
                              .first = true,
                              .last = true };
        p->state = kind == PICKLE_ARG_NONE && *head == PICKLE_OP_STOP ? AT_STOP : AT_OPCODE;
        return PICKLE_OK;
    }
    if (pickle__unlikely(num < 0))
        return fail_length(p, offset, op);
    if (pickle__operand_shape(kind) == PICKLE__LINES || (uint64_t)num > bytes_left(p))
        return begin_operand(p, ev, op, offset, (uint64_t)num);
    *ev = (pickle_event){ .op = op,
                          .offset = offset,
                          .size = head_size + (uint64_t)num,
                          .total = (uint64_t)num,
                          .data = p->at,
                          .len = (size_t)num,
                          .first = true,
                          .last = true };
    p->at += num;
    p->state = AT_OPCODE;
    return PICKLE_OK;
}

/* Collect a head that is cut by the end of a chunk, or might be. */
static pickle_status gather_head(pickle_parser *p, pickle_event *ev)
{
    const pickle_op_info *op;
    size_t need;

    if (p->state != IN_HEAD) {
        if (p->at == p->end)
            return need_chunk(p);
        op = &pickle__op_table[*p->at];
        if (!op->name)
            return fail_opcode(p);
        p->carried = 0;
        p->state = IN_HEAD;
    }
    do {
        if (p->at == p->end)
            return need_chunk(p);
        p->carry[p->carried++] = *p->at++;
        op = &pickle__op_table[p->carry[0]];
        need = 1 + pickle__operand_fixed(op->operand);
    } while (p->carried < need);
    return deliver(p, ev, p->carry, op->operand);
}

PICKLE__COLD static pickle_status next_in_state(pickle_parser *p, pickle_event *ev)
{
    switch (p->state) {
    case IN_OPERAND:
        return continue_operand(p, ev);
    case AT_STOP:
        p->state = AT_END;
        return PICKLE_END;
    case FAILED:
        return p->error.code;
    default:
        return gather_head(p, ev);
    }
}

pickle_status pickle_parser_next(pickle_parser *p, pickle_event *ev)
{
    const unsigned char *head = p->at;

    if (pickle__unlikely(p->state != AT_OPCODE || bytes_left(p) < HEAD_MAX))
        return next_in_state(p, ev);
    switch (*head) {
#define PICKLE_OP(name, code, proto, operand, before, after)      \
    case code:                                                    \
        p->at += 1 + pickle__operand_fixed(PICKLE_ARG_##operand); \
        return deliver(p, ev, head, PICKLE_ARG_##operand);
#include <pickle/opcodes.inc>
#undef PICKLE_OP
    default:
        return gather_head(p, ev);
    }
}

const void *pickle_parser_rest(const pickle_parser *p, size_t *len)
{
    *len = p->state == IN_HEAD || p->state == IN_OPERAND ? 0 : bytes_left(p);
    return *len ? p->at : NULL;
}

size_t pickle_parser_skip(pickle_parser *p, size_t count)
{
    size_t len;

    pickle_parser_rest(p, &len);
    if (len > count)
        len = count;
    p->at += len;
    return len;
}

/* Step over the opcode at `*at`; false if that takes more than a look at its head. */
PICKLE__INLINE bool step(const unsigned char **at, const unsigned char *end, uint8_t code,
                         pickle_operand kind)
{
    pickle__shape shape = pickle__operand_shape(kind);
    const unsigned char *next = *at + 1 + pickle__operand_fixed(kind);

    if (code == PICKLE_OP_STOP || shape == PICKLE__LINES)
        return false;
    if (shape == PICKLE__SIZED) {
        int64_t len = pickle__operand_number(kind, *at + 1);

        if (len < 0 || len > end - next)
            return false;
        next += len;
    }
    *at = next;
    return true;
}

/*
 * The first opcode from `at` on that step() declines. The switch lets the branch
 * predictor run ahead of the loads; with a table of sizes each step waits for
 * the last, which takes four times as long.
 */
static const unsigned char *scan(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= HEAD_MAX) {
        switch (*at) {
#define PICKLE_OP(name, code, proto, operand, before, after) \
    case code:                                               \
        if (!step(&at, end, code, PICKLE_ARG_##operand))     \
            return at;                                       \
        break;
#include <pickle/opcodes.inc>
#undef PICKLE_OP
        default:
            return at;
        }
    }
    return at;
}

pickle_status pickle_skip(const void *data, size_t size, size_t *len, pickle_error *err)
{
    pickle_parser p;
    pickle_event ev;
    pickle_status status;

    pickle_parser_init(&p, data, size);
    do {
        p.at = scan(p.at, p.end);
        status = pickle_parser_next(&p, &ev);
    } while (status == PICKLE_OK && p.state != AT_STOP);
    if (status == PICKLE_OK)
        *len = (size_t)tell(&p);
    else if (err)
        *err = p.error;
    return status;
}
