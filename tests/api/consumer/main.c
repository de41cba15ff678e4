/* main.c - a user's program, in C as in C++: read a pickle with the installed library. */
#include <stdio.h>
#include <string.h>

#include <pickle/pickle.h>

int main(void)
{
    static const char answer[] = "\x80\x04K*."; /* pickle.dumps(42, 4) */
    pickle_error err;
    pickle_doc *doc = pickle_read(answer, sizeof answer - 1, NULL, &err);
    bool right = pickle_i64_or(pickle_root(doc), 0) == 42 &&
                 strcmp(pickle_version_string(), PICKLE_VERSION_STRING) == 0;

    printf("libpickle %s: %s\n", pickle_version_string(), right ? "right" : err.message);
    pickle_doc_free(doc);
    return !right;
}
