/* tree.h - a value as a tree of lines. */
#ifndef TREE_H
#define TREE_H

#include "output.h"
#include "preview.h"

/* NOT_GIVEN (see options.h): the tree picks, so that a page shows what matters. */
typedef struct tree_limits {
    size_t depth, items;
    bool raw; /* the graph as the file has it */
} tree_limits;

/* `label` names the root, "" for none. False: no memory. */
bool tree_print(output *o, const pickle_val *root, const char *label, const tree_limits *limits);

/* One line, escaped. */
void tree_line(output *o, const line *l);

#endif
