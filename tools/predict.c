/* predict.c - pickle predict: the answers of a scikit-learn model. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "npy.h"
#include "options.h"
#include "samples.h"

typedef struct request {
    const char *model, *input, *target;
    const char *method_name, *path, *table, *header_name;
    pickle_method method;
    csv_header header;
    size_t threads;
    bool describe, newer, lines;
    color_choice color;
    reading reading; /* of the model */
} request;

/* Numbers that are kept as cells; of more, such as the words of many documents, only what is not 0.
 */
#define MOST_CELLS ((size_t)4 << 20)

/* What came out. */
typedef struct answers {
    size_t rows, width;
    pickle_cell *cells; /* all of them, or one row */
    bool sparse;
    pickle_cell zero; /* in an array of integers or floats */
    pickle_csr csr;
} answers;

/* ------------------------------------------------------------------- model */

/* Predict, or where that is no method of the model, transform. */
static bool choose_method(request *r, const pickle_model *m)
{
    if (r->method_name) {
        if (!pickle_method_of(r->method_name, &r->method)) {
            complain(NULL, "there is no method %s", r->method_name);
            return false;
        }
    } else if (!pickle_model_has(m, PICKLE_PREDICT) && pickle_model_has(m, PICKLE_TRANSFORM)) {
        r->method = PICKLE_TRANSFORM;
    }
    return true;
}

static pickle_model *open_model(request *r, pickle_doc **doc, int *status)
{
    const pickle_val *v;
    pickle_model *m;
    pickle_error err;

    *doc = input_read(r->model, NULL, &r->reading, status);
    if (!*doc)
        return NULL;
    *status = EXIT_ABSENT;
    v = r->path ? pickle_find(pickle_root(*doc), r->path) : pickle_root(*doc);
    if (!v) {
        complain(r->model, "there is no %s", r->path);
        return NULL;
    }
    m = pickle_model_open(v, pickle_model_opts(.newer = r->newer), &err);
    if (!m)
        complain(r->model, "%s", err.message);
    return m;
}

static bool is_supported(const request *r, const pickle_model *m)
{
    pickle_unsupported why;

    if (pickle_model_supported(m, &why))
        return true;
    complain(r->model, "not supported: %s%s%s %s", why.class_name, why.attribute ? ": " : "",
             why.attribute ? why.attribute : "", why.reason);
    return false;
}

/* ----------------------------------------------------------------- answers */

static bool no_memory(pickle_error *err)
{
    *err = (pickle_error){ .code = PICKLE_ERR_NOMEM, .message = "no memory for the answers" };
    return false;
}

/* Of the first row, to know what the method gives: numbers of one type, or labels. */
static bool run_first(const request *r, const pickle_model *m, const pickle_batch *in, answers *a,
                      pickle_error *err)
{
    pickle_batch first = *in;

    first.rows = in->rows > 0;
    a->sparse = true;
    if (!pickle_model_run_cells(m, r->method, &first, NULL, a->cells, first.rows * a->width, err))
        return false;
    for (size_t j = 0; j < first.rows * a->width; j++)
        a->sparse = a->sparse && a->cells[j].kind == a->cells[0].kind &&
                    (a->cells[j].kind == PICKLE_CELL_INT || a->cells[j].kind == PICKLE_CELL_FLOAT);
    a->zero = (pickle_cell){ a->cells[0].kind, 0, { .i = 0 } };
    if (a->zero.kind == PICKLE_CELL_FLOAT)
        a->zero.as.f = 0;
    return true;
}

static bool run(const request *r, const pickle_model *m, const pickle_batch *in, answers *a,
                pickle_error *err)
{
    const pickle_run_opts *opts = pickle_run_opts(.threads = (unsigned)r->threads);
    bool named = in->names && pickle_model_feature_name(m, 0);
    size_t most = MOST_CELLS, count;

    a->rows = in->rows;
    if (!pickle_model_width(m, r->method, named ? pickle_model_features(m) : in->cols, &a->width,
                            err))
        return false;
    if (a->width > 0 && a->rows > most / a->width) {
        a->cells = calloc(a->width, sizeof *a->cells);
        if (!a->cells)
            return no_memory(err);
        if (!run_first(r, m, in, a, err))
            return false;
        if (a->sparse)
            return pickle_model_run_csr(m, r->method, in, opts, &a->csr, err);
        free(a->cells);
    }
    count = a->width > 0 && a->rows > SIZE_MAX / a->width ? SIZE_MAX : a->rows * a->width;
    a->cells = count < SIZE_MAX ? calloc(count + 1, sizeof *a->cells) : NULL;
    if (!a->cells)
        return no_memory(err);
    return pickle_model_run_cells(m, r->method, in, opts, a->cells, count, err);
}

/* The cells of a row, until the next is asked for. */
static const pickle_cell *row_of(const answers *a, size_t i)
{
    if (!a->sparse)
        return a->cells + i * a->width;
    for (size_t j = 0; j < a->width; j++)
        a->cells[j] = a->zero;
    for (int64_t k = a->csr.indptr[i]; k < a->csr.indptr[i + 1]; k++) {
        pickle_cell *cell = &a->cells[a->csr.indices[k]];

        if (cell->kind == PICKLE_CELL_INT)
            cell->as.i += (int64_t)a->csr.data[k];
        else
            cell->as.f += a->csr.data[k];
    }
    return a->cells;
}

/* CSV: quotes around what needs them. */
static void put_csv_cell(output *o, const pickle_cell *cell)
{
    if (cell->kind != PICKLE_CELL_TEXT ||
        (!memchr(cell->as.text, ',', cell->len) && !memchr(cell->as.text, '"', cell->len) &&
         !memchr(cell->as.text, '\n', cell->len) && !memchr(cell->as.text, '\r', cell->len))) {
        put_cell_text(o, cell);
        return;
    }
    out_text(o, "\"");
    for (size_t i = 0; i < cell->len; i++) {
        if (cell->as.text[i] == '"')
            out_text(o, "\"");
        out_write(o, cell->as.text + i, 1);
    }
    out_text(o, "\"");
}

static void put_rows(output *o, const answers *a, bool commas)
{
    for (size_t i = 0; i < a->rows && !out_stopped(o); i++) {
        const pickle_cell *cell = row_of(a, i);

        for (size_t j = 0; j < a->width; j++, cell++) {
            if (j > 0)
                out_text(o, commas ? "," : " ");
            if (commas)
                put_csv_cell(o, cell);
            else
                put_cell_text(o, cell);
        }
        out_text(o, "\n");
    }
}

/* --------------------------------------------------------------------- npy */

/* The type that numpy would give all the answers: 'b', 'i', 'f', 'U', or 'O' for none. */
static char common_kind(const answers *a, size_t *longest)
{
    static const char kinds[] = { [PICKLE_CELL_NONE] = 'O',
                                  [PICKLE_CELL_BOOL] = 'b',
                                  [PICKLE_CELL_INT] = 'i',
                                  [PICKLE_CELL_FLOAT] = 'f',
                                  [PICKLE_CELL_TEXT] = 'U' };
    size_t n = a->sparse ? 1 : a->rows * a->width;
    char kind = n > 0 ? kinds[a->cells[0].kind] : 'f';

    *longest = 1;
    for (size_t i = 0; i < n; i++) {
        char one = kinds[a->cells[i].kind];

        if (one != kind)
            kind = (one == 'i' && kind == 'f') || (one == 'f' && kind == 'i') ? 'f' : 'O';
        if (one == 'U' && a->cells[i].len > *longest)
            *longest = a->cells[i].len;
    }
    return kind;
}

/* UTF-8, of which the library vouches, to UCS-4. */
static void decode(const pickle_cell *cell, uint32_t *out)
{
    const unsigned char *at = (const unsigned char *)cell->as.text, *end = at + cell->len;

    while (at < end) {
        unsigned char lead = *at++;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
        uint32_t c = more == 3 ? lead & 7 : more == 2 ? lead & 15 : more == 1 ? lead & 31 : lead;

        for (; more > 0 && at < end; more--)
            c = c << 6 | (*at++ & 63);
        *out++ = c;
    }
}

static void fill(const answers *a, char kind, size_t longest, void *data)
{
    size_t n = 0;

    for (size_t i = 0; i < a->rows; i++) {
        const pickle_cell *cell = row_of(a, i);

        for (size_t j = 0; j < a->width; j++, cell++, n++) {
            if (kind == 'b')
                ((uint8_t *)data)[n] = cell->as.i != 0;
            else if (kind == 'i')
                ((int64_t *)data)[n] = cell->as.i;
            else if (kind == 'f')
                ((double *)data)[n] =
                    cell->kind == PICKLE_CELL_FLOAT ? cell->as.f : (double)cell->as.i;
            else
                decode(cell, (uint32_t *)data + n * longest);
        }
    }
}

/* Methods that give one number a row as an array of one dimension. */
static bool is_flat(pickle_method method)
{
    return method == PICKLE_PREDICT || method == PICKLE_DECISION_FUNCTION ||
           method == PICKLE_SCORE_SAMPLES || method == PICKLE_APPLY;
}

static bool put_npy(output *o, const request *r, const answers *a)
{
    const uint16_t one = 1;
    size_t longest, n = a->rows * a->width;
    char kind = common_kind(a, &longest);
    size_t size = kind == 'b' ? 1 : kind == 'U' ? longest * 4 : 8;
    pickle_array array = { .ndim = a->width == 1 && is_flat(r->method) ? 1 : 2,
                           .shape = { (int64_t)a->rows, (int64_t)a->width },
                           .dtype = { .kind = kind, .itemsize = size } };
    void *data;

    array.dtype.order = kind == 'b' ? '|' : *(const unsigned char *)&one ? '<' : '>';
    if (kind == 'O') {
        complain(r->target, ".npy has no place for answers of several types");
        return false;
    }
    data = n < SIZE_MAX / size ? calloc(n ? n : 1, size) : NULL;
    if (!data || !array_fits(&array, UINT64_MAX)) {
        complain(r->target, "no memory for the answers");
        free(data);
        return false;
    }
    fill(a, kind, longest, data);
    array_lay_out(&array, data);
    npy_write(o, &array);
    free(data);
    return true;
}

/* ------------------------------------------------------------------ output */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

static int put_answers(const request *r, const answers *a)
{
    output o;
    bool ok = true;

    if (r->target && !out_open_file(&o, r->target))
        return EXIT_TROUBLE;
    if (!r->target)
        out_open(&o, r->color);
    if (r->target && ends_with(r->target, ".npy"))
        ok = put_npy(&o, r, a);
    else
        put_rows(&o, a, r->target != NULL);
    return ok ? out_close(&o, true) : (out_close(&o, false), EXIT_ABSENT);
}

static int describe(const request *r, const pickle_model *m)
{
    output o;

    out_open(&o, r->color);
    describe_model(&o, m);
    return out_close(&o, true);
}

static int predict(request *r, const pickle_model *m)
{
    reading how = { .memory = r->reading.memory, .inflated = r->reading.inflated };
    answers a = { 0 };
    samples s;
    pickle_error err;
    int status = EXIT_ABSENT;

    if (!is_supported(r, m) || !choose_method(r, m))
        return EXIT_ABSENT;
    if (samples_open(&s, r->input, r->table, r->lines || pickle_model_takes_text(m), r->header,
                     &how, &status)) {
        if (run(r, m, &s.batch, &a, &err)) {
            status = put_answers(r, &a);
        } else {
            complain(r->input, "%s", err.message);
            status = EXIT_ABSENT;
        }
    }
    free(a.cells);
    pickle_csr_free(&a.csr);
    samples_close(&s);
    return status;
}

/* --------------------------------------------------------------- arguments */

static bool check_request(request *r)
{
    if (r->target && !ends_with(r->target, ".npy") && !ends_with(r->target, ".csv")) {
        complain(NULL, "-o takes a name that ends with .npy or .csv");
        return false;
    }
    if (r->header_name && strcmp(r->header_name, "auto") != 0) {
        r->header = strcmp(r->header_name, "yes") == 0 ? CSV_HEADER_YES : CSV_HEADER_NO;
        if (r->header == CSV_HEADER_NO && strcmp(r->header_name, "no") != 0) {
            complain(NULL, "--header is auto, yes or no");
            return false;
        }
    }
    return true;
}

int predict_main(int argc, char **argv)
{
    request r = { .header = CSV_HEADER_AUTO };
    const option_spec options[] = {
        { 'm', "method", "NAME", OPTION_TEXT, &r.method_name,
          "predict (the default), predict_proba, transform, ..." },
        { 'o', "output", "OUT", OPTION_TEXT, &r.target, "write OUT.npy or OUT.csv" },
        { 'd', "describe", NULL, OPTION_SWITCH, &r.describe,
          "say what the model is, takes and gives" },
        { 'p', "path", "PATH", OPTION_TEXT, &r.path,
          "where in its file the model is, as in: ['model']" },
        { 't', "table", "PATH", OPTION_TEXT, &r.table, "where in INPUT the table is" },
        { 0, "header", "WHEN", OPTION_TEXT, &r.header_name,
          "has CSV a line of names: auto (the default), yes or no" },
        { 'l', "lines", NULL, OPTION_SWITCH, &r.lines, "each line of INPUT is a text" },
        { 'j', "threads", "N", OPTION_COUNT, &r.threads, "split the rows over N threads" },
        { 0, "newer", NULL, OPTION_SWITCH, &r.newer,
          "take models of newer versions than are known" },
        READING_OPTIONS(&r.reading),
        COLOR_OPTION(&r.color),
    };
    const command c = {
        .name = "predict",
        .operands = "MODEL [INPUT]",
        .about =
            "Print what a scikit-learn model answers for each row of INPUT: .npy, .npz, CSV, a\n"
            "pickle of an array or DataFrame, or texts, one a line. Columns of a CSV or\n"
            "DataFrame are found by name where the model knows names. Nothing in the model's\n"
            "file is run: what would need Python is refused by name.",
        .least = 1,
        .most = 2,
        OPTIONS(options),
    };
    char **operands;
    int n, status;
    pickle_doc *doc = NULL;
    pickle_model *m;

    if (!options_parse(&c, argc, argv, &operands, &n, &status))
        return status;
    if (!check_request(&r))
        return EXIT_TROUBLE;
    if (n < 2 && !r.describe) {
        complain(NULL, "INPUT is missing (see pickle predict --help)");
        return EXIT_TROUBLE;
    }
    r.model = operands[0];
    r.input = n > 1 ? operands[1] : NULL;
    m = open_model(&r, &doc, &status);
    if (m)
        status = r.describe ? describe(&r, m) : predict(&r, m);
    pickle_model_free(m);
    pickle_doc_free(doc);
    return status;
}
