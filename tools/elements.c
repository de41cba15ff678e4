/* elements.c - a view that moves over an array; elements that are text. */
#include "elements.h"

void elements_start(elements *e, const pickle_array *of)
{
    *e = (elements){ .at = *of, .of = of, .left = pickle_array_count(of), .wrapped = of->ndim };
    e->at.ndim = 0;
    e->at.nbytes = of->dtype.itemsize;
}

static void step(elements *e)
{
    const pickle_array *a = e->of;
    const char *data = e->at.data;
    int k = a->ndim - 1;

    for (; k > 0 && e->index[k] + 1 == a->shape[k]; k--) {
        data -= e->index[k] * a->strides[k];
        e->index[k] = 0;
    }
    e->index[k]++;
    e->at.data = data + a->strides[k];
    e->wrapped = a->ndim - 1 - k;
}

bool elements_next(elements *e)
{
    if (e->left == 0)
        return false;
    e->left--;
    if (e->started)
        step(e);
    e->started = true;
    return true;
}

size_t element_bytes(const pickle_array *a)
{
    const unsigned char *data = a->data;
    size_t size = (size_t)a->dtype.itemsize;

    while (size > 0 && data[size - 1] == 0)
        size--;
    return size;
}

/* UTF-8; surrogates become three bytes, as in the texts of values. */
static size_t encode(char dst[4], uint32_t c)
{
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n; i-- > 1; c >>= 6)
        dst[i] = (char)(0x80 | (c & 0x3f));
    dst[0] = (char)(leads[n] | c);
    return n;
}

bool element_text(const pickle_array *a, pickle_buf *out)
{
    const unsigned char *data = a->data;
    size_t mirror = a->dtype.order == '>' ? 0 : 3, end = (element_bytes(a) + 3) / 4 * 4;
    pickle_sink sink = pickle_sink_buf(out);
    bool ok = true;

    for (size_t i = 0; i < end && ok; i += 4) {
        uint32_t c = 0;
        char bytes[4];

        for (size_t k = 0; k < 4; k++)
            c = c << 8 | data[i + (k ^ mirror)];
        ok = sink.write(sink.ctx, bytes, encode(bytes, c > 0x10ffff ? 0xfffd : c));
    }
    return ok;
}
