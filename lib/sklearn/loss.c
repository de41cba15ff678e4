/* loss.c - which loss a boosted model was fitted with, by the name of its class. */
#include "sklearn/loss.h"

#include <string.h>

#include <pickle/class.h>

const pickle__loss *pickle__open_loss(pickle__opener *o, const char *attribute,
                                      const pickle__loss *losses, size_t count, bool classes)
{
    const pickle_val *loss = pickle__need(o, attribute);
    pickle_class_info info;

    if (!loss)
        return NULL;
    if (pickle_get_class(loss, &info) && info.global &&
        strncmp(pickle_module(info.global), "sklearn.", 8) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (losses[i].classes == classes &&
                strcmp(pickle_name(info.global), losses[i].name) == 0)
                return &losses[i];
        }
    }
    pickle__unsupported(o, attribute, "is of a class that is not known here");
    return NULL;
}
