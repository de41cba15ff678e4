/* json_pandas.h - tables, columns and labels of pandas as JSON. */
#ifndef JSON_PANDAS_H
#define JSON_PANDAS_H

#include "json_tree.h"
#include "picture.h"

/* For the typed style, further members of an object. `label` may be NULL, here and below. */
void json_frame_facts(output *o, const pickle_dataframe *df);
void json_series_facts(output *o, const pickle_series *series, const column_label *label);
void json_index_facts(output *o, const pickle_index *index);
void json_column_facts(output *o, const pickle_column *c);
/* A member "shape" with this one axis. */
void json_length(output *o, uint64_t n);

/* For the plain style, as in json_known.h. */
json_problem json_check_frame(const pickle_dataframe *df, uint64_t *limit, int depth);
json_problem json_check_series(const pickle_series *series, uint64_t *limit, int depth);
json_problem json_check_index(const pickle_index *index, uint64_t *limit, int depth);
json_problem json_check_column(const pickle_column *c, uint64_t *limit, int depth);
/* Takes n * times from the limit. */
json_problem json_take(uint64_t *limit, uint64_t n, uint64_t times);
bool json_frame(output *o, const pickle_dataframe *df, int depth);
bool json_series(output *o, const pickle_series *series, const column_label *label, int depth);
bool json_index(output *o, const pickle_index *index, int depth);
bool json_column(output *o, const pickle_column *c, int depth);
bool json_cell(output *o, const pickle_column *c, uint64_t row, int depth);

#endif
