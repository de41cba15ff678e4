/* printable.c - which characters Python's repr() shows as they are. */
#include "base/text.h"

/* Code points where str.isprintable() changes; below the first it is false. */
static const uint32_t edges[] = {
#include "base/printable.inc"
};

bool pickle__is_printable(uint32_t code_point)
{
    size_t low = 0, high = sizeof edges / sizeof *edges;

    /* How many edges lie at or below the code point: an odd number means printable. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (edges[middle] <= code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return low & 1;
}
