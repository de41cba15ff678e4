/* pickle/pickle.h - everything. */
#ifndef PICKLE_PICKLE_H
#define PICKLE_PICKLE_H

#include <pickle/array.h>
#include <pickle/build.h>
#include <pickle/doc.h>
#include <pickle/emit.h>
#include <pickle/opcode.h>
#include <pickle/write.h>

#endif
