/* models.h - everything that can be asked of a model. */
#ifndef MODELS_H
#define MODELS_H

#include <pickle/sklearn.h>

/*
 * Open a value as a model, describe it and its parts, and run all its methods on batches of every
 * kind, with numbers of every kind in them. Whatever the value is, this ends, and stays within its
 * memory. Is it a model that is supported?
 */
bool models_look(const pickle_val *v, const pickle_alloc *alloc);

#endif
