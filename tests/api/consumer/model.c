/* model.c - a user's program: open a model with the installed libpickle-sklearn. */
#include <stdio.h>
#include <string.h>

#include <pickle/pickle.h>
#include <pickle/sklearn.h>

int main(void)
{
    /* pickle.dumps of an instance of a class C of module m. */
    static const char unknown[] = "\x80\x04\x8c\x01m\x8c\x01"
                                  "C\x93)\x81.";
    pickle_error err;
    pickle_doc *doc = pickle_read(unknown, sizeof unknown - 1, NULL, &err);
    pickle_model *m = pickle_model_open(pickle_root(doc), NULL, &err);
    pickle_unsupported why;
    bool right = m && !pickle_model_supported(m, &why) && strcmp(why.class_name, "m.C") == 0;

    printf("%s\n", right ? "right" : "wrong");
    pickle_model_free(m);
    pickle_doc_free(doc);
    return !right;
}
