/* describe.h - what a model is, for people. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <pickle/sklearn.h>

#include "output.h"

void describe_model(output *o, const pickle_model *m);

/* A label or another value of a table, as Python prints it. */
void put_cell_text(output *o, const pickle_cell *cell);

#endif
