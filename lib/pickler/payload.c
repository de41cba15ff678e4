/* payload.c - what stands behind joblib's wrapper in the stream. */
#include "pickler/save.h"
#include "types/numpy.h"

/*
 * One byte with the number of those that follow, 0xff each, so that the data lie at
 * a multiple of the alignment: never none. Not before joblib 1.2, and not when
 * the wrapper says None.
 */
static void emit_padding(pickle__pickler *p, const pickle_val *wrapper)
{
    unsigned char padding[1 + 255];
    int64_t to = 0;

    if (!pickle_get_i64(pickle__attribute(wrapper, "numpy_array_alignment_bytes"), &to))
        return;
    if (to < 1 || to > 255) {
        pickle__save_fail(p, PICKLE_ERR_UNSUPPORTED, "joblib aligns arrays to 1 to 255 bytes");
        return;
    }
    memset(padding, 0xff, sizeof padding);
    padding[0] = (unsigned char)(to - (int64_t)((pickle__emit_offset(p->e) + 1) % (uint64_t)to));
    pickle_emit_raw(p->e, padding, 1 + (size_t)padding[0]);
}

void pickle__save_payload(pickle__pickler *p, const pickle_val *wrapper, const pickle_val *data)
{
    pickle__emit_end_frame(p->e);
    emit_padding(p, wrapper);
    pickle_emit_raw(p->e, PICKLE__AS_CONST(pickle__bytes, data)->data, pickle__len(data));
}

/* A pickle of its own, by the C pickler; its arrays are ordinary. The outer one then goes on. */
void pickle__save_nested(pickle__pickler *p, pickle_val *root)
{
    pickle_emitter *e = p->e, outer = *e;
    pickle__pickler inner = { 0 };

    inner.e = e;
    inner.protocol = p->nested;
    inner.keep = p->keep;
    inner.exact_lists = inner.exact_tables = !p->py2;
    inner.py2 = p->py2;
    inner.old_text = p->old_text;
    inner.fix_imports = p->fix_imports;
    inner.optimize = p->optimize;
    inner.numpy = p->numpy;
    inner.doc = p->doc;
    inner.opts = p->opts;
    inner.memo.alloc = inner.shapes.alloc = p->opts->alloc;
    inner.old_ints = p->old_ints;
    pickle__emit_end_frame(e);
    e->memo_gap = 0;
    pickle__save_pickle(&inner, root);
    pickle__pickler_free(&inner);
    e->memo = outer.memo;
    e->memo_gap = outer.memo_gap;
    e->protocol = outer.protocol;
    e->framing = outer.framing;
    e->open = true;
}
