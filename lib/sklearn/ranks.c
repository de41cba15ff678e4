/* ranks.c - the smallest of some numbers, and where they are. */
#include "sklearn/ranks.h"

static void swap(size_t *a, size_t *b)
{
    size_t t = *a;

    *a = *b;
    *b = t;
}

/* -------------------------------------------------------------------- heaps */

void pickle__heap_clear(pickle__heap *h, double most)
{
    for (size_t i = 0; i < h->size; i++) {
        h->values[i] = most;
        h->places[i] = 0;
    }
}

void pickle__heap_push(pickle__heap *h, double value, size_t place)
{
    double *v = h->values;
    size_t i = 0;

    for (;;) {
        size_t left = 2 * i + 1, right = left + 1, down = left;

        if (left >= h->size)
            break;
        if (right < h->size && v[left] < v[right])
            down = right;
        if (!(value < v[down]))
            break;
        v[i] = v[down];
        h->places[i] = h->places[down];
        i = down;
    }
    v[i] = value;
    h->places[i] = place;
}

/* ------------------------------------------------------- sorts of last resort */

static void sift(const double *v, size_t *places, size_t i, size_t n)
{
    size_t place = places[i];

    for (size_t down; (down = 2 * i + 1) < n; i = down) {
        if (down + 1 < n && v[places[down]] < v[places[down + 1]])
            down++;
        if (!(v[place] < v[places[down]]))
            break;
        places[i] = places[down];
    }
    places[i] = place;
}

static void heap_sort(const double *v, size_t *places, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(v, places, i, n);
    for (size_t i = n; i-- > 1;) {
        swap(&places[0], &places[i]);
        sift(v, places, 0, i);
    }
}

/* ------------------------------------------------------------ scikit-learn's */

static void swap_both(double *values, size_t *places, size_t i, size_t j)
{
    double t = values[i];

    values[i] = values[j];
    values[j] = t;
    swap(&places[i], &places[j]);
}

static void sift_both(double *v, size_t *places, size_t i, size_t n)
{
    for (size_t down; (down = 2 * i + 1) < n; i = down) {
        if (down + 1 < n && v[down] < v[down + 1])
            down++;
        if (!(v[i] < v[down]))
            return;
        swap_both(v, places, i, down);
    }
}

static void heap_sort_both(double *v, size_t *places, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_both(v, places, i, n);
    for (size_t i = n; i-- > 1;) {
        swap_both(v, places, 0, i);
        sift_both(v, places, 0, i);
    }
}

static void sort_three(double *v, size_t *places, size_t n)
{
    if (n > 1 && v[0] > v[1])
        swap_both(v, places, 0, 1);
    if (n > 2 && v[1] > v[2]) {
        swap_both(v, places, 1, 2);
        if (v[0] > v[1])
            swap_both(v, places, 0, 1);
    }
}

/* The middle of three comes last. */
static void choose_pivot(double *v, size_t *places, size_t n)
{
    size_t middle = n / 2, end = n - 1;

    if (v[0] > v[end])
        swap_both(v, places, 0, end);
    if (v[end] > v[middle]) {
        swap_both(v, places, end, middle);
        if (v[0] > v[end])
            swap_both(v, places, 0, end);
    }
}

/* Smaller ones to the left of the pivot; where it ends up. */
static size_t part_once(double *v, size_t *places, size_t n)
{
    size_t store = 0;

    for (size_t i = 0; i < n - 1; i++) {
        if (v[i] < v[n - 1])
            swap_both(v, places, i, store++);
    }
    swap_both(v, places, store, n - 1);
    return store;
}

/* Since 1.9: from both ends. */
static size_t part_twice(double *v, size_t *places, size_t n)
{
    size_t i = 1, j = n - 2;

    for (;;) {
        while (i <= j && v[i] < v[n - 1])
            i++;
        while (i <= j && v[j] > v[n - 1])
            j--;
        if (i >= j)
            break;
        swap_both(v, places, i++, j--);
    }
    swap_both(v, places, i, n - 1);
    return i;
}

static void insert_both(double *v, size_t *places, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double value = v[i];
        size_t place = places[i], j = i;

        for (; j > 0 && v[j - 1] > value; j--) {
            v[j] = v[j - 1];
            places[j] = places[j - 1];
        }
        v[j] = value;
        places[j] = place;
    }
}

static void sort_both(double *v, size_t *places, size_t n, bool twice, unsigned depth)
{
    size_t few = twice ? 15 : 3;

    for (; n > few && depth > 0; depth--) {
        size_t pivot;

        choose_pivot(v, places, n);
        pivot = twice ? part_twice(v, places, n) : part_once(v, places, n);
        sort_both(v, places, pivot, twice, depth - 1);
        v += pivot + 1;
        places += pivot + 1;
        n -= pivot + 1;
    }
    if (n > few)
        heap_sort_both(v, places, n);
    else if (twice)
        insert_both(v, places, n);
    else
        sort_three(v, places, n);
}

static unsigned depth_of(size_t n)
{
    unsigned depth = 0;

    while (n >>= 1)
        depth++;
    return depth * 2;
}

/* Before 1.9 equal numbers made it as deep as there are: beyond what data do, any order will do. */
void pickle__sort_both(double *values, size_t *places, size_t n, bool twice)
{
    sort_both(values, places, n, twice, twice ? depth_of(n) : 1000);
}

/* ------------------------------------------------------------------ numpy's */

/* NaN comes last. */
static inline bool less(double a, double b)
{
    return a < b || (b != b && a == a);
}

/* The median of three comes first, the least of them second. */
static void median_first(const double *v, size_t *p, size_t low, size_t high)
{
    size_t mid = low + (high - low) / 2;

    if (less(v[p[high]], v[p[mid]]))
        swap(&p[high], &p[mid]);
    if (less(v[p[high]], v[p[low]]))
        swap(&p[high], &p[low]);
    if (less(v[p[low]], v[p[mid]]))
        swap(&p[low], &p[mid]);
    swap(&p[mid], &p[low + 1]);
}

/* Selection sort as far as `kth`. */
static void select_few(const double *v, size_t *p, size_t n, size_t kth)
{
    for (size_t i = 0; i <= kth; i++) {
        size_t least = i;

        for (size_t k = i + 1; k < n; k++) {
            if (less(v[p[k]], v[p[least]]))
                least = k;
        }
        swap(&p[i], &p[least]);
    }
}

static void select_last(const double *v, size_t *p, size_t n)
{
    size_t most = 0;

    for (size_t k = 1; k < n; k++) {
        if (!(less(v[p[k]], v[p[most]])))
            most = k;
    }
    swap(&p[n - 1], &p[most]);
}

static void introselect(const double *v, size_t *p, size_t n, size_t kth)
{
    size_t low = 0, high = n - 1;
    unsigned depth = depth_of(n);

    while (low + 1 < high) {
        size_t ll = low + 1, hh = high;
        double pivot;

        if (depth-- == 0 && hh - ll >= 5) {
            heap_sort(v, p + low, high - low + 1);
            return;
        }
        median_first(v, p, low, high);
        pivot = v[p[low]];
        for (;;) {
            do
                ll++;
            while (less(v[p[ll]], pivot));
            do
                hh--;
            while (less(pivot, v[p[hh]]));
            if (hh < ll)
                break;
            swap(&p[ll], &p[hh]);
        }
        swap(&p[low], &p[hh]);
        if (hh >= kth)
            high = hh - 1;
        if (hh <= kth)
            low = ll;
    }
    if (high == low + 1 && less(v[p[high]], v[p[low]]))
        swap(&p[high], &p[low]);
}

static void insertion_sort(const double *v, size_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        size_t place = p[i], j = i;

        for (; j > 0 && less(v[place], v[p[j - 1]]); j--)
            p[j] = p[j - 1];
        p[j] = place;
    }
}

static void quick_sort(const double *v, size_t *p, size_t n, unsigned depth)
{
    while (n > 17 && depth > 0) {
        size_t mid = (n - 1) / 2, end = n - 1, i = 0, j = end - 1;
        double pivot;

        if (less(v[p[mid]], v[p[0]]))
            swap(&p[mid], &p[0]);
        if (less(v[p[end]], v[p[mid]]))
            swap(&p[end], &p[mid]);
        if (less(v[p[mid]], v[p[0]]))
            swap(&p[mid], &p[0]);
        pivot = v[p[mid]];
        swap(&p[mid], &p[j]);
        for (;;) {
            do
                i++;
            while (less(v[p[i]], pivot));
            do
                j--;
            while (less(pivot, v[p[j]]));
            if (i >= j)
                break;
            swap(&p[i], &p[j]);
        }
        swap(&p[i], &p[end - 1]);
        depth--;
        quick_sort(v, p, i, depth);
        p += i + 1;
        n -= i + 1;
    }
    if (n > 17)
        heap_sort(v, p, n);
    else
        insertion_sort(v, p, n);
}

void pickle__smallest(const double *values, size_t n, size_t k, size_t *places)
{
    size_t kth = k - 1;

    for (size_t i = 0; i < n; i++)
        places[i] = i;
    if (kth < 3)
        select_few(values, places, n, kth);
    else if (kth == n - 1)
        select_last(values, places, n);
    else
        introselect(values, places, n, kth);
    quick_sort(values, places, k, depth_of(k));
}
