/*
 * archive.c - zip and tar archives: pandas' with one pickle in each, numpy's .npz,
 * PyTorch's. What is looked for is told by the members' names; where a file
 * would be written to by any of these names does not matter here.
 */
#include "base/text.h"
#include "file/container.h"
#include "file/hooks.h"
#include "file/torch.h"
#include "types/make.h"
#include "types/npy.h"

/* What an archive has. */
typedef struct contents {
    pickle__archive archive; /* at its start */
    size_t regular, npy;
    pickle__member first, data_pkl; /* regular ones; PyTorch's, if has_data_pkl */
    bool has_data_pkl;
    char first_name[60];            /* escaped */
    bool storages, tensors, pickle; /* the members of PyTorch's tar files            */
} contents;

/* ------------------------------------------------------------------- names */

static bool name_ends(const pickle__member *m, const char *end)
{
    size_t len = strlen(end);

    return m->name_len >= len && memcmp(m->name + m->name_len - len, end, len) == 0;
}

/* What macOS puts beside the files. */
static bool is_litter(const pickle__member *m)
{
    return m->name_len >= 9 && memcmp(m->name, "__MACOSX/", 9) == 0;
}

static void note(contents *c, const pickle__member *m)
{
    if (m->kind != PICKLE__REGULAR || is_litter(m))
        return;
    if (c->regular++ == 0) {
        c->first = *m;
        pickle__escape(c->first_name, sizeof c->first_name, m->name, m->name_len);
    }
    c->npy += name_ends(m, ".npy");
    if (!c->has_data_pkl && (name_ends(m, "/data.pkl") || pickle__member_is(m, "data.pkl"))) {
        c->has_data_pkl = true;
        c->data_pkl = *m;
    }
    c->storages |= pickle__member_is(m, "storages");
    c->tensors |= pickle__member_is(m, "tensors");
    c->pickle |= pickle__member_is(m, "pickle");
}

static bool survey(contents *c, pickle_error *err)
{
    pickle__archive a = c->archive;
    pickle__member m;
    pickle_status status;

    while ((status = pickle__archive_next(&a, &m, err)) == PICKLE_OK)
        note(c, &m);
    return status == PICKLE_END;
}

static bool open_archive(contents *c, pickle__input *in, bool tar, pickle_error *err)
{
    const pickle__source *src = &in->src;

    *c = (contents){ .regular = 0 };
    return pickle__input_whole(in, err) &&
           (tar ? pickle__tar_open : pickle__zip_open)(
               &c->archive, src->at, pickle__source_left(src), src->stable, err) &&
           survey(c, err);
}

/* ------------------------------------------------------------------- .npz */

typedef struct npz {
    pickle_doc *doc;
    const pickle__archive *archive;
    pickle_val *dict;
    pickle__quota left;
} npz;

static pickle_val *read_bytes(pickle__vm *vm, uint64_t size)
{
    const unsigned char *data = pickle__vm_take_payload(vm, size);

    return data ? pickle_borrow_bytes(vm->doc, data, (size_t)size) : NULL;
}

/* As numpy.load() has it: what is no .npy is bytes. */
static pickle_val *read_member(pickle__vm *vm, const pickle__member *m)
{
    pickle_val *v;

    pickle__source_need(vm->src, PICKLE__NPY_MAGIC);
    if (!pickle__is_npy(vm->src->at, pickle__source_left(vm->src)))
        return read_bytes(vm, m->size);
    v = pickle__read_npy(vm);
    /* Reading to the end is what checks the checksum. */
    if (v && !pickle__source_need(vm->src, 1) && vm->src->status != PICKLE_OK) {
        pickle__vm_truncated(vm);
        return NULL;
    }
    return v;
}

/* A name that is no UTF-8 is in a code page that nothing tells: its bytes are kept. */
static pickle_val *member_key(pickle_doc *doc, const pickle__member *m)
{
    pickle_val *key = pickle__new_name(doc, m->name, m->name_len - (name_ends(m, ".npy") ? 4 : 0));

    if (!key)
        pickle__doc_no_memory(doc);
    return key;
}

static bool add_member(npz *z, const pickle__member *m, pickle_error *err)
{
    pickle__input *in = z->doc->owned;
    pickle__source src;
    pickle_val *key, *v;

    if (!pickle__member_open(z->archive, m, &z->left, z->doc->alloc, &src, err))
        return false;
    pickle__vm_start(&in->vm, &src, &in->set, &pickle__file_hooks, err);
    v = read_member(&in->vm, m);
    key = v ? member_key(z->doc, m) : NULL;
    if (key)
        pickle_set_item(z->doc, z->dict, key, v);
    pickle__member_close(&src, &z->left);
    return key != NULL;
}

static bool read_npz(pickle_doc *doc, const contents *c, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__archive a = c->archive;
    npz z = { doc, &c->archive, pickle_new_dict(doc), pickle__archive_quota(in, &a) };
    pickle__member m;
    bool ok = z.dict != NULL;

    while (ok && pickle__archive_next(&a, &m, err) == PICKLE_OK)
        ok = m.kind != PICKLE__REGULAR || is_litter(&m) || add_member(&z, &m, err);
    if (doc->failed.code == PICKLE_ERR_NOMEM)
        pickle__arena_fail(&doc->arena, err, 0);
    else if (doc->failed.code != PICKLE_OK && err)
        *err = doc->failed;
    doc->root = ok && doc->failed.code == PICKLE_OK ? z.dict : NULL;
    doc->made = true;
    in->src.at = in->src.end;
    doc->consumed = pickle__source_offset(&in->src);
    return doc->root && pickle__name_container(doc, "npz", err);
}

/* ------------------------------------------------------------------ members */

/* The only member takes the place of the input. */
static bool enter_member(pickle_doc *doc, const contents *c, const pickle__member *m,
                         const char *layer, pickle_error *err)
{
    pickle__input *in = doc->owned;
    pickle__source member;

    if (!pickle__member_check(&c->archive, m, err) ||
        !pickle__member_source(&c->archive, m, doc->alloc, &member, err))
        return false;
    if (member.reader)
        member.read_limit = pickle__inflate_limit(in, m->packed);
    pickle__source_close(&in->src);
    in->src = member;
    in->in_archive = true;
    pickle__add_layer(in, layer);
    return pickle__inflate_input(doc, m->packed, err);
}

static bool unknown_contents(const contents *c, const char *kind, pickle_error *err)
{
    if (c->regular == 0)
        return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0, "this is a %s file without members",
                            kind);
    return pickle__fail(err, PICKLE_ERR_UNSUPPORTED, 0,
                        "this is a %s file of %zu members (\"%s\", ...), and not one of those that "
                        "hold a pickle",
                        kind, c->regular, c->first_name);
}

bool pickle__read_zip(pickle_doc *doc, pickle_error *err)
{
    contents c;

    if (!open_archive(&c, doc->owned, false, err))
        return false;
    if (c.has_data_pkl)
        return pickle__read_torch_zip(doc, &c.archive, &c.data_pkl, err);
    if (c.npy > 0 || c.regular == 0)
        return read_npz(doc, &c, err);
    if (c.regular != 1)
        return unknown_contents(&c, "zip", err);
    return enter_member(doc, &c, &c.first, "zip", err) && pickle__read_contents(doc, err);
}

bool pickle__read_tar(pickle_doc *doc, pickle_error *err)
{
    contents c;

    if (!open_archive(&c, doc->owned, true, err))
        return false;
    if (c.storages && c.tensors && c.pickle)
        return pickle__read_torch_tar(doc, &c.archive, err);
    if (c.regular != 1)
        return unknown_contents(&c, "tar", err);
    return enter_member(doc, &c, &c.first, "tar", err) && pickle__read_contents(doc, err);
}

/* The member that is a pickle, or holds one; NULL: there is none. */
static const pickle__member *pickle_member(const contents *c)
{
    if (c->has_data_pkl)
        return &c->data_pkl;
    return c->regular == 1 && c->npy == 0 ? &c->first : NULL;
}

bool pickle__enter_archive(pickle_doc *doc, pickle_error *err)
{
    pickle__input *in = doc->owned;
    const pickle__member *m;
    bool tar;
    contents c;

    pickle__source_need(&in->src, PICKLE__ARCHIVE_START);
    tar = pickle__is_tar(in->src.at, pickle__source_left(&in->src));
    if (in->plain || (!tar && !pickle__is_zip(in->src.at, pickle__source_left(&in->src))))
        return true;
    if (!open_archive(&c, in, tar, err))
        return false;
    m = pickle_member(&c);
    return !m || enter_member(doc, &c, m, tar ? "tar" : "zip", err);
}
