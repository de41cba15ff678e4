/*
 * optimize.c - a pickle without the memo entries that nothing gets. Which
 * opcodes go, and where frames end, is as in CPython's pickletools.optimize.
 */
#include "op/dis_memo.h"
#include "op/emit.h"

#include <pickle/write.h>

typedef struct optimizer {
    pickle_emitter e;
    pickle_parser parser;
    const unsigned char *data;
    pickle_dis_memo used;   /* keys that are got, with their new keys, or -1 */
    pickle_dis_memo stored; /* keys that were put so far                      */
    int protocol;
    bool has_header; /* PROTO is the first opcode */
    pickle_buf scratch;
    pickle_error *err;
} optimizer;

typedef enum action { COPY, PUT, GET, DROP } action;

static action action_of(const pickle_event *ev)
{
    switch (ev->op->code) {
    case PICKLE_OP_PUT:
    case PICKLE_OP_BINPUT:
    case PICKLE_OP_LONG_BINPUT:
    case PICKLE_OP_MEMOIZE:
        return PUT;
    case PICKLE_OP_GET:
    case PICKLE_OP_BINGET:
    case PICKLE_OP_LONG_BINGET:
        return GET;
    case PICKLE_OP_FRAME:
        return DROP;
    default:
        return COPY;
    }
}

/* The key of a PUT or GET; MEMOIZE takes the number of keys so far. */
static bool key_of(optimizer *o, const pickle_event *ev, pickle__memo_key *key)
{
    pickle__arg arg;

    *key = (pickle__memo_key){ .num = (int64_t)o->stored.count };
    if (ev->op->code == PICKLE_OP_MEMOIZE)
        return true;
    o->scratch.len = 0;
    if (!pickle__arg_decode(&arg, ev, &o->scratch, o->err))
        return false;
    key->num = arg.num;
    if (arg.kind == PICKLE__ARG_BIGINT) {
        key->digits = (const char *)arg.data;
        key->len = arg.len;
    }
    return true;
}

/* False: no memory. */
static bool add(optimizer *o, pickle_dis_memo *memo, pickle__memo_key key)
{
    pickle__known unknown = { .kind = PICKLE__KNOWN_INT, .num = -1 };

    return pickle__memo_find(memo, key) || pickle__memo_add(memo, key, unknown) ||
           pickle__no_memory(o->err, 0);
}

/* First pass: which keys are got, and the protocol. */
static bool look(optimizer *o, const pickle_event *ev)
{
    pickle__memo_key key;

    if (ev->op->code == PICKLE_OP_PROTO) {
        o->has_header |= ev->offset == 0;
        if (ev->num > o->protocol)
            o->protocol = (int)ev->num;
    }
    if (action_of(ev) != GET)
        return true;
    if (ev->op->proto > o->protocol)
        o->protocol = ev->op->proto;
    return key_of(o, ev, &key) && add(o, &o->used, key);
}

static bool put(optimizer *o, pickle__memo_key key)
{
    pickle__known *used = pickle__memo_find(&o->used, key);

    if (!add(o, &o->stored, key))
        return false;
    if (used) {
        pickle__emit_boundary(&o->e);
        used->num = (int64_t)pickle_emit_put(&o->e);
    }
    return true;
}

static bool get(optimizer *o, pickle__memo_key key, const pickle_event *ev)
{
    const pickle__known *used = pickle__memo_find(&o->used, key);

    if (!used || used->num < 0)
        return pickle__fail(o->err, PICKLE_ERR_MEMO, ev->offset,
                            "nothing was stored under this memo key");
    pickle_emit_get(&o->e, (uint64_t)used->num);
    return true;
}

/* Second pass. */
static bool rewrite(optimizer *o, const pickle_event *ev)
{
    action what = action_of(ev);
    pickle__memo_key key;

    if (what == DROP || (ev->offset == 0 && o->has_header))
        return true;
    if (what == COPY) {
        if (ev->size > PICKLE__FRAME_TARGET)
            pickle_emit_raw(&o->e, o->data + ev->offset, (size_t)ev->size);
        else
            pickle__emit_copy(&o->e, o->data + ev->offset, (size_t)ev->size);
        return true;
    }
    return key_of(o, ev, &key) && (what == PUT ? put(o, key) : get(o, key, ev));
}

static bool each_opcode(optimizer *o, size_t size, bool (*visit)(optimizer *, const pickle_event *))
{
    pickle_event ev;
    pickle_status status;

    pickle_parser_init(&o->parser, o->data, size);
    while ((status = pickle_parser_next(&o->parser, &ev)) == PICKLE_OK)
        if (!visit(o, &ev))
            return false;
    if (status != PICKLE_END)
        *o->err = *pickle_parser_error(&o->parser);
    return status == PICKLE_END;
}

bool pickle_optimize(const void *data, size_t size, pickle_sink out, pickle_error *err)
{
    pickle_error own;
    optimizer o = { .data = data, .err = err ? err : &own };
    bool ok;

    if (!pickle__emitter_init(&o.e, out, NULL))
        return pickle__no_memory(err, 0);
    ok = each_opcode(&o, size, look);
    if (ok && o.protocol > 5)
        ok = pickle__fail(o.err, PICKLE_ERR_OPERAND, 0, "protocol %d is not known", o.protocol);
    if (ok) {
        pickle__emit_begin(&o.e, o.protocol);
        if (o.has_header)
            pickle_emit_raw(&o.e, data, 2);
        ok = each_opcode(&o, size, rewrite);
    }
    if (!ok)
        pickle__emit_fail(&o.e, o.err->code, "%s", o.err->message);
    pickle__memo_clear(&o.used);
    pickle__memo_clear(&o.stored);
    pickle_buf_free(&o.scratch);
    if (!pickle__emitter_close(&o.e) && ok) {
        *o.err = o.e.error;
        return false;
    }
    return ok;
}
