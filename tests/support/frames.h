/* frames.h - what a value of pandas holds, one line a fact, as fixtures/make_pandas.py states it.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <pickle/pickle.h>

/* False: no value of pandas, one whose parts are not in order, or the sink refused. */
bool frames_describe(const pickle_val *v, pickle_sink out);

#endif
