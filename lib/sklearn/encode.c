/* encode.c - what encodes categories and labels, by class. */
#include "sklearn/categories.h"

/* Before 0.20 all, and later some, that were fitted on integers count from 0. */
static void open_one_hot(pickle__opener *o)
{
    if (o->version < PICKLE__SKLEARN(0, 20, 0) || pickle__flag(o, "_legacy_mode", false))
        pickle__open_one_hot_legacy(o);
    else
        pickle__open_one_hot(o);
}

const pickle__estimator pickle__encode_estimators[] = {
    { "preprocessing", "OneHotEncoder", open_one_hot },
    { "preprocessing", "OrdinalEncoder", pickle__open_ordinal },
    { "preprocessing", "TargetEncoder", pickle__open_target_encoder },
    { "preprocessing", "LabelEncoder", pickle__open_label_encoder },
    { "preprocessing", "LabelBinarizer", pickle__open_label_binarizer },
    { NULL, NULL, NULL },
};
