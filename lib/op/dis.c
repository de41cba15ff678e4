/* dis.c - the disassembler: what pickletools.dis prints, and where it stops. */
#include <inttypes.h>
#include <stdio.h>

#include "op/annotate.h"
#include "op/dis_memo.h"
#include "op/operand_text.h"
#include "op/trace.h"

#define NAME_COLUMNS  10 /* operands line up behind names of up to that length   */
#define NOTE_COLUMN   30 /* where annotations start, unless a line is too long   */
#define NOTE_FARTHEST 50 /* ... which moves those of the lines after it, up to here */

/* Output, gathered into large writes. A sink that fails is not called again. */
typedef struct printer {
    pickle_sink sink;
    bool failed;
    size_t column; /* characters since the offset of the line */
    size_t len;
    unsigned char buf[8192];
} printer;

/* What pickletools emulates of the pickle machine. */
typedef struct level {
    pickle_buf stack;    /* of pickle__known                    */
    pickle_buf marks;    /* of uint64_t: where the MARKs are    */
    pickle_dis_memo own; /* the memo, unless the caller has one */
    pickle_dis_memo *memo;
} level;

typedef struct dis {
    pickle_dis_opts opts;
    pickle_error err;
    pickle_parser parser;
    pickle_buf scratch; /* the operand, decoded                     */
    pickle_buf digits;  /* a large integer, in decimal              */
    size_t indent;      /* blanks per level                         */
    size_t note_column; /* where the annotation starts, if it can   */
    int proto;          /* the highest so far                       */
    level outer, nested;
    level *at; /* `nested` inside of joblib's arrays of objects     */
    printer out;
} dis;

/* One opcode, on its way from the parser to its line and its effect. */
typedef struct step {
    const pickle_event *ev;
    pickle__arg arg;
    pickle__memo_key key;  /* of the memo opcodes                     */
    pickle__known value;   /* what GET finds there                    */
    size_t pops;           /* objects, below the mark if there is one */
    size_t pushes;         /* objects                                 */
    size_t cut;            /* stack without the mark and all above it */
    bool to_mark;          /* pops everything down to a mark          */
    char note[48];         /* shown behind the operand                */
    pickle_status trouble; /* found before the line, told after it    */
    const char *reason;
} step;

/* ------------------------------------------------------------------ output */

static void flush(printer *out)
{
    if (out->len > 0 && !out->failed)
        out->failed = !out->sink.write(out->sink.ctx, out->buf, out->len);
    out->len = 0;
}

static bool put(void *ctx, const void *data, size_t len)
{
    printer *out = ctx;
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        out->column += (p[i] & 0xc0) != 0x80;
    while (len > 0 && !out->failed) {
        size_t n = sizeof out->buf - out->len;

        n = len < n ? len : n;
        memcpy(out->buf + out->len, p, n);
        out->len += n;
        p += n;
        len -= n;
        if (out->len == sizeof out->buf)
            flush(out);
    }
    return !out->failed;
}

static void put_text(dis *d, const char *text)
{
    put(&d->out, text, strlen(text));
}

static void put_blanks(dis *d, uint64_t count)
{
    static const char blanks[] = "                                                                ";

    while (count > 0 && !d->out.failed) {
        size_t n = count < sizeof blanks - 1 ? (size_t)count : sizeof blanks - 1;

        put(&d->out, blanks, n);
        count -= n;
    }
}

static void start_line(dis *d, uint64_t offset)
{
    char text[32];

    snprintf(text, sizeof text, "%5" PRIu64 ": ", offset);
    put_text(d, text);
    d->out.column = 0;
}

static uint64_t depth(const dis *d)
{
    size_t marks = d->outer.marks.len;

    if (d->at == &d->nested)
        marks += sizeof(uint64_t) + d->nested.marks.len;
    return marks / sizeof(uint64_t);
}

/* The code as repr() has it, padded, and the indentation. */
static void put_code(dis *d, const char *code)
{
    put_text(d, code);
    put_blanks(d, 5 - strlen(code) + depth(d) * d->indent);
}

static void put_annotation(dis *d, uint8_t opcode)
{
    if (d->out.column < d->note_column)
        put_blanks(d, d->note_column - d->out.column);
    d->note_column = d->out.column > NOTE_FARTHEST ? NOTE_COLUMN : d->out.column;
    put_text(d, " ");
    put_text(d, pickle__annotation(opcode));
}

static void put_line(dis *d, const step *s)
{
    const pickle_op_info *op = s->ev->op;
    char code[8];

    snprintf(code, sizeof code, op->code < 0x7f ? "%c" : "\\x%02x", op->code);
    put_code(d, code);
    put_text(d, op->name);
    if (s->arg.kind != PICKLE__ARG_NOTHING || s->note[0]) {
        size_t len = strlen(op->name);

        put_blanks(d, len < NAME_COLUMNS ? NAME_COLUMNS - len : 0);
    }
    if (s->arg.kind != PICKLE__ARG_NOTHING)
        put_text(d, " ");
    if (s->arg.kind == PICKLE__ARG_BIGINT)
        put(&d->out, d->digits.data, d->digits.len);
    else
        pickle__arg_repr(&s->arg, (pickle_sink){ put, &d->out });
    if (s->note[0]) {
        put_text(d, " ");
        put_text(d, s->note);
    }
    if (d->opts.annotate)
        put_annotation(d, op->code);
    put_text(d, "\n");
}

/* ------------------------------------------------------------------ errors */

PICKLE__COLD static bool fail(dis *d, const pickle_event *ev, pickle_status code,
                              const char *reason)
{
    pickle__fail(&d->err, code, ev->offset, "%s: %s", ev->op->name, reason);
    d->err.opcode = ev->op->code;
    return false;
}

PICKLE__COLD static bool no_memory(dis *d, const pickle_event *ev)
{
    pickle__no_memory(&d->err, ev->offset);
    d->err.opcode = ev->op->code;
    return false;
}

/* --------------------------------------------------------- stack and marks */

static pickle__known *stack_of(const dis *d)
{
    return (pickle__known *)(void *)d->at->stack.data;
}

static size_t height(const dis *d)
{
    return d->at->stack.len / sizeof(pickle__known);
}

static bool mark_on_top(const dis *d)
{
    return height(d) > 0 && stack_of(d)[height(d) - 1].kind == PICKLE__KNOWN_MARK;
}

/* Objects in a stack effect, up to a mark. */
static size_t count_objects(const char *effect, bool *mark)
{
    size_t n = 0;

    *mark = false;
    while (*effect) {
        size_t len = strcspn(effect, " ");

        if (len == 4 && memcmp(effect, "mark", 4) == 0) {
            *mark = true;
            return n;
        }
        n++;
        effect += len;
        effect += *effect == ' ';
    }
    return n;
}

/* Where the topmost mark is. Opcodes that take single objects may have taken it for one. */
static bool find_mark(dis *d, step *s)
{
    uint64_t at;

    if (d->at->marks.len == 0) {
        snprintf(s->note, sizeof s->note, "no MARK exists on stack");
        s->trouble = PICKLE_ERR_STACK;
        s->reason = "no mark is on the stack";
        return true;
    }
    do {
        if (s->cut == 0)
            return fail(d, s->ev, PICKLE_ERR_STACK, "the mark was popped as if it were an object");
        s->cut--;
    } while (stack_of(d)[s->cut].kind != PICKLE__KNOWN_MARK);
    memcpy(&at, d->at->marks.data + d->at->marks.len - sizeof at, sizeof at);
    snprintf(s->note, sizeof s->note, "(MARK at %" PRIu64 ")", at);
    return true;
}

static bool take_effect(dis *d, step *s)
{
    const pickle_op_info *op = s->ev->op;
    bool mark;

    s->cut = height(d);
    s->pops = count_objects(op->before, &s->to_mark);
    s->pushes = count_objects(op->after, &mark);
    if (op->code == PICKLE_OP_POP && mark_on_top(d)) {
        s->to_mark = true;
        s->pops = 0;
    }
    return !s->to_mark || find_mark(d, s);
}

static bool push(dis *d, const pickle_event *ev, pickle__known value)
{
    return pickle__buf_add(&d->at->stack, &value, sizeof value) || no_memory(d, ev);
}

/* -------------------------------------------------------------------- memo */

static bool is_put(uint8_t opcode)
{
    return opcode == PICKLE_OP_PUT || opcode == PICKLE_OP_BINPUT ||
           opcode == PICKLE_OP_LONG_BINPUT || opcode == PICKLE_OP_MEMOIZE;
}

static bool is_get(uint8_t opcode)
{
    return opcode == PICKLE_OP_GET || opcode == PICKLE_OP_BINGET || opcode == PICKLE_OP_LONG_BINGET;
}

static void set_key(dis *d, step *s)
{
    s->key.num = s->arg.num;
    if (s->ev->op->code == PICKLE_OP_MEMOIZE) {
        s->key.num = (int64_t)d->at->memo->count;
        snprintf(s->note, sizeof s->note, "(as %zu)", d->at->memo->count);
    } else if (s->arg.kind == PICKLE__ARG_BIGINT) {
        s->key.digits = (const char *)d->digits.data;
        s->key.len = d->digits.len;
    }
}

static bool memo_put(dis *d, step *s)
{
    pickle__known *top;

    if (pickle__memo_find(d->at->memo, s->key)) {
        s->trouble = PICKLE_ERR_MEMO;
        s->reason = "the memo key is taken";
    } else if (height(d) == 0) {
        s->trouble = PICKLE_ERR_STACK;
        s->reason = "nothing is on the stack that could go into the memo";
    } else if (mark_on_top(d)) {
        s->trouble = PICKLE_ERR_STACK;
        s->reason = "a mark cannot go into the memo";
    } else {
        top = stack_of(d) + height(d) - 1;
        if (top->kind == PICKLE__KNOWN_DTYPE && !s->key.digits && s->key.num < INT64_MAX)
            top->num = s->key.num + 1;
        return pickle__memo_add(d->at->memo, s->key, *top) || no_memory(d, s->ev);
    }
    return true;
}

static void memo_get(dis *d, step *s)
{
    const pickle__known *value = pickle__memo_find(d->at->memo, s->key);

    if (value) {
        s->value = *value;
    } else {
        s->trouble = PICKLE_ERR_MEMO;
        s->reason = "nothing is in the memo under that key";
    }
}

static bool use_memo(dis *d, step *s)
{
    bool get = is_get(s->ev->op->code);

    if (!get && !is_put(s->ev->op->code))
        return true;
    set_key(d, s);
    if (!get)
        return memo_put(d, s);
    memo_get(d, s);
    return true;
}

/* ------------------------------------------------------------------ joblib */

static bool open_level(dis *d, level *at, pickle_dis_memo *shared)
{
    const pickle_alloc *alloc = d->opts.alloc;

    d->at = at;
    at->marks.len = at->stack.len = 0;
    at->marks.alloc = at->stack.alloc = at->own.alloc = alloc;
    pickle__memo_clear(&at->own);
    at->memo = shared ? shared : &at->own;
    return pickle__buf_reserve(&at->stack, sizeof(pickle__known)) ||
           pickle__no_memory(&d->err, d->parser.base);
}

/* A dtype is one object on the stack and in the memo: it learns its layout in both. */
static void learn_dtype(dis *d, pickle__known dtype)
{
    pickle__memo_key key = { .num = dtype.num - 1 };
    pickle__known *twin = dtype.num ? pickle__memo_find(d->at->memo, key) : NULL;

    if (twin && twin->kind == PICKLE__KNOWN_DTYPE)
        *twin = dtype;
}

/* The elements of an array, behind the BUILD of its wrapper; objects are a pickle of their own. */
static bool array_data(dis *d, const pickle_event *ev, const pickle__known *array)
{
    size_t len, padding = 0;
    const unsigned char *rest = pickle_parser_rest(&d->parser, &len);
    uint64_t bytes;
    char text[64];

    if (array->flags & PICKLE__KNOWN_OBJECTS) {
        start_line(d, ev->offset + ev->size);
        put_code(d, "");
        put_text(d, "(array of objects: a pickle of its own)\n");
        return open_level(d, &d->nested, NULL);
    }
    if (!pickle__trace_bytes(array, &bytes))
        return fail(d, ev, PICKLE_ERR_VALUE, "the size of the array data behind it is unknown");
    if (array->flags & PICKLE__KNOWN_ALIGNED)
        padding = 1 + (len > 0 ? (size_t)rest[0] : 0);
    if (padding > len || bytes > len - padding)
        return fail(d, ev, PICKLE_ERR_TRUNCATED, "the input ends inside the array data behind it");
    pickle_parser_skip(&d->parser, padding + (size_t)bytes);
    start_line(d, ev->offset + ev->size + padding);
    put_code(d, "");
    snprintf(text, sizeof text, "(%" PRIu64 " bytes of array data)\n", bytes);
    put_text(d, text);
    return true;
}

static bool after_build(dis *d, const pickle_event *ev)
{
    pickle__known *top = stack_of(d) + height(d) - 1, array = *top;

    if (top->kind == PICKLE__KNOWN_DTYPE)
        learn_dtype(d, *top);
    if (top->kind != PICKLE__KNOWN_ARRAY)
        return true;
    top->kind = PICKLE__KNOWN_NOTHING;
    return array_data(d, ev, &array);
}

/* ----------------------------------------------------------------- opcodes */

static pickle__known result_of(const dis *d, const step *s, size_t base)
{
    pickle__known result = { .kind = PICKLE__KNOWN_NOTHING };

    if (is_get(s->ev->op->code))
        result = s->value;
    else if (d->opts.joblib && d->at == &d->outer)
        result = pickle__trace(s->ev->op->code, &s->arg, stack_of(d) + base, height(d) - base);
    if (result.kind == PICKLE__KNOWN_MARK)
        result.kind = PICKLE__KNOWN_NOTHING;
    return result;
}

static bool apply_effect(dis *d, const step *s)
{
    const pickle__known mark = { .kind = PICKLE__KNOWN_MARK };
    const pickle_event *ev = s->ev;
    pickle__known result;

    if (s->cut < s->pops)
        return fail(d, ev, PICKLE_ERR_STACK, "it takes more objects than are on the stack");
    result = result_of(d, s, s->cut - s->pops);
    d->at->stack.len = (s->cut - s->pops) * sizeof(pickle__known);
    if (s->to_mark)
        d->at->marks.len -= sizeof(uint64_t);
    if (ev->op->code == PICKLE_OP_MARK)
        return push(d, ev, mark) &&
               (pickle__buf_add(&d->at->marks, &ev->offset, sizeof ev->offset) || no_memory(d, ev));
    for (size_t i = 0; i < s->pushes; i++)
        if (!push(d, ev, result))
            return false;
    return ev->op->code != PICKLE_OP_BUILD || after_build(d, ev);
}

static bool dis_opcode(dis *d, const pickle_event *ev)
{
    step s = { .ev = ev };

    if (!pickle__arg_decode(&s.arg, ev, &d->scratch, &d->err))
        return false;
    start_line(d, ev->offset);
    if (s.arg.kind == PICKLE__ARG_BIGINT && !pickle__arg_digits(&s.arg, ev, &d->digits, &d->err))
        return false;
    if (!take_effect(d, &s) || !use_memo(d, &s))
        return false;
    if (ev->op->proto > d->proto)
        d->proto = ev->op->proto;
    put_line(d, &s);
    if (s.trouble)
        return fail(d, ev, s.trouble, s.reason);
    return apply_effect(d, &s);
}

static bool next_opcode(dis *d, pickle_event *ev)
{
    pickle_status status = pickle_parser_next(&d->parser, ev);

    if (status == PICKLE_END) /* of the pickle before this one, or inside of it */
        status = pickle_parser_next(&d->parser, ev);
    if (status == PICKLE_OK)
        return !d->out.failed;
    if (status == PICKLE_END)
        return pickle__fail(&d->err, PICKLE_ERR_TRUNCATED, d->parser.base,
                            "the input ends before STOP");
    d->err = *pickle_parser_error(&d->parser);
    return false;
}

/* Behind STOP: of a pickle inside of another one, or of the one that was asked for. */
static bool finish(dis *d, const pickle_event *ev)
{
    char text[64];

    if (d->at == &d->outer) {
        snprintf(text, sizeof text, "highest protocol among opcodes = %d\n", d->proto);
        put_text(d, text);
    }
    if (height(d) > 0)
        return fail(d, ev, PICKLE_ERR_STACK, "more than the value is on the stack");
    return true;
}

static bool dis_pickle(dis *d)
{
    pickle_event ev;

    d->proto = -1;
    d->note_column = NOTE_COLUMN;
    if (!open_level(d, &d->outer, d->opts.memo))
        return false;
    for (;;) {
        if (!next_opcode(d, &ev) || !dis_opcode(d, &ev))
            return false;
        if (ev.op->code != PICKLE_OP_STOP)
            continue;
        if (!finish(d, &ev))
            return false;
        if (d->at == &d->outer)
            return true;
        d->at = &d->outer;
    }
}

static bool dis_input(dis *d)
{
    size_t left;

    do {
        if (!dis_pickle(d))
            return false;
        pickle_parser_rest(&d->parser, &left);
    } while (d->opts.all && left > 0);
    return true;
}

static void close_level(level *at)
{
    pickle_buf_free(&at->stack);
    pickle_buf_free(&at->marks);
    pickle__memo_clear(&at->own);
}

bool pickle_dis(const void *data, size_t size, pickle_sink out, const pickle_dis_opts *opts,
                pickle_error *err)
{
    dis d = { .out.sink = out };
    bool ok;

    pickle__options(&d.opts, sizeof d.opts, opts, opts ? opts->struct_size : 0);
    d.indent = d.opts.indent == 0 ? 4 : d.opts.indent < 0 ? 0 : (size_t)d.opts.indent;
    d.scratch.alloc = d.digits.alloc = d.opts.alloc;
    pickle_parser_init(&d.parser, data, size);
    ok = dis_input(&d);
    flush(&d.out);
    if (d.out.failed)
        ok = pickle__fail(&d.err, PICKLE_ERR_IO, 0, "the output could not be written");
    if (!ok && err)
        *err = d.err;
    close_level(&d.outer);
    close_level(&d.nested);
    pickle_buf_free(&d.scratch);
    pickle_buf_free(&d.digits);
    return ok;
}
