/* machine.c - what all opcodes share: errors, input, and the life of a machine. */
#include <stdio.h>

#include "vm/vm.h"

void pickle__vm_init(pickle__vm *vm, pickle_doc *doc)
{
    memset(vm, 0, sizeof *vm);
    vm->doc = doc;
}

void pickle__vm_free(pickle__vm *vm)
{
    pickle__arena *a = &vm->doc->arena;
    pickle_doc *doc = vm->doc;

    if (vm->nested) {
        pickle__vm_free(vm->nested);
        pickle__arena_hold(a, vm->nested, sizeof *vm->nested, 0);
    }
    pickle__arena_hold(a, vm->stack, (size_t)(vm->stack_end - vm->stack) * sizeof *vm->stack, 0);
    pickle__arena_hold(a, vm->marks, vm->marks_room * sizeof *vm->marks, 0);
    pickle__arena_hold(a, vm->memo.dense, vm->memo.room * sizeof *vm->memo.dense, 0);
    pickle__arena_hold(a, vm->memo.sparse, vm->memo.slots * sizeof *vm->memo.sparse, 0);
    pickle__vm_init(vm, doc);
}

void pickle__vm_start(pickle__vm *vm, pickle__source *src, const pickle__settings *set,
                      const pickle__vm_hooks *hooks, pickle_error *err)
{
    vm->src = src;
    vm->set = set;
    vm->hooks = hooks;
    vm->err = err;
    vm->op_at = NULL;
    vm->op_offset = pickle__source_offset(src);
    vm->opcode = 0;
    vm->next_report = vm->op_offset + PICKLE__PROGRESS_STEP;
}

/* ------------------------------------------------------------------ errors */

/* Where the opcode stands, before the window moves and takes it away. */
static void note_opcode(pickle__vm *vm)
{
    if (!vm->op_at)
        return;
    vm->op_offset = vm->src->base - (uint64_t)(vm->src->end - vm->op_at);
    vm->opcode = vm->op_at < vm->src->end ? *vm->op_at : 0;
    vm->op_at = NULL;
}

/* "BINGET: nothing was stored ..." */
PICKLE__PRINTF(4, 0)
static void describe(pickle__vm *vm, pickle_error *out, pickle_status code, const char *format,
                     va_list args)
{
    char text[sizeof out->message];
    const pickle_op_info *info;

    note_opcode(vm);
    info = pickle_op_info_of(vm->opcode);
    vsnprintf(text, sizeof text, format, args);
    pickle__fail(out, code, vm->op_offset, "%s%s%s", info ? info->name : "", info ? ": " : "",
                 text);
    out->opcode = vm->opcode;
}

bool pickle__vm_fail(pickle__vm *vm, pickle_status code, const char *format, ...)
{
    va_list args;

    if (!vm->err)
        return false;
    va_start(args, format);
    describe(vm, vm->err, code, format, args);
    va_end(args);
    return false;
}

void pickle__vm_warn(pickle__vm *vm, pickle_status code, const char *format, ...)
{
    const unsigned char *op_at = vm->op_at;
    pickle_error warning;
    va_list args;

    if (!vm->set->on_warning)
        return;
    va_start(args, format);
    describe(vm, &warning, code, format, args);
    va_end(args);
    vm->op_at = op_at;
    vm->set->on_warning(vm->set->ctx, &warning);
}

bool pickle__vm_no_memory(pickle__vm *vm)
{
    note_opcode(vm);
    pickle__arena_fail(&vm->doc->arena, vm->err, vm->op_offset);
    if (vm->err)
        vm->err->opcode = vm->opcode;
    return false;
}

bool pickle__vm_truncated(pickle__vm *vm)
{
    if (vm->src->status != PICKLE_OK) {
        if (vm->err)
            *vm->err = vm->src->error;
        return false;
    }
    return pickle__vm_fail(vm, PICKLE_ERR_TRUNCATED,
                           vm->opcode ? "the input ends inside the opcode's operand"
                                      : "the input ends before STOP");
}

/* ------------------------------------------------------------------- input */

/* When `n` more bytes lead to where the hook is due. */
static bool report_progress(pickle__vm *vm, size_t n)
{
    const pickle__source *src = vm->src;
    uint64_t here = pickle__source_offset(src);

    if (!vm->set->on_progress || here + n < vm->next_report)
        return true;
    vm->next_report = here + n + PICKLE__PROGRESS_STEP;
    return vm->set->on_progress(vm->set->ctx, here, src->reader ? 0 : src->base) ||
           pickle__vm_fail(vm, PICKLE_ERR_CANCELED, "reading was canceled");
}

/* Over a stream the default limit on memory grows with what the stream has given. */
static void follow_input(pickle__vm *vm)
{
    uint64_t scaled = vm->src->base > UINT64_MAX / PICKLE__MEMORY_FACTOR
                          ? UINT64_MAX
                          : vm->src->base * PICKLE__MEMORY_FACTOR;

    if (vm->set->limit_follows && scaled > vm->doc->arena.limit)
        vm->doc->arena.limit = scaled < SIZE_MAX ? (size_t)scaled : SIZE_MAX;
}

/* The window is memory, too, when text makes it grow. */
static bool window_fits(pickle__vm *vm, size_t n)
{
    pickle__arena *a = &vm->doc->arena;

    follow_input(vm);
    a->limited =
        vm->src->reader && n > vm->src->size && (a->held > a->limit || n > a->limit - a->held);
    return !a->limited || pickle__vm_no_memory(vm);
}

bool pickle__vm_refill(pickle__vm *vm, size_t n)
{
    note_opcode(vm);
    if (!report_progress(vm, n) || !window_fits(vm, n))
        return false;
    return pickle__source_need(vm->src, n) || pickle__vm_truncated(vm);
}

/* Grow `data`; a payload does not count against the limit on the graph's memory. */
static unsigned char *grow_bytes(pickle__vm *vm, unsigned char *data, size_t old_size,
                                 size_t new_size, bool payload)
{
    pickle__arena *arena = &vm->doc->arena;
    size_t limit = arena->limit, more = new_size - old_size;

    if (payload)
        arena->limit = SIZE_MAX;
    data = pickle__arena_grow(arena, data, pickle__round_up(old_size), pickle__round_up(new_size));
    arena->limit = payload && limit < SIZE_MAX - more ? limit + more : limit;
    if (!data)
        pickle__vm_no_memory(vm);
    return data;
}

/* From memory: the bytes are there, or missing at once. */
static const unsigned char *take_from_memory(pickle__vm *vm, size_t n, bool payload)
{
    unsigned char *copy;

    if (n > pickle__source_left(vm->src)) {
        note_opcode(vm);
        pickle__vm_truncated(vm);
        return NULL;
    }
    vm->src->at += n;
    if (vm->src->stable)
        return vm->src->at - n;
    copy = grow_bytes(vm, NULL, 0, n, payload);
    if (copy)
        memcpy(copy, vm->src->at - n, n);
    return copy;
}

/* Bytes that are taken on trust. */
#define FIRST_STEP ((size_t)1 << 20)

/* From a stream: `n` is a claim until the bytes have come, so memory is taken in steps that what
 * came before justifies. */
static const unsigned char *take_from_reader(pickle__vm *vm, size_t n, bool payload)
{
    unsigned char *data = NULL;
    size_t have = 0;

    note_opcode(vm);
    while (have < n) {
        uint64_t step = vm->src->base > FIRST_STEP ? vm->src->base : FIRST_STEP;
        size_t more = n - have < step ? n : have + (size_t)step;

        follow_input(vm);
        data = grow_bytes(vm, data, have, more, payload);
        if (!data)
            return NULL;
        if (!pickle__source_copy(vm->src, data + have, more - have)) {
            pickle__vm_truncated(vm);
            return NULL;
        }
        have = more;
    }
    return data;
}

static const unsigned char *take(pickle__vm *vm, uint64_t n, bool payload)
{
    if (n == 0)
        return (const unsigned char *)"";
    if (n > PICKLE__LEN_MAX || n > SIZE_MAX) {
        note_opcode(vm);
        pickle__vm_truncated(vm);
        return NULL;
    }
    return vm->src->reader ? take_from_reader(vm, (size_t)n, payload)
                           : take_from_memory(vm, (size_t)n, payload);
}

const unsigned char *pickle__vm_take_bytes(pickle__vm *vm, uint64_t n)
{
    return take(vm, n, false);
}

const unsigned char *pickle__vm_take_payload(pickle__vm *vm, uint64_t n)
{
    return take(vm, n, true);
}

/* ---------------------------------------------------------- nested pickles */

pickle_val *pickle__vm_read_aside(pickle__vm *vm, pickle__source *src,
                                  pickle_val *(*read)(pickle__vm *vm, const void *ctx),
                                  const void *ctx)
{
    pickle__source *input = vm->src;
    uint64_t op_offset, next_report = vm->next_report;
    unsigned char opcode;
    pickle_val *v;

    note_opcode(vm);
    op_offset = vm->op_offset;
    opcode = vm->opcode;
    pickle__vm_start(vm, src, vm->set, vm->hooks, vm->err);
    v = read(vm, ctx);
    pickle__vm_start(vm, input, vm->set, vm->hooks, vm->err);
    vm->op_offset = op_offset;
    vm->opcode = opcode;
    vm->next_report = next_report;
    return v;
}

static bool need_nested(pickle__vm *vm)
{
    if (vm->nested)
        return true;
    vm->nested = pickle__arena_hold(&vm->doc->arena, NULL, 0, sizeof *vm->nested);
    if (!vm->nested)
        return pickle__vm_no_memory(vm);
    pickle__vm_init(vm->nested, vm->doc);
    return true;
}

pickle_val *pickle__vm_run_nested(pickle__vm *vm)
{
    pickle__settings set = *vm->set;
    pickle__traits *traits = &vm->doc->traits, outer = *traits;
    pickle_val *root;

    note_opcode(vm);
    if (!need_nested(vm))
        return NULL;
    set.keep_memo = false;
    set.n_buffers = 0;
    root = pickle__vm_run(vm->nested, vm->src, &set, NULL, vm->err);
    vm->nested->set = NULL;
    /* Which pickler wrote is asked of the outermost stream. */
    traits->c_batches = outer.c_batches;
    traits->py_batches = outer.py_batches;
    traits->old_frames = outer.old_frames;
    traits->full_batches = outer.full_batches;
    traits->text = outer.text;
    return root;
}
