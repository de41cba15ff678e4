/* annotate.h - one line about each opcode. */
#ifndef PICKLE__ANNOTATE_H
#define PICKLE__ANNOTATE_H

#include "op/operand.h"

/* Says what an opcode does; NULL for a code that is none. */
const char *pickle__annotation(uint8_t code);

#endif
