/*
 * rng.c - numpy's random number generators and seed sequences, as every version pickles them.
 *
 * RandomState before numpy 1.17 has a tuple as its state; since then all have a dict, of their own
 * or, since numpy 2.0, that of the bit generator that they are called with.
 */
#include "types/known.h"
#include "types/numpy.h"

/* How many words there are in the state of MT19937. */
#define WORDS 624

static bool read_key(const pickle_val *key, const pickle_val *pos, pickle_rng *out)
{
    return pickle__numpy_array(key, &out->key, NULL) && out->key.ndim == 1 &&
           out->key.shape[0] == WORDS && strchr("iu", out->key.dtype.kind) &&
           pickle_get_i64(pos, &out->pos) && out->pos >= 0 && out->pos <= WORDS;
}

/* ('MT19937', key, pos, has_gauss, gauss); set_state takes the first three alone, too. */
static bool read_tuple(const pickle_val *state, pickle_rng *out)
{
    out->bit_generator = "MT19937";
    out->has_gauss = pickle_i64_or(pickle_at(state, 3), 0) != 0;
    out->gauss = pickle_f64_or(pickle_at(state, 4), 0);
    return pickle__is_word(pickle_at(state, 0), out->bit_generator) &&
           read_key(pickle_at(state, 1), pickle_at(state, 2), out);
}

static bool read_dict(const pickle_val *state, pickle_rng *out)
{
    const pickle_val *uinteger = pickle_get(state, "uinteger");

    out->bit_generator = pickle_str(pickle_get(state, "bit_generator"));
    out->state = pickle_get(state, "state");
    out->buffer = pickle_get(state, "buffer");
    out->buffer_pos = pickle_i64_or(pickle_get(state, "buffer_pos"), 0);
    out->has_uint32 = pickle_i64_or(pickle_get(state, "has_uint32"), 0) != 0;
    out->uinteger = (uint32_t)pickle_i64_or(uinteger, 0);
    out->has_gauss = pickle_i64_or(pickle_get(state, "has_gauss"), 0) != 0;
    out->gauss = pickle_f64_or(pickle_get(state, "gauss"), 0);
    if (!out->bit_generator || pickle_kind_of(out->state) != PICKLE_DICT)
        return false;
    return strcmp(out->bit_generator, "MT19937") != 0 ||
           read_key(pickle_get(out->state, "key"), pickle_get(out->state, "pos"), out);
}

/* Since numpy 2.0 a bit generator's is a tuple: the dict, and the seed sequence. */
static bool read_state(const pickle_val *state, pickle_rng *out)
{
    if (pickle_kind_of(state) == PICKLE_DICT)
        return read_dict(state, out);
    if (pickle_kind_of(pickle_at(state, 0)) != PICKLE_DICT)
        return read_tuple(state, out);
    if (pickle_kind_of(pickle_at(state, 1)) == PICKLE_OBJECT)
        out->seed_seq = pickle_at(state, 1);
    return read_dict(pickle_at(state, 0), out);
}

static bool is_made_by(const pickle_val *v, const char *name)
{
    const pickle_val *maker = pickle_callable(v);
    const pickle__known *row = pickle__known_global(maker);

    return row && row->type == PICKLE_TYPE_RNG && strcmp(pickle_name(maker), name) == 0;
}

static bool read_bit_generator(const pickle_val *v, pickle_rng *out)
{
    return is_made_by(v, "__bit_generator_ctor") && read_state(pickle_state(v), out);
}

/* Called with the bit generator, or with its name; its own state is what holds. */
static bool read_generator(const pickle_val *v, const char *name, pickle_rng *out)
{
    const pickle_val *state = pickle_state(v), *inner = pickle_at(pickle_args(v), 0);
    bool read = pickle_kind_of(inner) == PICKLE_OBJECT && read_bit_generator(inner, out);

    if (state && pickle_kind_of(state) != PICKLE_NONE)
        read = read_state(state, out);
    out->name = name;
    return read;
}

bool pickle_get_rng(const pickle_val *v, pickle_rng *out)
{
    memset(out, 0, sizeof *out);
    if (pickle_kind_of(v) != PICKLE_OBJECT)
        return false;
    if (is_made_by(v, "__RandomState_ctor") || is_made_by(v, "__randomstate_ctor"))
        return read_generator(v, "RandomState", out);
    if (is_made_by(v, "__generator_ctor"))
        return read_generator(v, "Generator", out);
    return read_bit_generator(v, out);
}

/* Cython's state has the attributes in the order of their names. */
bool pickle_get_seed_sequence(const pickle_val *v, pickle_seed_sequence *out)
{
    const pickle_val *state = pickle_state(v);

    if (!pickle__known_as(v, "numpy.random.SeedSequence"))
        return false;
    if (!state)
        state = pickle_at(pickle_args(v), 2);
    out->entropy = pickle_at(state, 0);
    out->pool = pickle_at(state, 2);
    out->spawn_key = pickle_at(state, 4);
    return pickle_kind_of(state) == PICKLE_TUPLE && pickle_len(state) >= 5 &&
           pickle_get_i64(pickle_at(state, 1), &out->n_children_spawned) &&
           pickle_get_i64(pickle_at(state, 3), &out->pool_size);
}
