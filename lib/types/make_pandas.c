/* make_pandas.c - frames and series of pandas: calls of their classes, as internals keep changing.
 */
#include "types/make.h"

static const pickle_val *or_none(pickle_doc *doc, const pickle_val *v)
{
    return v ? v : pickle_new_none(doc);
}

/* A dict would keep but the last of two columns of one name. */
pickle_val *pickle_new_dataframe(pickle_doc *doc, size_t n, const char *const *names,
                                 const pickle_val *const *columns, const pickle_val *index)
{
    pickle_val *data = pickle_new_dict(doc);

    for (size_t i = 0; data && i < n; i++) {
        if (!names[i] || !columns[i])
            return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "a column without its name or values");
        pickle_set_key(doc, data, names[i], columns[i]);
    }
    if (data && pickle_len(data) != n)
        return PICKLE__REFUSE(doc, PICKLE_ERR_ARG, "two columns of one name");
    return pickle__call(doc, "pandas", "DataFrame", PICKLE__ITEMS(data, or_none(doc, index)));
}

pickle_val *pickle_new_series(pickle_doc *doc, const char *name, const pickle_val *values,
                              const pickle_val *index)
{
    const pickle_val *none = pickle_new_none(doc);

    return pickle__call(
        doc, "pandas", "Series",
        PICKLE__ITEMS(values, or_none(doc, index), none, name ? pickle_new_str(doc, name) : none));
}
