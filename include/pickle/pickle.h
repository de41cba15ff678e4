/* pickle/pickle.h - everything. */
#ifndef PICKLE_PICKLE_H
#define PICKLE_PICKLE_H

#include <pickle/array.h>
#include <pickle/build.h>
#include <pickle/class.h>
#include <pickle/doc.h>
#include <pickle/emit.h>
#include <pickle/opcode.h>
#include <pickle/pandas.h>
#include <pickle/sparse.h>
#include <pickle/stdlib.h>
#include <pickle/torch.h>
#include <pickle/write.h>

#endif
